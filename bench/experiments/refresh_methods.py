"""The ways to replace a live table that `refresh.py` compares. Each gives the phases of one run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lab
import load
from harness import dataset
from harness.server import Server

OTHERS = [name for name in dataset.POSTGRES_COLUMNS if name != "id"]
SET = ", ".join(f"{name} = s.{name}" for name in OTHERS)
NAMES = ", ".join(["id", *OTHERS])
SESSION = ["SET work_mem = '256MB'", "SET max_parallel_workers_per_gather = 2"]


@dataclass(frozen=True)
class Context:
    """The server with the live table `t`, and the new snapshot as files for parallel COPY."""

    server: Server
    files: list[Path]

    def stage(self, kind: str = "UNLOGGED TABLE", name: str = "s") -> list[lab.Phase]:
        """The new snapshot in a table of its own, one connection per file."""
        create = load.NOT_NULL.replace("TABLE t", f"{kind} {name}")
        return [
            ("create", [self.server.psql(create)]),
            ("copy", [self.server.psql(load.copy(name, file)) for file in self.files]),
        ]

    def transaction(self, name: str, *statements: str) -> lab.Phase:
        return name, [self.server.psql(*SESSION, "BEGIN", *statements, "COMMIT")]

    def plain(self, name: str, *statements: str) -> lab.Phase:
        return name, [self.server.psql(*SESSION, *statements)]


def nothing(at: Context) -> list[lab.Phase]:
    """Only the stage: what a reader feels of the load itself."""
    return at.stage()


def difference_statements(at: Context) -> list[lab.Phase]:
    """DELETE, UPDATE, INSERT, each joining both tables once more."""
    return [
        *at.stage(),
        at.plain("analyze", "ANALYZE s"),
        at.transaction(
            "apply",
            "DELETE FROM t WHERE NOT EXISTS (SELECT FROM s WHERE s.id = t.id)",
            f"UPDATE t SET {SET} FROM s WHERE s.id = t.id AND t.* IS DISTINCT FROM s.*",
            f"INSERT INTO t ({NAMES}) SELECT {NAMES} FROM s WHERE NOT EXISTS (SELECT FROM t WHERE t.id = s.id)",
        ),
    ]


def difference_merge(at: Context) -> list[lab.Phase]:
    """One MERGE; PostgreSQL never runs it in parallel."""
    return [
        *at.stage(),
        at.plain("analyze", "ANALYZE s"),
        at.transaction(
            "apply",
            f"MERGE INTO t USING s ON t.id = s.id WHEN MATCHED AND t.* IS DISTINCT FROM s.* THEN UPDATE SET {SET} "
            f"WHEN NOT MATCHED THEN INSERT ({NAMES}) VALUES ({', '.join('s.' + n for n in ['id', *OTHERS])}) "
            "WHEN NOT MATCHED BY SOURCE THEN DELETE",
        ),
    ]


def _list(create: str) -> list[str]:
    return [
        f"{create} AS SELECT t.ctid AS old, s.ctid AS new FROM t FULL JOIN s ON t.id = s.id "
        "WHERE s.id IS NULL OR t.id IS NULL OR t.* *<> s.*",
    ]


APPLY_LIST = [
    "DELETE FROM t USING d WHERE t.ctid = d.old AND d.new IS NULL",
    f"UPDATE t SET {SET} FROM d, s WHERE t.ctid = d.old AND s.ctid = d.new",
    f"INSERT INTO t ({NAMES}) SELECT {', '.join('s.' + n for n in ['id', *OTHERS])} FROM d JOIN s ON s.ctid = d.new WHERE d.old IS NULL",
]


def difference_list(at: Context) -> list[lab.Phase]:
    """The addresses of the rows that differ from one full join, which may run in parallel; then only those are touched."""
    return [
        *at.stage(),
        at.plain("analyze", "ANALYZE s"),
        at.plain("list", *_list("CREATE UNLOGGED TABLE d"), "ANALYZE d"),
        at.transaction("apply", *APPLY_LIST),
    ]


def difference_replace(at: Context) -> list[lab.Phase]:
    """As the list, with a changed row deleted and inserted: two statements, no UPDATE."""
    return [
        *at.stage(),
        at.plain("analyze", "ANALYZE s"),
        at.plain("list", *_list("CREATE UNLOGGED TABLE d"), "ANALYZE d"),
        at.transaction(
            "apply",
            "DELETE FROM t USING d WHERE t.ctid = d.old",
            f"INSERT INTO t ({NAMES}) SELECT {', '.join('s.' + n for n in ['id', *OTHERS])} FROM d JOIN s ON s.ctid = d.new",
        ),
    ]


def _built(at: Context) -> list[lab.Phase]:
    """A complete second table: heap, key, the two indexes (at the same time), statistics."""
    return [
        *at.stage("TABLE"),
        at.plain("key", "ALTER TABLE s ADD PRIMARY KEY (id)"),
        ("indexes", [at.server.psql(f"CREATE INDEX s_{column} ON s ({column})") for column in ("category", "price")]),
        at.plain("analyze", "ANALYZE s"),
    ]


def swap_rename(at: Context) -> list[lab.Phase]:
    """The second table takes the name; the view still reads the first, which therefore cannot be dropped."""
    return [
        *_built(at),
        at.transaction(
            "swap", "SET LOCAL lock_timeout = '50ms'", "ALTER TABLE t RENAME TO t_old", "ALTER TABLE s RENAME TO t"
        ),
    ]


def swap_rename_complete(at: Context) -> list[lab.Phase]:
    """As above, with view, grant and comment made again in the same transaction and the old table dropped."""
    return [
        *_built(at),
        at.transaction(
            "swap",
            "SET LOCAL lock_timeout = '50ms'",
            "DROP VIEW v",
            "ALTER TABLE t RENAME TO t_old",
            "ALTER TABLE s RENAME TO t",
            "CREATE VIEW v AS SELECT * FROM t",
            "GRANT SELECT ON t TO reader",
            "COMMENT ON TABLE t IS 'fashion'",
            "DROP TABLE t_old",
            "ALTER INDEX s_pkey RENAME TO t_pkey",
            "ALTER INDEX s_category RENAME TO t_category",
            "ALTER INDEX s_price RENAME TO t_price",
        ),
    ]


def swap_partition(at: Context) -> list[lab.Phase]:
    """The live table is partitioned with one partition; detach and attach exchange it."""
    at.server.sql(
        "ALTER TABLE t RENAME TO t_1",
        "DROP VIEW v",
        "CREATE TABLE t (LIKE t_1 INCLUDING ALL) PARTITION BY HASH (id)",
        "ALTER TABLE t ATTACH PARTITION t_1 FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
        "CREATE VIEW v AS SELECT * FROM t",
        "GRANT SELECT ON t TO reader",
        "COMMENT ON TABLE t IS 'fashion'",
        "UPDATE before SET oid = 't'::regclass::oid",
    )
    check = "CHECK (satisfies_hash_partition('t'::regclass, 1, 0, id))"
    built = _built(at)
    return [
        built[0],
        at.plain("check", f"ALTER TABLE s ADD CONSTRAINT s_whole {check}"),
        *built[1:],
        at.transaction(
            "swap",
            "SET LOCAL lock_timeout = '50ms'",
            "ALTER TABLE t DETACH PARTITION t_1",
            "ALTER TABLE t ATTACH PARTITION s FOR VALUES WITH (MODULUS 1, REMAINDER 0)",
            "DROP TABLE t_1",
        ),
    ]


def delete_insert(at: Context) -> list[lab.Phase]:
    """All rows deleted and inserted in one transaction."""
    return [*at.stage(), at.transaction("apply", "DELETE FROM t", f"INSERT INTO t ({NAMES}) SELECT {NAMES} FROM s")]


def truncate_insert(at: Context) -> list[lab.Phase]:
    """TRUNCATE and INSERT in one transaction: readers wait from the TRUNCATE to the COMMIT."""
    return [*at.stage(), at.transaction("apply", "TRUNCATE t", f"INSERT INTO t ({NAMES}) SELECT {NAMES} FROM s")]


METHODS: dict[str, Callable[[Context], list[lab.Phase]]] = {
    "nothing": nothing,
    "difference-statements": difference_statements,
    "difference-merge": difference_merge,
    "difference-list": difference_list,
    "difference-replace": difference_replace,
    "swap-rename": swap_rename,
    "swap-rename-complete": swap_rename_complete,
    "swap-partition": swap_partition,
    "delete-insert": delete_insert,
    "truncate-insert": truncate_insert,
}
