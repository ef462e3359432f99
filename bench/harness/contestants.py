"""Who takes part in the load benchmark. Each fills `bench.t` in an empty database from the same rows and gives it its key."""

import sys
from dataclasses import dataclass
from pathlib import Path

from . import child, dataset
from .places import BINARY, PEERS
from .server import Server
from .source import Source

TABLE = "bench.t"
KEY = "id"


@dataclass(frozen=True)
class Contestant:
    """`name` in results, `title` in the report."""

    name: str
    title: str

    def load(self, server: Server, source: Source, work: Path) -> child.Measured:
        raise NotImplementedError


class Limit(Contestant):
    """psql on one connection from a ready file, in one transaction, so that with wal_level = minimal nothing goes
    through the WAL and with FREEZE no row is ever touched again. No program that loads on one connection does less work."""

    def load(self, server, source, work):
        columns = ", ".join(
            f"{name} {kind}{' NOT NULL' if name == KEY else ''}" for name, kind in dataset.POSTGRES_COLUMNS.items()
        )
        command = server.client(
            "CREATE SCHEMA bench",
            "BEGIN",
            f"CREATE TABLE {TABLE} ({columns})",
            rf"\copy {TABLE} from '{source.copy}' with (format binary, freeze)",
            f"ALTER TABLE {TABLE} ADD PRIMARY KEY ({KEY})",
            "COMMIT",
        )
        return child.run(command, work)


class Lakefront(Contestant):
    """The release binary, as a user starts it."""

    def load(self, server, source, work):
        command = [str(BINARY), "load", str(source.delta), "--into", TABLE, "--key", KEY]
        return child.run([*command, "--database", server.url, "--json"], work)


class Script(Contestant):
    """A Python program of the folder `peers`, named as the contestant."""

    def load(self, server, source, work):
        script = PEERS / f"{self.name}_load.py"
        return child.run([sys.executable, str(script), str(source.delta), server.url, TABLE, KEY], work)


LIMIT = Limit("limit", "the limit: psql, one connection, ready file, `COPY … FREEZE`, then the key")
LAKEFRONT = Lakefront("lakefront", "**Lakefront**: `lakefront load`")
ADBC = Script("adbc", "peer: `deltalake` into `adbc_driver_postgresql`, then the key")
DLT = Script("dlt", "peer: `deltalake` into `dlt`, then the key")
