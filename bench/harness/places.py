"""Where things are: the project, the cache of the benchmarks, and the reports."""

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
CACHE = PROJECT / "target" / "bench"
REPORTS = PROJECT / "docs" / "bench"
BINARY = PROJECT / "target" / "release" / "lakefront"
PEERS = Path(__file__).resolve().parent / "peers"
