"""The inputs of the load benchmark, made once and kept in the cache: a Delta table and a binary COPY file."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
from deltalake import DeltaTable, write_deltalake

from . import copyfile, dataset
from .places import CACHE


@dataclass(frozen=True)
class Source:
    """The same rows twice: `delta` is a folder, `copy` a file for `COPY … BINARY`."""

    rows: int
    order: str
    delta: Path
    copy: Path

    def shape(self) -> str:
        """What the Delta table looks like on disk, for the report."""
        files = [Path(self.delta, name) for name in DeltaTable(str(self.delta)).file_uris()]
        groups = sum(parquet.read_metadata(file).num_row_groups for file in files)
        size = sum(file.stat().st_size for file in files)
        return f"{self.rows:,} rows, keys {self.order}, {len(files)} files, {groups} row groups, {size / 1e6:,.0f} MB of Parquet"


def prepare(rows: int, order: str) -> Source:
    """Builds what is missing. A half-made input never counts: each is renamed into place when complete."""
    source = Source(rows, order, delta_table(rows, order), _folder(rows, order) / "rows.copy")
    if not source.copy.exists():
        print(f"writing the COPY file of {rows:,} rows", file=sys.stderr)
        unfinished = source.copy.with_name("rows.unfinished")
        copyfile.write(dataset.batches(rows, order), [unfinished])
        unfinished.rename(source.copy)
    return source


def delta_table(rows: int, order: str) -> Path:
    """The folder of the Delta table, with change data feed on; built if it is missing."""
    delta = _folder(rows, order) / "delta"
    if not delta.exists():
        print(f"writing the Delta table of {rows:,} rows", file=sys.stderr)
        unfinished = delta.with_name("delta.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        reader = pa.RecordBatchReader.from_batches(dataset.SCHEMA, dataset.batches(rows, order))
        write_deltalake(str(unfinished), reader, configuration={"delta.enableChangeDataFeed": "true"})
        unfinished.rename(delta)
    return delta


def _folder(rows: int, order: str) -> Path:
    folder = CACHE / "data" / f"{order}-{rows}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
