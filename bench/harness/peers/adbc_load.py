"""Peer: the Python package `deltalake` streams Arrow batches into ADBC's binary COPY, then the primary key is added.

One transaction: the table is new in it, so PostgreSQL with wal_level = minimal writes no WAL for it.
Usage: adbc_load.py DELTA_FOLDER URL SCHEMA.TABLE KEY
"""

import sys

import adbc_driver_postgresql.dbapi as adbc
from deltalake import DeltaTable


def main(folder: str, url: str, into: str, key: str) -> None:
    schema, table = into.split(".")
    rows = DeltaTable(folder).to_pyarrow_dataset().scanner(batch_size=65_536).to_reader()
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        cursor.adbc_ingest(table, rows, mode="create", db_schema_name=schema)
        cursor.execute(f"ALTER TABLE {into} ADD PRIMARY KEY ({key})")
        connection.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
