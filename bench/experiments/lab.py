"""What the experiments share: variants run in turn against a reference on one server, with wall time, the
server's CPU time and WAL bytes per phase, and medians of the ratios taken pair by pair.

The machine may be busy with other work, so a time alone says little. Each round runs every variant once, in
an order that changes from round to round, and each variant's ratio is taken to the reference of the same round.
"""

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness import dataset  # noqa: E402
from harness.server import Server  # noqa: E402

COLUMNS = ", ".join(f"{name} {kind}" for name, kind in dataset.POSTGRES_COLUMNS.items())
_TICK = os.sysconf("SC_CLK_TCK")

# A phase is a name and the psql command lines that run at the same time in it.
Phase = tuple[str, list[list[str]]]


@dataclass
class Run:
    """One run of one variant: seconds of wall and server CPU per phase, and WAL bytes over all."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    wal: int = 0

    @property
    def seconds(self) -> float:
        return sum(self.wall.values())


def server_cpu(server: Server) -> float:
    """CPU seconds of all processes of the server, ended ones included (the postmaster reaps them)."""
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    ticks = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(entry.name) == postmaster:
            ticks += sum(map(int, fields[11:15]))
        elif int(fields[1]) == postmaster:
            ticks += sum(map(int, fields[11:13]))
    return ticks / _TICK


def run(server: Server, phases: list[Phase]) -> Run:
    """Runs the phases one after the other, the command lines of each at the same time."""
    result = Run()
    start_wal = server.sql("SELECT pg_current_wal_insert_lsn()")
    for name, lines in phases:
        cpu, clock = server_cpu(server), time.monotonic()
        children = [subprocess.Popen(line) for line in lines]
        failed = [child.args for child in children if child.wait()]
        if failed:
            raise RuntimeError(f"{name}: {failed}")
        result.wall[name] = time.monotonic() - clock
        result.cpu[name] = server_cpu(server) - cpu
    result.wal = int(server.sql(f"SELECT pg_current_wal_insert_lsn() - '{start_wal}'").split(".")[0])
    return result


def compare(
    server: Server,
    variants: dict[str, Callable[[], list[Phase]]],
    reference: str,
    rounds: int,
    clean: Callable[[], None],
) -> dict[str, list[Run]]:
    """Runs every variant once per round and prints the medians, with the ratio to `reference` round by round."""
    runs: dict[str, list[Run]] = {name: [] for name in variants}
    for number in range(rounds):
        order = list(variants)
        random.Random(number).shuffle(order)
        for name in order:
            clean()
            server.settle()
            runs[name].append(run(server, variants[name]()))
        print(
            f"round {number + 1} of {rounds}, load {os.getloadavg()[0]:.1f}: "
            + ", ".join(f"{name} {runs[name][-1].seconds:.1f}" for name in variants),
            file=sys.stderr,
            flush=True,
        )
    report(runs, reference)
    return runs


def report(runs: dict[str, list[Run]], reference: str) -> None:
    """A Markdown table, one line per variant."""
    print("| variant | ratio (median) | ratios | seconds | server CPU s | WAL MB | phases: wall / CPU s |")
    print("|---|---|---|---|---|---|---|")
    for name, results in runs.items():
        ratios = [one.seconds / base.seconds for one, base in zip(results, runs[reference])]
        phases = "; ".join(
            f"{phase} {statistics.median(r.wall[phase] for r in results):.1f} / "
            f"{statistics.median(r.cpu[phase] for r in results):.1f}"
            for phase in results[0].wall
        )
        print(
            f"| {name} | {statistics.median(ratios):.2f} | {' '.join(f'{r:.2f}' for r in ratios)} "
            f"| {statistics.median(r.seconds for r in results):.1f} "
            f"| {statistics.median(sum(r.cpu.values()) for r in results):.1f} "
            f"| {statistics.median(r.wal for r in results) / 1e6:.0f} | {phases} |",
            flush=True,
        )
