"""`lakefront refresh` against the clock and against plain SQL: tables brought up to date, commit by commit."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from . import changes_data, child
from .changes_data import MARK, Replay
from .contestants import KEY
from .dataset import POSTGRES_COLUMNS
from .load_bench import Result, WrongResult
from .places import BINARY, CACHE
from .server import Server

# Rows of the table that commits wait for, and those that each of them appends.
WAITING_ROWS = 100_000
APPENDED = 10
_WORK = CACHE / "work" / "changes"


@dataclass(frozen=True)
class Run(Result):
    """One refresh: `rows` are those that changed, `reported` the seconds that Lakefront itself counts."""

    work: str
    reported: float | None


@dataclass(frozen=True)
class Side:
    """One way to bring `table` up to date; `command` takes the number of the round's commit, from 1."""

    name: str
    table: str
    command: Callable[[int], list[str]]


def updates(server: Server, rows: int, changed: int, rounds: int) -> Iterator[Run]:
    """Lakefront against COPY into a temporary table and one INSERT … ON CONFLICT DO UPDATE, on two tables that are the same."""
    history = changes_data.merged(rows, changed, rounds, feed=True)
    changes_data.write_copy_files(history, rows, changed, rounds)
    replay = Replay(history, _WORK / "feed")
    server.empty_database()
    _load(server, replay, "bench.t")
    # Not the shape alone but also the order of the rows and an index that was built at once.
    server.sql("CREATE TABLE bench.plain AS TABLE bench.t", f"ALTER TABLE bench.plain ADD PRIMARY KEY ({KEY})")
    columns = ", ".join(f"{name} = excluded.{name}" for name in POSTGRES_COLUMNS if name != KEY)

    def plain(number: int) -> list[str]:
        return server.client(
            "BEGIN",
            "CREATE TEMPORARY TABLE changed (LIKE bench.plain) ON COMMIT DROP",
            rf"\copy changed from '{history.copy_file(number)}' with (format binary)",
            f"INSERT INTO bench.plain SELECT * FROM changed ON CONFLICT ({KEY}) DO UPDATE SET {columns}",
            "COMMIT",
        )

    sides = [Side("lakefront", "bench.t", _refresh(server, "bench.t")), Side("plain SQL", "bench.plain", plain)]
    yield from _compare(server, "updates", sides, [replay], history.base, changed, rounds)
    _same(server, "bench.t", "bench.plain")


def merge(server: Server, rows: int, changed: int, rounds: int) -> Iterator[Run]:
    """The same commits with and without change data feed."""
    replays, sides = [], []
    server.empty_database()
    for name, feed in (("with feed", True), ("without feed", False)):
        table = f"bench.{'feed' if feed else 'files'}"
        history = changes_data.merged(rows, changed, rounds, feed)
        replays.append(Replay(history, _WORK / table))
        _load(server, replays[-1], table)
        sides.append(Side(name, table, _refresh(server, table)))
    yield from _compare(server, "merge", sides, replays, history.base, changed, rounds)
    _same(server, "bench.feed", "bench.files")


def _compare(
    server: Server, work: str, sides: list[Side], replays: list[Replay], base: int, changed: int, rounds: int
) -> Iterator[Run]:
    """One commit a round, applied by each side, another one first each time."""
    for number in range(rounds):
        for replay in replays:
            replay.show(base + number + 1)
        shift = number % len(sides)
        for side in sides[shift:] + sides[:shift]:
            _warm(server, side.table)
            measured = child.run(side.command(number + 1), _WORK / "run")
            _expect(server, f"{work}, {side.name}", f"{side.table} WHERE quantity = {MARK + number + 1}", changed)
            yield _run(work, side.name, number, changed, measured)


def waiting(server: Server, commits: int, rounds: int) -> Iterator[Run]:
    """All commits at once, ten new rows each, into a table that was loaded before them."""
    history = changes_data.appended(WAITING_ROWS, APPENDED, commits)
    for number in range(rounds):
        replay = Replay(history, _WORK / "waiting")
        server.empty_database()
        _load(server, replay, "bench.t")
        replay.show(commits)
        server.settle()
        measured = child.run(_refresh(server, "bench.t")(1), _WORK / "run")
        _expect(server, "waiting", "bench.t", WAITING_ROWS + APPENDED * commits)
        yield _run("waiting", "lakefront", number, APPENDED * commits, measured)


def large(server: Server, rows: int) -> Iterator[Run]:
    """One commit that updated every row. Once: its memory is in question."""
    history = changes_data.rewritten(rows)
    replay = Replay(history, _WORK / "large")
    server.empty_database()
    _load(server, replay, "bench.t")
    replay.show(1)
    server.settle()
    measured = child.run(_refresh(server, "bench.t")(1), _WORK / "run")
    _expect(server, "large", f"bench.t WHERE quantity >= {MARK}", rows)
    yield _run("large", "lakefront", 0, rows, measured)


def _load(server: Server, replay: Replay, table: str) -> None:
    command = [str(BINARY), "load", str(replay.folder), "--into", table, "--key", KEY, "--database", server.url]
    child.run(command, _WORK / "run")


def _refresh(server: Server, table: str) -> Callable[[int], list[str]]:
    return lambda _: [str(BINARY), "refresh", table, "--database", server.url, "--json"]


def _warm(server: Server, table: str) -> None:
    """Leaves a table without dead rows, it and its index read, and nothing to be written."""
    server.sql(
        f"VACUUM {table}",
        f"SELECT count(quantity) FROM {table}",
        f"SET enable_seqscan = off; SET enable_bitmapscan = off; SELECT count(*) FROM {table} WHERE {KEY} > 0",
    )
    server.settle()


def _run(work: str, side: str, number: int, rows: int, measured: child.Measured) -> Run:
    reported = None
    if measured.stdout:
        report = json.loads(measured.stdout)
        reported = report["seconds"]
        if report["refresh"] != "incremental":
            raise WrongResult(f"{work}, {side}: the refresh was {report['refresh']}: {report['reason']}")
    return Run(number, side, rows, measured.seconds, measured.cpu_seconds, measured.peak_rss, work, reported)


def _expect(server: Server, who: str, rows: str, count: int) -> None:
    found = server.sql(f"SELECT count(*) FROM {rows}")
    if found != str(count):
        raise WrongResult(f"{who}: {rows} has {found} rows, not {count}")


def _same(server: Server, one: str, other: str) -> None:
    """Two tables that were brought up to date in two ways must hold the same rows."""
    sums = [server.sql(f"SELECT count(*), sum(hashtextextended(t::text, 0)) FROM {name} AS t") for name in (one, other)]
    if sums[0] != sums[1]:
        raise WrongResult(f"{one} and {other} are not the same: {sums[0]}, {sums[1]}")
