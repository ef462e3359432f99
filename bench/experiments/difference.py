#!/usr/bin/env python3
"""Which SQL finds the rows that differ between a live table and a new snapshot fastest? PostgreSQL and psql only.

    difference.py --pg BIN_FOLDER [--work /tmp/lakefront-experiments] [--rows 5000000] [--rounds 3] [--fraction 0.01]

Each way lists the addresses of differing rows into a table. Results: docs/design/snapshot-load.md.
"""

import argparse
from pathlib import Path

import lab
import refresh
from harness import dataset
from harness.server import Server
from refresh_methods import OTHERS, Context

FULL = "FROM t FULL JOIN s ON t.id = s.id WHERE s.id IS NULL OR t.id IS NULL OR "
PER_COLUMN = "(" + " OR ".join(f"t.{name} IS DISTINCT FROM s.{name}" for name in OTHERS) + ")"
CREATE = "CREATE UNLOGGED TABLE d AS SELECT t.ctid AS old, s.ctid AS new "
ROWS = ", ".join(dataset.POSTGRES_COLUMNS)


def ways(server: Server) -> dict:
    def way(condition: str, *sets: str, query: str = CREATE + FULL):
        session = {"work_mem": "256MB", "max_parallel_workers_per_gather": "2", "hash_mem_multiplier": "2"}
        session.update(pair.split("=") for pair in sets)
        settings = [f"SET {name} = '{value}'" for name, value in session.items()]
        return lambda: [("list", [server.psql(*settings, query + condition)])]

    return {
        "image": way("t.* *<> s.*"),
        "record": way("t.* IS DISTINCT FROM s.*"),
        "columns": way(PER_COLUMN),
        "hash": way("hash_record_extended(t.*, 0) <> hash_record_extended(s.*, 0)"),
        "image-serial": way("t.* *<> s.*", "max_parallel_workers_per_gather=0"),
        "columns-serial": way(PER_COLUMN, "max_parallel_workers_per_gather=0"),
        "columns-work_mem-4MB": way(PER_COLUMN, "work_mem=4MB"),
        "columns-work_mem-64MB": way(PER_COLUMN, "work_mem=64MB"),
        "columns-work_mem-1GB": way(PER_COLUMN, "work_mem=1GB"),
        "columns-merge-join": way(PER_COLUMN, "enable_hashjoin=off"),
        "image-1-worker": way("t.* *<> s.*", "max_parallel_workers_per_gather=1"),
        "columns-1-worker": way(PER_COLUMN, "max_parallel_workers_per_gather=1"),
        "group-by": way(
            "",
            query=f"CREATE UNLOGGED TABLE d AS SELECT id, min(new) AS new, min(old) AS old FROM "
            f"(SELECT {ROWS}, ctid AS new, NULL::tid AS old FROM s UNION ALL SELECT {ROWS}, NULL, ctid FROM t) both_sides "
            f"GROUP BY {ROWS} HAVING count(*) = 1",
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pg", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/lakefront-experiments"))
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fraction", type=float, default=0.01)
    parser.add_argument("--only", help="names of ways, with commas; 'image' is always run")
    options = parser.parse_args()
    with Server(options.pg, options.work / "cluster", {"autovacuum": "off"}) as server:
        refresh.base(server, options.work, options.rows, [options.fraction])
        server.administer("DROP DATABASE bench")
        server.administer("CREATE DATABASE bench TEMPLATE base STRATEGY file_copy")
        files = [refresh.snapshot(server.folder, options.fraction, half) for half in range(2)]
        for phase in Context(server, files).stage():
            lab.run(server, [phase])
        server.sql("ANALYZE s")
        chosen = ways(server)
        if options.only:
            chosen = {name: phases for name, phases in chosen.items() if name in {"image", *options.only.split(",")}}
        lab.compare(server, chosen, "image", options.rounds, lambda: server.sql("DROP TABLE IF EXISTS d"))


if __name__ == "__main__":
    main()
