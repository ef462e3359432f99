#!/usr/bin/env python3
"""What does a REPEATABLE READ transaction that began before a swap of heaps see after it? PostgreSQL and psql only.

old_snapshots.py --pg BIN_FOLDER [--work /tmp/lakefront-experiments]
"""

import argparse
import subprocess
from pathlib import Path

import lab  # noqa: F401  (finds the harness)
from harness.server import Server

FILL = "INSERT INTO s SELECT g, 'new' FROM generate_series(1, 1000) g"
RENAME = ("BEGIN", "ALTER TABLE t RENAME TO t_old", "ALTER TABLE s RENAME TO t", "COMMIT")
WAYS = {
    "rename": [("CREATE TABLE s (id int PRIMARY KEY, v text)",), (FILL,), RENAME],
    "rename, stage vacuumed with FREEZE first": [
        ("CREATE TABLE s (id int PRIMARY KEY, v text)",),
        (FILL,),
        ("VACUUM (FREEZE) s",),
        RENAME,
    ],
    "difference": [
        ("CREATE TABLE s (id int PRIMARY KEY, v text)",),
        (FILL,),
        ("UPDATE t SET v = s.v FROM s WHERE s.id = t.id AND t.v <> s.v",),
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pg", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/lakefront-experiments"))
    options = parser.parse_args()
    with Server(options.pg, options.work / "cluster-snapshots") as server:
        for name, steps in WAYS.items():
            server.empty_database()
            server.sql(
                "CREATE TABLE t (id int PRIMARY KEY, v text)",
                "INSERT INTO t SELECT g, 'old' FROM generate_series(1, 1000) g",
            )
            reader = subprocess.Popen(
                server.psql()[:-2] + ["-d", "bench"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            reader.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ;\nSELECT 'snapshot taken';\n")
            reader.stdin.flush()
            reader.stdout.readline()
            for step in steps:
                server.sql(*step)
            answer, _ = reader.communicate(
                "SELECT count(*) || ' rows, ' || coalesce(min(v), 'none') FROM t;\nCOMMIT;\n"
            )
            print(f"| {name} | {answer.strip()} |")


if __name__ == "__main__":
    main()
