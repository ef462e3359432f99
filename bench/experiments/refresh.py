#!/usr/bin/env python3
"""How does a new snapshot replace a live table under readers? PostgreSQL and psql only.

    refresh.py --pg BIN_FOLDER [--work /tmp/lakefront-experiments] [--rows 5000000] [--rounds 1]
               [--fractions 0,0.01,0.1,1] [--only difference-list,swap-rename] [--set wal_level=replica]

The live table has its key, two more indexes, a view, a grant and a comment. The new snapshot differs in a fraction of its
rows: of these 80 % are updated, 10 % deleted, 10 % new. A reader asks for a row by key about every millisecond meanwhile,
and fails when a row that is always there is missing. Results: docs/design/snapshot-load.md.
"""

import argparse
import signal
import statistics
import subprocess
import time
from pathlib import Path

import lab
import load
from harness import dataset
from harness.server import Server
from refresh_methods import METHODS, Context

READER = "\\set id random(1, {rows})\nSELECT * FROM t WHERE id = :id;\nSELECT 1 / count(*) FROM t WHERE id = 1;\n"
SURVIVES = """SELECT (SELECT 't'::regclass::oid = oid FROM before),
    (SELECT count(*) = (SELECT count(*) FROM t) AND sum(quantity) = (SELECT sum(quantity) FROM t) FROM v),
    has_table_privilege('reader', 't', 'SELECT'), coalesce(obj_description('t'::regclass) = 'fashion', false)"""


def base(server: Server, work: Path, rows: int, fractions: list[float]) -> None:
    """The database that every run starts from, and the new snapshots as COPY files."""
    _, parts = load.copy_files(work / "data", rows, "shuffled")
    server.sql("CREATE ROLE reader", load.NOT_NULL)
    copies = [server.psql(*(load.copy("t", part) for part in parts[n::2])) for n in range(2)]
    for child in [subprocess.Popen(line) for line in copies]:
        if child.wait():
            raise RuntimeError("the base table could not be loaded")
    server.sql(
        load.KEY,
        "CREATE INDEX t_category ON t (category)",
        "CREATE INDEX t_price ON t (price)",
        "CREATE VIEW v AS SELECT * FROM t",
        "GRANT SELECT ON t TO reader",
        "COMMENT ON TABLE t IS 'fashion'",
        "CREATE TABLE before AS SELECT 't'::regclass::oid AS oid",
        "VACUUM (FREEZE, ANALYZE) t",
    )
    columns = [name for name in dataset.POSTGRES_COLUMNS if name not in ("id", "quantity")]
    for fraction in fractions:
        # A row's place in 0..99999 decides whether it changes, the last digit how.
        place = "(hashint8(id)::bigint + 2147483648) % 100000"
        changed, way = f"{place} < {round(fraction * 100_000)} AND id <> 1", f"{place} % 10"
        for half in range(2):
            rows = (
                f"SELECT CASE WHEN {changed} AND {way} = 8 THEN id + 1000000000 ELSE id END, "
                f"CASE WHEN {changed} AND {way} < 8 THEN quantity + 1 ELSE quantity END, {', '.join(columns)} "
                f"FROM t WHERE NOT ({changed} AND {way} = 9) AND id % 2 = {half}"
            )
            server.sql(f"COPY ({rows}) TO '{snapshot(server.folder, fraction, half)}' (FORMAT binary)")
    server.administer("ALTER DATABASE bench RENAME TO base")
    server.administer("CREATE DATABASE bench")


def snapshot(folder: Path, fraction: float, half: int) -> Path:
    return folder / f"snapshot-{fraction}-{half}.copy"


class Reader:
    """pgbench with one client at up to 1,000 transactions a second, its latencies from the log."""

    def __init__(self, server: Server, rows: int):
        script = server.folder / "reader.sql"
        script.write_text(READER.format(rows=rows))
        self.prefix = server.folder / "reader"
        for old in server.folder.glob("reader.*[0-9]"):
            old.unlink()
        line = [
            str(server.bin / "pgbench"),
            "-n",
            "-c1",
            "-j1",
            "-R1000",
            "-T600",
            "-M",
            "prepared",
            "-f",
            str(script),
            "-l",
        ]
        line += [
            f"--log-prefix={self.prefix}",
            "-h",
            str(server.folder),
            "-p",
            str(server.port),
            "-U",
            "postgres",
            "bench",
        ]
        self.child = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)

    def stop(self) -> tuple[float, float, int, bool]:
        """Longest wait and 99th percentile in ms, number of reads, and whether a read failed."""
        failed = self.child.poll() is not None
        self.child.send_signal(signal.SIGINT)
        self.child.communicate()
        (log,) = self.prefix.parent.glob("reader.*[0-9]")
        # Fields: client, transaction, latency, script, epoch seconds, microseconds, lag of the schedule. The lag belongs to the
        # latency with -R; subtracting it gives the wait of this read alone.
        waits = sorted(
            (int(f[2]) - int(f[6])) / 1000 for f in map(str.split, log.read_text().splitlines()) if len(f) > 6
        )
        return waits[-1], waits[int(len(waits) * 0.99)], len(waits), failed


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pg", type=Path, required=True, help="the bin folder of a PostgreSQL 18")
    parser.add_argument("--work", type=Path, default=Path("/tmp/lakefront-experiments"))
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--fractions", default="0,0.01,0.1,1")
    parser.add_argument("--only", default=",".join(METHODS))
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    fractions = [float(text) for text in options.fractions.split(",")]
    settings = {"autovacuum": "off", **dict(entry.split("=", 1) for entry in options.set)}
    with Server(options.pg, options.work / "cluster", settings) as server:
        base(server, options.work, options.rows, fractions)
        print(
            "| changed | way | seconds | CPU s | WAL MB | size after | longest read ms (p99) | oid, view, grant, comment | phases s |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
        for fraction in fractions:
            for name in options.only.split(","):
                results = [once(server, options.rows, fraction, name) for _ in range(options.rounds)]
                show(fraction, name, results)


def once(server: Server, rows: int, fraction: float, name: str):
    server.administer("DROP DATABASE bench WITH (FORCE)")
    server.administer("CREATE DATABASE bench TEMPLATE base STRATEGY file_copy")
    method = METHODS[name](Context(server, [snapshot(server.folder, fraction, half) for half in range(2)]))
    server.settle()
    before = size(server)
    reader = Reader(server, rows)
    run = lab.run(server, method)
    read = reader.stop()
    return run, size(server) / before, read, server.sql(SURVIVES)


def size(server: Server) -> int:
    """Bytes of heap and indexes of `t`, and of its partition where it has one."""
    members = "SELECT 't'::regclass UNION SELECT relid FROM pg_partition_tree('t')"
    return int(server.sql(f"SELECT sum(pg_total_relation_size(member)) FROM ({members}) AS all_of_it (member)"))


def show(fraction: float, name: str, results) -> None:
    runs = [result[0] for result in results]
    phases = "; ".join(f"{phase} {statistics.median(run.wall[phase] for run in runs):.2f}" for phase in runs[0].wall)
    failed = ", A READ FAILED" if any(result[2][3] for result in results) else ""
    print(
        f"| {fraction:.0%} | {name} | {statistics.median(run.seconds for run in runs):.1f} "
        f"| {statistics.median(sum(run.cpu.values()) for run in runs):.1f} | {statistics.median(run.wal for run in runs) / 1e6:.0f} "
        f"| {results[0][1]:.2f} | {max(r[2][0] for r in results):.0f} ({max(r[2][1] for r in results):.1f}){failed} "
        f"| {results[0][3]} | {phases} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
