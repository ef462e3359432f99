"""How soon commits are seen: a writer commits, Lakefront follows, and a reader that listens to PostgreSQL looks at the clock."""

import asyncio
import json
import math
import multiprocessing
import os
import shutil
import statistics
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import numpy as np
from deltalake import DeltaTable

from . import changes_data, source
from .background import Background, NotReady
from .changes_data import MARK
from .load_bench import WrongResult
from .places import BINARY
from .server import Server

SCHEMA = "followed"
ROWS = 100_000
IDLE_SECONDS = 30
# Each commit changes this row too, and its quantity tells which commit a reader sees.
_WITNESS = 1
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Followed:
    """Commits that were followed. Milliseconds from the commit's file to a reader's sight of it, one for each commit; the
    share of a core that Lakefront took while nothing happened; its peak memory in bytes."""

    work: str
    tables: int
    changed: int
    seconds: float
    milliseconds: list[float]
    idle_share: float | None
    peak_rss: int

    def median(self) -> float:
        return statistics.median(self.milliseconds)

    def percentile(self, share: float) -> float:
        """The latency that `share` of the commits kept to."""
        return sorted(self.milliseconds)[max(math.ceil(share * len(self.milliseconds)) - 1, 0)]


class Follower(Background):
    """Lakefront, following Delta tables in the folder `work`: one by `load --follow`, more by `serve`."""

    def __init__(self, name: str, server: Server, tables: int):
        super().__init__(name)
        self.url = server.url
        self.tables = {f"t{number}": self.work / f"t{number}" for number in range(1, tables + 1)}
        made = source.delta_table(ROWS, "ascending")
        for folder in self.tables.values():
            shutil.rmtree(folder, ignore_errors=True)
            changes_data.copy(made, folder)

    def command(self):
        line = [str(BINARY), "--database", self.url, "--json"]
        if len(self.tables) == 1:
            [(name, folder)] = self.tables.items()
            return [*line, "load", str(folder), "--into", f"{SCHEMA}.{name}", "--key", "id", "--follow"]
        entries = ['[catalogs.bench]\ndatabase = "bench"\n']
        for name, folder in self.tables.items():
            entries.append(
                f'[[synced_tables]]\nname = "bench.{SCHEMA}.{name}"\nsource = "{folder}"\n'
                'primary_key = ["id"]\nscheduling_policy = "CONTINUOUS"\n'
            )
        config = self.work / "lakefront.toml"
        config.write_text("\n".join(entries))
        return [*line, "serve", "--config", str(config)]

    def __exit__(self, *_):
        super().__exit__()
        for folder in self.tables.values():
            shutil.rmtree(folder, ignore_errors=True)


def measure(server: Server, work: str, tables: int, changed: int, commits: int, idle: bool) -> Followed:
    """One commit a second, to each table in turn, that updates `changed` rows by MERGE; change data feed is on."""
    server.empty_database()
    server.settle()
    with Follower(work, server, tables) as follower:
        return asyncio.run(_measure(server, follower, work, changed, commits, idle))


async def _measure(
    server: Server, follower: Follower, work: str, changed: int, commits: int, idle: bool
) -> Followed:
    reader = await asyncpg.connect(server.url)
    visible = _Visible(reader, follower)
    watching = asyncio.create_task(visible.watch())
    await reader.add_listener("lakefront", visible.told)
    for name in follower.tables:
        await visible.at(name, 0)
    # The writer is a process of its own, so that the reader's clock never waits for it, nor for its end.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as writer:
        start = time.monotonic()
        made = await _commit_each_second(writer, follower, changed, commits)
        seconds = time.monotonic() - start
        milliseconds = [(await visible.at(*which) - moment) * 1000 for which, moment in made.items()]
    await _check(reader, follower)
    share = await _idle_share(follower) if idle else None
    watching.cancel()
    await reader.close()
    return Followed(work, len(follower.tables), changed, seconds, milliseconds, share, follower.peak_rss())


class _Visible:
    """When each commit of each table came into sight of a reader."""

    def __init__(self, reader: asyncpg.Connection, follower: Follower):
        self._reader = reader
        self._follower = follower
        self._told: asyncio.Queue = asyncio.Queue()
        self._moments: dict[tuple[str, int], asyncio.Future] = defaultdict(asyncio.get_running_loop().create_future)

    def told(self, _connection, _process: int, _channel: str, payload: str) -> None:
        """Takes what NOTIFY said."""
        self._told.put_nowait(json.loads(payload)["table"].rsplit(".", 1)[-1])

    async def watch(self) -> None:
        """Looks at each table that was notified of; the clock is read when the new row has been."""
        next_commit = defaultdict(int)
        while True:
            name = await self._told.get()
            quantity = await self._reader.fetchval(f"SELECT quantity FROM {SCHEMA}.{name} WHERE id = {_WITNESS}")
            now = time.time()
            newest = max(quantity - MARK, 0)
            for number in range(next_commit[name], newest + 1):
                self._moments[name, number].set_result(now)
            next_commit[name] = newest + 1

    async def at(self, name: str, number: int) -> float:
        """The moment; waits for it."""
        try:
            return await asyncio.wait_for(self._moments[name, number], _PATIENCE_SECONDS)
        except TimeoutError:
            told = f"commit {number} of {name} did not come into sight\n{self._follower.last_words()}"
            raise NotReady(told) from None


async def _commit_each_second(
    writer: ProcessPoolExecutor, follower: Follower, changed: int, commits: int
) -> dict[tuple[str, int], float]:
    """Moment of each commit, by table and number. A writer that takes longer than a second commits without a pause."""
    loop = asyncio.get_running_loop()
    names = list(follower.tables)
    start = loop.time()
    made = {}
    for index in range(commits):
        name, number = names[index % len(names)], index // len(names) + 1
        await asyncio.sleep(start + index - loop.time())
        made[name, number] = await loop.run_in_executor(writer, commit, follower.tables[name], number, changed)
        if (index + 1) % 60 == 0:
            print(f"{index + 1} of {commits} commits", file=sys.stderr, flush=True)
    return made


def commit(delta: Path, number: int, changed: int) -> float:
    """Makes one commit and returns when its file was written, by the file system's clock. The file gets its name a
    moment later, and that clock is behind by up to a tick (some ms): both make a latency too great rather than too small."""
    others = np.random.default_rng([changed, number]).choice(ROWS - 1, changed - 1, replace=False) + 2
    changes_data.merge(delta, changes_data.marked(np.append(others, _WITNESS), number))
    return os.stat(delta / "_delta_log" / f"{number:020}.json").st_mtime


async def _check(reader: asyncpg.Connection, follower: Follower) -> None:
    """In the end every copy must be what `deltalake` reads."""
    for name, folder in follower.tables.items():
        found = await reader.fetch(f"SELECT id, quantity FROM {SCHEMA}.{name} ORDER BY id")
        table = DeltaTable(str(folder)).to_pyarrow_table(columns=["id", "quantity"]).sort_by("id")
        if [tuple(row) for row in found] != list(zip(*table.to_pydict().values(), strict=True)):
            raise WrongResult(f"{SCHEMA}.{name} is not what its source is after the last commit")


async def _idle_share(follower: Follower) -> float:
    await asyncio.sleep(2)
    before, start = follower.cpu_seconds(), time.monotonic()
    await asyncio.sleep(IDLE_SECONDS)
    return (follower.cpu_seconds() - before) / (time.monotonic() - start)
