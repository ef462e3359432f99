"""The load benchmark: the contestants in turn, round by round, each into an empty database of one server."""

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from .contestants import LIMIT, TABLE, Contestant
from .machine import describe
from .places import CACHE
from .server import Server
from .source import Source


class WrongResult(RuntimeError):
    """A contestant finished, but its table is not the source's."""


@dataclass(frozen=True)
class Result:
    """One run of one contestant; `round` numbers the pairs."""

    round: int
    contestant: str
    rows: int
    seconds: float
    cpu_seconds: float
    peak_rss: int


@dataclass(frozen=True)
class Outcome:
    """All runs, and what the report says of the inputs and the machine."""

    results: list[Result]
    sources: dict[int, str]
    machine: list[str]


def run(server: Server, contestants: list[Contestant], sources: list[Source], rounds: int) -> Outcome:
    """Every contestant once per round on the first source; Lakefront and the limit also on the larger ones."""
    outcome = Outcome([], {source.rows: source.shape() for source in sources}, describe(server.sql))
    for number in range(rounds):
        turns = [(sources[0], contestant) for contestant in contestants]
        turns += [(source, c) for source in sources[1:] for c in contestants if c.name in ("limit", "lakefront")]
        # Starting elsewhere each round keeps a slow drift of the machine from always hitting the same one.
        shift = number % len(turns)
        for source, contestant in turns[shift:] + turns[:shift]:
            outcome.results.append(_once(server, contestant, source, number))
            last = outcome.results[-1]
            print(
                f"round {number + 1} of {rounds}: {contestant.name}, {source.rows:,} rows, {last.seconds:.2f} s, "
                f"{last.peak_rss / 2**20:.0f} MiB",
                file=sys.stderr,
                flush=True,
            )
        _keep(outcome)
    return outcome


def _once(server: Server, contestant: Contestant, source: Source, number: int) -> Result:
    server.empty_database()
    server.settle()
    work = CACHE / "work" / contestant.name
    shutil.rmtree(work, ignore_errors=True)
    measured = contestant.load(server, source, work)
    _check(server, contestant, source)
    return Result(number, contestant.name, source.rows, measured.seconds, measured.cpu_seconds, measured.peak_rss)


def _check(server: Server, contestant: Contestant, source: Source) -> None:
    """The table must hold every row and a valid primary key; who leaves something out has not won."""
    found = server.sql(
        f"SELECT count(*), sum(id), sum(price), sum(length(description)) FROM {TABLE}",
        f"SELECT count(*) FROM pg_index WHERE indrelid = '{TABLE}'::regclass AND indisprimary AND indisvalid",
    ).split()
    reference = CACHE / "data" / f"{source.order}-{source.rows}" / "sums"
    if not reference.exists() and contestant is LIMIT:
        reference.write_text(found[0])
    if found[1] != "1":
        raise WrongResult(f"{contestant.name} left {TABLE} without a primary key")
    if reference.exists() and reference.read_text() != found[0]:
        raise WrongResult(
            f"{contestant.name}: count and sums of {TABLE} are {found[0]}, the source's {reference.read_text()}"
        )


def _keep(outcome: Outcome) -> None:
    path = Path(CACHE / "load.json")
    path.write_text(json.dumps(asdict(outcome), indent=1))
