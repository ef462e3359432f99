"""The machine and the PostgreSQL that a report was made on, without names of hosts or users."""

import os
import platform
from pathlib import Path

from .server import Server


def describe(server: Server) -> list[str]:
    """Lines for a report: cores and their kind, memory, system, PostgreSQL and its settings, load at the start."""
    settings = ", ".join(f"`{name} = {value}`" for name, value in sorted(server.settings.items()))
    return [
        f"{os.cpu_count()} cores ({_processor()}), {_memory_gib():.0f} GiB memory, {platform.system()} {platform.machine()}, "
        f"load average at the start {os.getloadavg()[0]:.1f}",
        f"PostgreSQL {server.sql('SHOW server_version')}, data checksums {server.sql('SHOW data_checksums')}, {settings}",
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
