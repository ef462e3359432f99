"""The machine and the PostgreSQL that a report was made on, without names of hosts or users."""

import os
import platform
from collections.abc import Callable
from pathlib import Path


# What says most about how a PostgreSQL is set up.
_SETTINGS = (
    "checkpoint_timeout",
    "data_checksums",
    "fsync",
    "io_method",
    "jit",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "max_wal_size",
    "shared_buffers",
    "synchronous_commit",
    "wal_buffers",
    "wal_init_zero",
    "wal_level",
    "wal_writer_delay",
    "work_mem",
)


def describe(ask: Callable[[str], str]) -> list[str]:
    """Lines for a report: cores and their kind, memory, system, PostgreSQL and its settings, load at the start. `ask` sends
    SQL to the PostgreSQL."""
    settings = ", ".join(f"`{name} = {ask(f'SHOW {name}')}`" for name in _SETTINGS)
    return [
        f"{os.cpu_count()} cores ({_processor()}), {_memory_gib():.0f} GiB memory, "
        f"{platform.system()} {platform.machine()}, load average at the start {os.getloadavg()[0]:.1f}",
        f"PostgreSQL {ask('SHOW server_version')}, {settings}",
    ]


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
