"""Prints a Delta table as the packages deltalake and duckdb read it, as one JSON document.

usage: read_back.py TABLE

Times are microseconds since 1970. "duckdb" is missing when its extension for Delta is not installed.
"""

import json
import pathlib
import sys

import pyarrow
from deltalake import DeltaTable


def plain(value):
    if hasattr(value, "timestamp"):
        return round(value.timestamp() * 1_000_000)
    return value


def rows(table):
    table = pyarrow.table(table)
    columns = [[plain(value) for value in column.to_pylist()] for column in table.columns]
    return [dict(zip(table.column_names, row)) for row in zip(*columns)]


def by_duckdb(path):
    try:
        import duckdb
        import duckdb_extension_delta
    except ImportError:
        return None
    folder = pathlib.Path(duckdb_extension_delta.__file__).parent / "extensions"
    extension = folder / f"v{duckdb.__version__}" / "delta.duckdb_extension"
    if not extension.exists():
        return None
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"LOAD '{extension}'")
    return rows(connection.sql(f"SELECT * FROM delta_scan('{path}')").to_arrow_table())


def main():
    path = sys.argv[1]
    table = DeltaTable(path)
    protocol = table.protocol()
    answer = {
        "version": table.version(),
        "protocol": [protocol.min_reader_version, protocol.min_writer_version],
        "rows": rows(table.to_pyarrow_table()),
        "operations": [entry["operation"] for entry in table.history()],
    }
    if table.metadata().configuration.get("delta.enableChangeDataFeed") == "true":
        answer["feed"] = rows(table.load_cdf(starting_version=0))
    from_duckdb = by_duckdb(path)
    if from_duckdb is not None:
        answer["duckdb"] = from_duckdb
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
