"""docs/bench/load.md: ratios first, then seconds and memory, then how it was measured."""

import statistics
from pathlib import Path

from . import pairs
from .contestants import ADBC, DLT, LAKEFRONT, LIMIT
from .load_bench import Outcome

_WANTED_TO_LIMIT = 0.7
_WANTED_TO_PEER = 0.6
_WANTED_MEMORY = 256 * 2**20
_WANTED_MEMORY_GROWTH = 1.10


def write(outcome: Outcome, reports: Path) -> None:
    """Writes the report from the runs alone; what was not run says so."""
    reports.mkdir(parents=True, exist_ok=True)
    sizes = sorted(outcome.sources)
    lines = ["# Load: Delta table to indexed PostgreSQL table", ""]
    lines += _ratios(outcome, sizes[0]) + _growth(outcome, sizes) + _times(outcome, sizes)
    lines += ["## How it was measured", "", "![seconds of each run](load.svg)", ""]
    lines += [f"- {outcome.sources[size]}." for size in sizes]
    lines += [f"- {line}." for line in outcome.machine]
    lines += [
        "- Each round runs every contestant once, each into an empty database after a checkpoint, starting with another one each "
        "time. A ratio is taken inside a round; given are the median and the range.",
        "- Seconds are wall clock of the whole process, from start to end; memory is the peak resident set of that process, "
        "PostgreSQL's own not included. Count, sums and primary key of every table were checked afterwards.",
        "- Only Lakefront gathers statistics (`ANALYZE`) within its time.",
        "- Made by `bench/run load`.",
        "",
    ]
    (reports / "load.md").write_text("\n".join(lines))


def _ratios(outcome: Outcome, rows: int) -> list[str]:
    ours = pairs.of(outcome.results, "lakefront", rows)
    lines = [f"## Ratios at {rows:,} rows", "", "| | measured | wanted |", "|---|---|---|"]
    for other, wanted in ((LIMIT, f"at most {_WANTED_TO_LIMIT}"), (ADBC, f"at most {_WANTED_TO_PEER}"), (DLT, "")):
        theirs = pairs.of(outcome.results, other.name, rows)
        if theirs:
            lines.append(
                f"| time, Lakefront to {other.title} | {pairs.summary(pairs.ratios(ours, theirs))} | {wanted} |"
            )
    limit, peer = (pairs.of(outcome.results, name, rows) for name in ("limit", "adbc"))
    lines.append(f"| time, best peer to the limit | {pairs.summary(pairs.ratios(peer, limit))} | |")
    return [*lines, ""]


def _growth(outcome: Outcome, sizes: list[int]) -> list[str]:
    small = pairs.of(outcome.results, "lakefront", sizes[0])
    if len(sizes) < 2 or not small:
        return []
    lines = [f"## Growth from {sizes[0]:,} rows", "", "| | measured | wanted |", "|---|---|---|"]
    for size in sizes[1:]:
        large = pairs.of(outcome.results, "lakefront", size)
        limits = [pairs.of(outcome.results, "limit", rows) for rows in (size, sizes[0])]
        # 4.2 for four times the rows: five hundredths above proportional, for an index that grows a level.
        lines += [
            f"| time, Lakefront, {size:,} rows | {pairs.summary(pairs.ratios(large, small))} | at most {1.05 * size / sizes[0]:.1f} |",
            f"| time, the limit, {size:,} rows | {pairs.summary(pairs.ratios(*limits))} | |",
            f"| peak memory, Lakefront, {size:,} rows | {pairs.summary(pairs.ratios(large, small, 'peak_rss'))} "
            f"| at most {_WANTED_MEMORY_GROWTH:.2f} |",
        ]
    return [*lines, ""]


def _times(outcome: Outcome, sizes: list[int]) -> list[str]:
    lines = [
        "## Each contestant",
        "",
        "| | rows | seconds | CPU seconds of the process | peak memory, MiB |",
        "|---|---|---|---|---|",
    ]
    for size in sizes:
        for contestant in (LAKEFRONT, LIMIT, ADBC, DLT):
            runs = list(pairs.of(outcome.results, contestant.name, size).values())
            if runs:
                cpu = statistics.median(run.cpu_seconds for run in runs)
                memory = max(run.peak_rss for run in runs) / 2**20
                lines.append(
                    f"| {contestant.title} | {size:,} | {pairs.summary([run.seconds for run in runs], 1)} "
                    f"| {cpu:.1f} | {memory:.0f} |"
                )
    return [*lines, "", f"Wanted: peak memory of Lakefront under {_WANTED_MEMORY // 2**20} MiB.", ""]
