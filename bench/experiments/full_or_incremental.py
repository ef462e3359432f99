#!/usr/bin/env python3
"""From which share of changed rows on is a full refresh cheaper than an incremental one? Needs the release build of Lakefront.

    full_or_incremental.py --pg BIN_FOLDER [--rows 1000000 3000000] [--shares 10 25 50 75 100 150 200 300] [--rounds 3]

A table and its copy, twice; of both the same rows change, by MERGE, spread over the whole table, with change data feed and
without. One copy is refreshed by what changed, the other with --full. A share above 100 is made by several
commits. Results: docs/design/incremental-refresh.md.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import lab
import numpy as np
from deltalake import DeltaTable

from harness import changes_data, child, source
from harness.contestants import KEY
from harness.dataset import SEED
from harness.places import BINARY, CACHE, server_folder
from harness.server import Server

WORK = CACHE / "work" / "full-or-incremental"
WAYS = ("incremental", "full")


@dataclass(frozen=True)
class Cost:
    """What one refresh took: its own seconds, and CPU seconds of Lakefront and the server."""

    seconds: float
    cpu: float


def steps(shares: list[int], rounds: int) -> list[list[int]]:
    """The shares that the commits of each step change, in percent: none changes a row twice."""
    commits = {share: -(-share // 100) for share in shares}
    return [[share // commits[share]] * commits[share] for _ in range(rounds) for share in shares]


def history(rows: int, feed: bool, commits: list[int]) -> changes_data.History:
    """A table and commits that each update a share of its rows."""
    name = f"shares-{rows}-{'feed' if feed else 'files'}-{'-'.join(map(str, commits))}"
    made = changes_data.History(CACHE / "data" / name / "delta", 1)
    if made.delta.exists():
        return made
    unfinished = made.delta.with_name("delta.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    changes_data.copy(source.delta_table(rows, "shuffled"), unfinished)
    DeltaTable(str(unfinished)).alter.set_table_properties({"delta.enableChangeDataFeed": str(feed).lower()})
    for number, share in enumerate(commits, 1):
        print(f"{rows:,} rows, commit {number} of {len(commits)} updates {share} %", file=sys.stderr, flush=True)
        ids = np.random.default_rng([SEED, number]).permutation(rows)[: rows * share // 100] + 1
        changes_data.merge(unfinished, changes_data.marked(ids, number))
    unfinished.rename(made.delta)
    return made


def measure(server: Server, rows: int, feed: bool, shares: list[int], rounds: int) -> dict[int, dict[str, list[Cost]]]:
    """The costs of each way, by share and round."""
    all_steps = steps(shares, rounds)
    made = history(rows, feed, [share for step in all_steps for share in step])
    replay = changes_data.Replay(made, WORK / "delta")
    server.empty_database()
    config = WORK / "lakefront.toml"
    declared = "".join(
        f'[[synced_tables]]\nname = "bench.{way}"\nsource = "{replay.folder}"\nprimary_key = ["{KEY}"]\n'
        'full_refresh_threshold = "never"\n'
        for way in WAYS
    )
    config.write_text(declared)

    def refresh(way: str, *more: str) -> tuple[dict, Cost]:
        line = [str(BINARY), "refresh", f"bench.{way}", "--config", str(config), "--database", server.url, "--json", *more]
        before = lab.server_cpu(server)
        done = child.run(line, WORK / "run")
        report = json.loads(done.stdout)
        return report, Cost(report["seconds"], done.cpu_seconds + lab.server_cpu(server) - before)

    for way in WAYS:
        refresh(way)
    costs = {share: {way: [] for way in WAYS} for share in shares}
    version = made.base
    for number, step in enumerate(all_steps):
        version += len(step)
        replay.show(version)
        for way in WAYS if number % 2 else WAYS[::-1]:
            server.sql(f"VACUUM bench.{way}", f"SELECT count(quantity) FROM bench.{way}")
            server.settle()
            report, cost = refresh(way, *(["--full"] if way == "full" else []))
            if report["refresh"] != way:
                raise RuntimeError(f"the refresh was {report['refresh']}: {report['reason']}")
            costs[sum(step)][way].append(cost)
        found = [server.sql(f"SELECT sum(hashtextextended(t::text, 0)) FROM bench.{way} AS t") for way in WAYS]
        if found[0] != found[1]:
            raise RuntimeError(f"after version {version} the copies are not the same")
        took = {way: costs[sum(step)][way][-1] for way in WAYS}
        print(
            f"{rows:,} rows, feed {'on' if feed else 'off'}, {sum(step)} %, load {os.getloadavg()[0]:.1f}: "
            + ", ".join(f"{way} {cost.seconds:.2f} s ({cost.cpu:.2f} CPU s)" for way, cost in took.items()),
            file=sys.stderr,
            flush=True,
        )
    return costs


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pg", type=Path, required=True, help="the bin folder of a PostgreSQL 18")
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000])
    parser.add_argument("--shares", type=int, nargs="+", default=[10, 25, 50, 75, 100, 150, 200, 300], help="percent of the rows")
    parser.add_argument("--feed", choices=("on", "off"), nargs="+", default=["on", "off"])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print("| rows | feed | changed | incremental, s | full, s | ratio (each) | ratio of CPU s (each) |")
    print("|---|---|---|---|---|---|---|")
    with Server(options.pg, server_folder() / "cluster") as server:
        for rows in options.rows:
            for feed in options.feed:
                for share, costs in measure(server, rows, feed == "on", options.shares, options.rounds).items():
                    medians = [f"{statistics.median(cost.seconds for cost in costs[way]):.1f}" for way in WAYS]
                    pairs = list(zip(*(costs[way] for way in WAYS)))
                    ratios = [
                        [one.seconds / full.seconds for one, full in pairs],
                        [one.cpu / full.cpu for one, full in pairs],
                    ]
                    cells = [f"{statistics.median(of):.2f} ({' '.join(f'{ratio:.2f}' for ratio in of)})" for of in ratios]
                    print("|", " | ".join([f"{rows:,}", feed, f"{share} %", *medians, *cells]), "|", flush=True)


if __name__ == "__main__":
    main()
