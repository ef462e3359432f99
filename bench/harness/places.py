"""Where things are: the project, the cache of the benchmarks, and the reports."""

import os
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / "target" / "bench"
REPORTS = PROJECT / "docs" / "bench"
BINARY = PROJECT / "target" / "release" / "lakefront"
PEERS = Path(__file__).resolve().parent / "peers"


def server_folder() -> Path:
    """Where PostgreSQL and its cluster live: the cache, or a temporary folder where the cache is in a home that the
    unprivileged user, as which PostgreSQL runs under root, may not enter."""
    closed = [folder for folder in CACHE.parents if not folder.stat().st_mode & 0o001]
    return Path(tempfile.gettempdir()) / "lakefront-bench" if os.geteuid() == 0 and closed else CACHE
