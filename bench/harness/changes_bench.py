"""The changes benchmark: what Lakefront takes to bring copies up to date, against plain SQL and against the clock."""

import json
import sys
from dataclasses import asdict, dataclass

from . import following, refreshing
from .following import Followed
from .machine import describe
from .places import CACHE
from .refreshing import Run
from .server import Server

WORKS = ("updates", "merge", "small", "steady", "twenty", "waiting", "large")
_SAVED = CACHE / "changes.json"


@dataclass(frozen=True)
class Outcome:
    """All that was measured; `tables` has the rows of the tables in each work."""

    runs: list[Run]
    followed: list[Followed]
    tables: dict[str, int]
    machine: list[str]


def run(server: Server, works: list[str], rounds: int, minutes: float, divide: int) -> Outcome:
    """The works in turn, each saved when it is done. All amounts of rows but those followed are divided by `divide`."""
    outcome = Outcome([], [], {}, describe(server.sql))
    rows = 5_000_000 // divide
    commits = max(int(minutes * 60), 1)
    compared = {
        "updates": (rows, lambda: refreshing.updates(server, rows, rows // 50, rounds)),
        "merge": (rows, lambda: refreshing.merge(server, rows, rows // 100, rounds)),
        "waiting": (refreshing.WAITING_ROWS, lambda: refreshing.waiting(server, 10_000 // divide, rounds)),
        "large": (2 * rows, lambda: refreshing.large(server, 2 * rows)),
    }
    followed = {"small": (1, 1_000, 50), "steady": (1, 100, commits), "twenty": (20, 100, commits)}
    for work in (work for work in WORKS if work in works):
        if work in compared:
            outcome.tables[work], measure = compared[work]
            for done in measure():
                outcome.runs.append(done)
                _tell(done)
        else:
            outcome.tables[work] = following.ROWS
            tables, changed, count = followed[work]
            done = following.measure(server, work, tables, changed, count, idle=work != "small")
            outcome.followed.append(done)
            print(f"{work}: median {done.median():.1f} ms, at most {max(done.milliseconds):.1f} ms", file=sys.stderr)
        _SAVED.write_text(json.dumps(asdict(outcome), indent=1))
    return outcome


def saved() -> Outcome:
    """What the last run measured."""
    read = json.loads(_SAVED.read_text())
    runs = [Run(**entry) for entry in read["runs"]]
    return Outcome(runs, [Followed(**entry) for entry in read["followed"]], read["tables"], read["machine"])


def _tell(done: Run) -> None:
    print(
        f"{done.work}, round {done.round + 1}: {done.contestant}, {done.rows:,} rows, {done.seconds:.2f} s, "
        f"{done.peak_rss / 2**20:.0f} MiB",
        file=sys.stderr,
        flush=True,
    )
