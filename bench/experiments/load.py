#!/usr/bin/env python3
"""How does a snapshot load fill a logged table with its primary key fastest? PostgreSQL and psql only.

    load.py --pg BIN_FOLDER [--work /tmp/lakefront-experiments] [--rows 5000000] [--order shuffled]
            [--rounds 3] [--set wal_level=replica] [--only limit,logged-2]

Needs numpy and pyarrow to make the COPY files (once per order and size). The results are in
docs/design/snapshot-load.md.
"""

import argparse
from pathlib import Path

import lab
from harness import copyfile, dataset
from harness.server import Server

PARTS = 12
KEY = "ALTER TABLE t ADD PRIMARY KEY (id)"
CREATE = f"CREATE TABLE t ({lab.COLUMNS})"
# With the key declared NOT NULL, adding the primary key does not scan the table once more for NULLs.
NOT_NULL = CREATE.replace("id bigint", "id bigint NOT NULL")


def copy_files(folder: Path, rows: int, order: str) -> tuple[Path, list[Path]]:
    """The same rows as one COPY file and as `PARTS` files."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f"{order}-{rows}.copy"
    parts = [folder / f"{order}-{rows}-{part}.copy" for part in range(PARTS)]
    if not whole.exists():
        copyfile.write(dataset.batches(rows, order), parts)
        with whole.open("wb") as out:
            out.write(copyfile.HEADER)
            for part in parts:
                out.write(part.read_bytes()[len(copyfile.HEADER) : -len(copyfile.TRAILER)])
            out.write(copyfile.TRAILER)
    return whole, parts


def copy(table: str, path: Path, options: str = "") -> str:
    return rf"\copy {table} from '{path}' with (format binary{options})"


def variants(server: Server, whole: Path, parts: list[Path]) -> dict:
    def one(*statements):
        return [server.psql("BEGIN", *statements, "COMMIT")]

    def plain(*statements):
        return [server.psql(*statements)]

    def spread(connections: int, before: list[str], table=lambda number: "t", after=lambda number: [], options=""):
        return [
            server.psql(
                "BEGIN",
                *before,
                *(copy(table(n), part, options) for part in parts[n::connections]),
                *after(n),
                "COMMIT",
            )
            for n in range(connections)
        ]

    def logged(connections, *key, sets=(), create=CREATE):
        def phases():
            server.sql(create)
            return [("copy", spread(connections, list(sets))), ("key", plain(*(key or (KEY,))))]

        return phases

    def unlogged(connections):
        def phases():
            server.sql(CREATE.replace("TABLE", "UNLOGGED TABLE"))
            return [
                ("copy", spread(connections, [])),
                ("key", plain(KEY)),
                ("set logged", plain("ALTER TABLE t SET LOGGED")),
            ]

        return phases

    def unlogged_at_once(connections):
        def phases():
            server.sql(CREATE.replace("TABLE", "UNLOGGED TABLE"))
            return [
                ("copy", spread(connections, [])),
                ("set logged, key", plain("ALTER TABLE t SET LOGGED, ADD PRIMARY KEY (id)")),
            ]

        return phases

    def key_first(connections):
        def phases():
            server.sql(CREATE, KEY)
            return [("copy", spread(connections, []))]

        return phases

    def own_tables(connections, *sets):
        def phases():
            copies = [
                server.psql(
                    "BEGIN",
                    *sets,
                    NOT_NULL.replace("TABLE t", f"TABLE t{n}"),
                    *(copy(f"t{n}", part, ", freeze") for part in parts[n::connections]),
                    f"ALTER TABLE t{n} ADD PRIMARY KEY (id)",
                    "COMMIT",
                )
                for n in range(connections)
            ]
            return [("copy and key", copies)]

        return phases

    def limit(*sets, key=KEY, create=CREATE):
        return lambda: [("copy", one(*sets, create, copy("t", whole, ", freeze"), key))]

    return {
        "limit": limit(),
        "limit-again": limit(),
        "limit-serial-key": limit("SET max_parallel_maintenance_workers = 0"),
        "limit-1-worker": limit("SET max_parallel_maintenance_workers = 1"),
        "limit-mwm-64MB": limit("SET maintenance_work_mem = '64MB'"),
        "limit-mwm-1GB": limit("SET maintenance_work_mem = '1GB'"),
        "limit-from-server-file": lambda: [("copy", one(CREATE, copy("t", whole, ", freeze")[1:], KEY))],
        "limit-no-freeze": lambda: [("copy", one(CREATE, copy("t", whole), KEY))],
        "limit-storage-plain": limit(create=CREATE.replace("text", "text STORAGE PLAIN")),
        "limit-fillfactor-90": limit(create=CREATE + " WITH (fillfactor = 90)"),
        "limit-parts": lambda: [("copy", one(CREATE, *(copy("t", part, ", freeze") for part in parts), KEY))],
        "logged-1": logged(1),
        "logged-2": logged(2),
        "logged-3": logged(3),
        "logged-4": logged(4),
        "limit-not-null": limit(create=NOT_NULL),
        "logged-2-not-null": logged(2, create=NOT_NULL),
        "logged-2-async": logged(2, create=NOT_NULL, sets=("SET LOCAL synchronous_commit = off",)),
        "logged-3-async": logged(3, create=NOT_NULL, sets=("SET LOCAL synchronous_commit = off",)),
        "logged-4-async": logged(4, create=NOT_NULL, sets=("SET LOCAL synchronous_commit = off",)),
        "logged-2-flush": logged(2, sets=("SET backend_flush_after = '2MB'",)),
        "logged-2-serial-key": logged(2, "SET max_parallel_maintenance_workers = 0", KEY, create=NOT_NULL),
        "logged-2-1-worker": logged(2, "SET max_parallel_maintenance_workers = 1", KEY, create=NOT_NULL),
        "logged-2-reloption": logged(2, "ALTER TABLE t SET (parallel_workers = 1)", KEY, create=NOT_NULL),
        "logged-2-mwm-64MB": logged(2, "SET maintenance_work_mem = '64MB'", KEY, create=NOT_NULL),
        "logged-2-mwm-1GB": logged(2, "SET maintenance_work_mem = '1GB'", KEY, create=NOT_NULL),
        "logged-2-1-worker-mwm-1GB": logged(
            2, "SET maintenance_work_mem = '1GB'", "SET max_parallel_maintenance_workers = 1", KEY, create=NOT_NULL
        ),
        "logged-2-analyze": logged(2, KEY, "ANALYZE t"),
        "logged-2-vacuum": logged(2, KEY, "VACUUM (FREEZE, ANALYZE) t"),
        "limit-analyze": lambda: [
            ("copy", one(CREATE, copy("t", whole, ", freeze"), KEY)),
            ("analyze", plain("ANALYZE t")),
        ],
        "unlogged-2": unlogged(2),
        "unlogged-2-at-once": unlogged_at_once(2),
        "unlogged-4-at-once": unlogged_at_once(4),
        "key-first-1": key_first(1),
        "key-first-2": key_first(2),
        "own-tables-2": own_tables(2),
        "own-tables-2-flush": own_tables(2, "SET backend_flush_after = '1MB'"),
        "own-tables-3": own_tables(3),
        "own-tables-4": own_tables(4),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pg", type=Path, required=True, help="the bin folder of a PostgreSQL 18")
    parser.add_argument("--work", type=Path, default=Path("/tmp/lakefront-experiments"))
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--order", choices=("shuffled", "ascending"), default="shuffled")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], help="a server setting, NAME=VALUE")
    parser.add_argument("--only", help="names of variants, with commas; 'limit' is always run")
    options = parser.parse_args()
    whole, parts = copy_files(options.work / "data", options.rows, options.order)
    settings = dict(entry.split("=", 1) for entry in options.set)
    with Server(options.pg, options.work / "cluster", settings) as server:
        chosen = variants(server, whole, parts)
        if options.only:
            wanted = {"limit", *options.only.split(",")}
            if missing := wanted - set(chosen):
                parser.error(f"no variant {', '.join(sorted(missing))}; there are {', '.join(chosen)}")
            chosen = {name: phases for name, phases in chosen.items() if name in wanted}

        def clean():
            server.sql("DROP TABLE IF EXISTS t, " + ", ".join(f"t{n}" for n in range(8)))

        lab.compare(server, chosen, "limit", options.rounds, clean)


if __name__ == "__main__":
    main()
