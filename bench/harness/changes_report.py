"""docs/bench/changes.md: each work with what is wanted of it and whether that is met, then the figures behind it."""

import statistics
from collections.abc import Iterable
from pathlib import Path

from . import pairs, plots
from .changes_bench import Outcome
from .following import IDLE_SECONDS, Followed
from .refreshing import APPENDED, Run

_MIB = 2**20
_WANTED_TO_SQL = 1.3
_WANTED_WITHOUT_FEED = 3
_WANTED_SMALL_MS = 100
_WANTED_STEADY_MS = {"median": 50, "99 %": 200}
_WANTED_IDLE_PERCENT = 2
_WANTED_MEMORY_MIB = 256
_WANTED_WAITING_RATE = 100_000


def write(outcome: Outcome, reports: Path) -> None:
    """Writes the report and its plot from the measurements alone; what was not run is not in it."""
    reports.mkdir(parents=True, exist_ok=True)
    lines = ["# Changes: copies brought up to date, and kept so", ""]
    lines += ["| the work | wanted | measured | met or not |", "|---|---|---|---|"]
    lines += [*_to_other_sides(outcome), *_waiting(outcome), *_large(outcome), *_followed(outcome), ""]
    lines += _refreshes(outcome) + _latencies(outcome) + _method(outcome)
    (reports / "changes.md").write_text("\n".join(lines))
    rows = [(followed.work, [followed.percentile(n / 100) for n in range(101)]) for followed in outcome.followed]
    if rows:
        title = "From the commit's file to a reader's sight of it"
        plots.dots(reports / "changes.svg", title, "milliseconds, each percentile and median", rows, "")


def _runs(outcome: Outcome, work: str, side: str = "lakefront") -> list[Run]:
    return [run for run in outcome.runs if (run.work, run.contestant) == (work, side)]


def _at_most(what: str, wanted: float, unit: str, values: Iterable[float], measured: str) -> str:
    """A line of the first table: the greatest of `values` counts."""
    met = "met" if max(values) <= wanted else "**not met**"
    return f"| {what} | at most {wanted:g}{unit} | {measured} | {met} |"


def _memory(what: str, peaks: Iterable[int]) -> str:
    peak = max(peaks) / _MIB
    return _at_most(f"{what}, peak memory", _WANTED_MEMORY_MIB, " MiB", [peak], f"{peak:.0f} MiB")


def _to_other_sides(outcome: Outcome) -> list[str]:
    lines = []
    for work, ours, theirs, wanted, title in (
        ("updates", "lakefront", "plain SQL", _WANTED_TO_SQL, "change data feed on: time to that of plain SQL"),
        ("merge", "without feed", "with feed", _WANTED_WITHOUT_FEED, "time without change data feed to that with it"),
    ):
        runs = _runs(outcome, work, ours)
        if runs:
            of = [{run.round: run for run in _runs(outcome, work, side)} for side in (ours, theirs)]
            ratios = pairs.ratios(*of)
            what = f"`{work}`: {runs[0].rows:,} updated rows, spread over {outcome.tables[work]:,}, {title}"
            lines.append(_at_most(what, wanted, "", [statistics.median(ratios)], pairs.summary(ratios)))
    return lines


def _waiting(outcome: Outcome) -> list[str]:
    runs = _runs(outcome, "waiting")
    if not runs:
        return []
    rates = [run.rows / run.seconds for run in runs]
    met = "met" if statistics.median(rates) >= _WANTED_WAITING_RATE else "**not met**"
    what = f"`waiting`: {runs[0].rows // APPENDED:,} commits of {APPENDED} new rows each, applied at once: rows a second"
    return [f"| {what} | at least {_WANTED_WAITING_RATE:,} | {_thousands(rates)} | {met} |"]


def _large(outcome: Outcome) -> list[str]:
    runs = _runs(outcome, "large")
    return [_memory(f"`large`: one commit of {run.rows:,} updated rows", [run.peak_rss]) for run in runs]


def _followed(outcome: Outcome) -> list[str]:
    lines = []
    for followed in outcome.followed:
        what = _title(followed)
        latencies = {
            "median": followed.median(),
            "99 %": followed.percentile(0.99),
            "slowest": max(followed.milliseconds),
        }
        small = dict.fromkeys(("median", "slowest"), _WANTED_SMALL_MS)
        wanted = {"small": small, "steady": _WANTED_STEADY_MS, "twenty": _WANTED_STEADY_MS}
        for name, value in latencies.items():
            if limit := wanted.get(followed.work, {}).get(name):
                lines.append(_at_most(f"{what}, {name}", limit, " ms", [value], f"{value:.1f} ms"))
        if followed.idle_share is not None:
            percent = followed.idle_share * 100
            idle = f"the same, while nothing happens: CPU, {IDLE_SECONDS} s"
            lines.append(_at_most(idle, _WANTED_IDLE_PERCENT, " % of a core", [percent], f"{percent:.2f} %"))
        lines.append(_memory("the same", [followed.peak_rss]))
    return lines


def _title(followed: Followed) -> str:
    tables = "a followed table" if followed.tables == 1 else f"{followed.tables} continuous tables in one process"
    return f"`{followed.work}`: {len(followed.milliseconds)} commits of {followed.changed:,} updated rows, {tables}"


def _refreshes(outcome: Outcome) -> list[str]:
    lines = ["## Each refresh", "", "| | | changed rows | seconds | by its own report | rows a second | peak memory, MiB |"]
    lines.append("|---|---|---|---|---|---|---|")
    for work, side in dict.fromkeys((run.work, run.contestant) for run in outcome.runs):
        runs = _runs(outcome, work, side)
        reported = [run.reported for run in runs if run.reported is not None]
        lines.append(
            f"| {work} | {side} | {runs[0].rows:,} | {pairs.summary([run.seconds for run in runs])} "
            f"| {pairs.summary(reported) if reported else ''} | {_thousands([run.rows / run.seconds for run in runs])} "
            f"| {max(run.peak_rss for run in runs) / _MIB:.0f} |"
        )
    return [*lines, ""] if outcome.runs else []


def _thousands(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


def _latencies(outcome: Outcome) -> list[str]:
    lines = ["## From the commit's file to a reader's sight of it", "", "![latencies](changes.svg)", ""]
    lines += ["| | commits | in seconds | median, ms | 90 % | 99 % | slowest |", "|---|---|---|---|---|---|---|"]
    for followed in outcome.followed:
        shares = " | ".join(f"{followed.percentile(share):.1f}" for share in (0.9, 0.99, 1))
        lines.append(
            f"| {followed.work} | {len(followed.milliseconds)} | {followed.seconds:.0f} | {followed.median():.1f} | {shares} |"
        )
    return [*lines, ""] if outcome.followed else []


def _method(outcome: Outcome) -> list[str]:
    tables = ", ".join(f"{work} {rows:,}" for work, rows in outcome.tables.items())
    return [
        "## How it was measured",
        "",
        f"- Rows of each table: {tables}. Ten mixed columns, as for the [load](load.md), and the primary key alone.",
        *[f"- {line}." for line in outcome.machine],
        "- Seconds are wall clock of the whole process, from start to end; ratios and rows a second are taken from them, ratios inside "
        "a round: each round applies another commit by both sides, another one first each time. Given are the median and the range; the median is judged.",
        "- Before each side of `updates` and `merge`: `VACUUM`, table and index read once, `CHECKPOINT`. Plain SQL is `psql`: in one "
        "transaction `COPY` of the same rows from a ready binary file, in random order, into a temporary table and one `INSERT … ON "
        "CONFLICT DO UPDATE`. It reads no Delta table. Its own table is a copy of Lakefront's, with the rows in the same order.",
        "- Commits are made by the Python package `deltalake` with MERGE (`large`: UPDATE), those of `waiting` by the benchmark itself: "
        "one Parquet file each, no checkpoint in the log, change data feed on.",
        "- Followed tables get a commit a second, twenty of them in turn, so each every 20 seconds. A latency begins at the "
        "modification time of the commit's file and ends when a reader, told by `NOTIFY`, has read a row of that commit. Reader, writer, "
        "Lakefront and PostgreSQL share the machine.",
        "- Memory is the peak resident set of Lakefront's process; PostgreSQL's own is not included.",
        "- Every change was looked for in PostgreSQL afterwards; in the end both sides' tables held the same rows, and followed "
        "tables what `deltalake` reads.",
        "- Made by `bench/run changes`.",
        "",
    ]
