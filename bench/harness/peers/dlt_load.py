"""Peer: dlt reads Arrow batches from the Python package `deltalake` and loads them into its postgres destination; the key is added
with its own SQL client, because that destination makes none.

Usage: dlt_load.py DELTA_FOLDER URL SCHEMA.TABLE KEY
"""

import os
import sys
from pathlib import Path

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["DLT_DATA_DIR"] = str(Path.cwd() / "dlt-data")

import dlt  # noqa: E402
from deltalake import DeltaTable  # noqa: E402
from dlt.destinations import postgres  # noqa: E402


def main(folder: str, url: str, into: str, key: str) -> None:
    schema, table = into.split(".")

    @dlt.resource(name=table, write_disposition="replace", columns={key: {"nullable": False}})
    def rows():
        yield from DeltaTable(folder).to_pyarrow_dataset().to_batches(batch_size=65_536)

    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(Path.cwd() / "dlt-pipelines"),
        destination=postgres(url),
        dataset_name=schema,
    )
    pipeline.run(rows(), loader_file_format="csv").raise_on_failed_jobs()
    with pipeline.sql_client() as client:
        client.execute_sql(f"ALTER TABLE {into} ADD PRIMARY KEY ({key})")


if __name__ == "__main__":
    main(*sys.argv[1:])
