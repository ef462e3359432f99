"""Delta tables with commits to apply, made once and kept in the cache, and copies in which the commits appear one by one.

A commit marks the rows that it changes: their `quantity` becomes 10,000 and its number, which no row has from the start.
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from deltalake import DeltaTable

from . import copyfile, dataset, source
from .places import CACHE

# Above every quantity of the data set.
MARK = 10_000


@dataclass(frozen=True)
class History:
    """A Delta table in the cache; its commits after version `base` are those to apply."""

    delta: Path
    base: int

    def copy_file(self, number: int) -> Path:
        """The rows of commit `number`, counted from 1, for `COPY … BINARY`, in random order."""
        return self.delta.with_name(f"{number}.copy")


class Replay:
    """A copy of a history, made of hard links, that shows no commit after `base` until it is told to."""

    def __init__(self, history: History, folder: Path):
        self.folder = folder
        self._from = history.delta / "_delta_log"
        self._shown = -1
        shutil.rmtree(folder, ignore_errors=True)
        copy(history.delta, folder, leave_out="_delta_log")
        (folder / "_delta_log").mkdir()
        self.show(history.base)

    def show(self, version: int) -> None:
        """Lets the commits up to `version` appear."""
        for number in range(self._shown + 1, version + 1):
            name = f"{number:020}.json"
            os.link(self._from / name, self.folder / "_delta_log" / name)
        self._shown = version


def copy(delta: Path, folder: Path, leave_out: str = "") -> None:
    """The same table under another name, its files shared: a Delta table's files are never written again."""
    shutil.copytree(delta, folder, copy_function=os.link, ignore=shutil.ignore_patterns(leave_out))


def marked(ids: np.ndarray, number: int) -> pa.Table:
    """What a merge needs to know of commit `number`."""
    return pa.table({"id": ids, "quantity": pa.array(np.full(len(ids), MARK + number, dtype=np.int32))})


def merge(delta: Path, rows: pa.Table) -> None:
    """Commits new quantities with MERGE, which rewrites the files that have these rows."""
    merging = DeltaTable(str(delta)).merge(rows, "t.id = s.id", source_alias="s", target_alias="t")
    merging.when_matched_update({"quantity": "s.quantity"}).execute()


def merged(rows: int, changed: int, commits: int, feed: bool) -> History:
    """A table of `rows` rows and commits that update `changed` rows each, spread over all of it, no row twice."""
    folder = CACHE / "data" / f"merged-{rows}-{changed}-{'feed' if feed else 'files'}"
    history = History(folder / "delta", 1)
    if not history.delta.exists():
        unfinished = folder / "delta.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        copy(source.delta_table(rows, "shuffled"), unfinished)
        setting = {"delta.enableChangeDataFeed": str(feed).lower()}
        DeltaTable(str(unfinished)).alter.set_table_properties(setting)
        unfinished.rename(history.delta)
    parts = _spread(rows, changed, commits)
    for number in range(DeltaTable(str(history.delta)).version() - history.base + 1, commits + 1):
        print(f"merging {changed:,} of {rows:,} rows, commit {number} of {commits}", file=sys.stderr, flush=True)
        merge(history.delta, marked(parts[number - 1], number))
    return history


def write_copy_files(history: History, rows: int, changed: int, commits: int) -> None:
    """The same rows for `COPY … BINARY`, of each commit that has no such file yet."""
    missing = [number for number in range(1, commits + 1) if not history.copy_file(number).exists()]
    if not missing:
        return
    print(f"writing {len(missing)} COPY files of {changed:,} rows", file=sys.stderr)
    commit_of = np.zeros(rows + 1, dtype=np.int32)
    commit_of[_spread(rows, changed, commits)] = np.arange(1, commits + 1)[:, None]
    found: dict[int, list[pa.RecordBatch]] = {number: [] for number in missing}
    for batch in dataset.batches(rows, "shuffled"):
        numbers = commit_of[np.asarray(batch.column("id"))]
        for number in missing:
            found[number].append(batch.filter(pa.array(numbers == number)))
    at = dataset.SCHEMA.get_field_index("quantity")
    for number in missing:
        table = pa.Table.from_batches(found[number])
        quantity = pa.array(np.full(table.num_rows, MARK + number, dtype=np.int32))
        table = table.set_column(at, dataset.SCHEMA.field("quantity"), quantity)
        order = np.random.default_rng([dataset.SEED, number]).permutation(table.num_rows)
        unfinished = history.delta.with_name("copy.unfinished")
        copyfile.write(table.take(pa.array(order)).combine_chunks().to_batches(), [unfinished])
        unfinished.rename(history.copy_file(number))


def _spread(rows: int, changed: int, commits: int) -> np.ndarray:
    """The keys that each commit changes, a line for each."""
    ids = np.random.default_rng([dataset.SEED, changed]).permutation(rows)[: commits * changed] + 1
    return ids.reshape(commits, changed)


def appended(start: int, changed: int, commits: int) -> History:
    """A table of `start` rows and commits that append `changed` rows each, one file a commit. The log is written
    here, as `deltalake` would take hours."""
    history = History(CACHE / "data" / f"appended-{start}-{changed}-{commits}", 0)
    if not history.delta.exists():
        print(f"writing {commits:,} commits", file=sys.stderr)
        unfinished = history.delta.with_name(history.delta.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        copy(source.delta_table(start, "ascending"), unfinished)
        rows = pa.Table.from_batches(dataset.batches(start + commits * changed, "ascending")).slice(start)
        for number in range(1, commits + 1):
            file = unfinished / f"commit-{number}.parquet"
            parquet.write_table(rows.slice((number - 1) * changed, changed), file)
            _append(unfinished, number, file, changed)
        unfinished.rename(history.delta)
    return history


def _append(delta: Path, number: int, file: Path, rows: int) -> None:
    moment = 1_700_000_000_000 + number
    commit = {"timestamp": moment, "operation": "WRITE", "operationParameters": {"mode": "Append"}}
    add = {
        "path": file.name,
        "partitionValues": {},
        "size": file.stat().st_size,
        "modificationTime": moment,
        "dataChange": True,
        "stats": json.dumps({"numRecords": rows}),
    }
    lines = [json.dumps(action) for action in ({"commitInfo": commit}, {"add": add})]
    (delta / "_delta_log" / f"{number:020}.json").write_text("\n".join(lines) + "\n")


def rewritten(rows: int) -> History:
    """A table of `rows` rows with change data feed and one commit, an UPDATE of all of them."""
    history = History(CACHE / "data" / f"rewritten-{rows}", 0)
    if not history.delta.exists():
        print(f"updating {rows:,} rows", file=sys.stderr)
        unfinished = history.delta.with_name(history.delta.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        copy(source.delta_table(rows, "shuffled"), unfinished)
        DeltaTable(str(unfinished)).update(updates={"quantity": f"CAST(quantity + {MARK} AS INT)"})
        unfinished.rename(history.delta)
    return history
