"""docs/bench/products.md: the storefront's products API and the same routes in FastAPI."""

import statistics
from pathlib import Path

from . import plots
from .pairs import summary
from .products_bench import ROUTES, Measurement, Outcome

_TITLES = {
    "storefront": "**Lakefront storefront**",
    "asyncpg": "FastAPI, asyncpg",
    "sqlalchemy": "FastAPI, SQLAlchemy on asyncpg",
}
_WANTED_TIMES = 10
_WANTED_P99 = 10


def write(outcome: Outcome, reports: Path) -> None:
    """Writes the report and its plot from the measurements alone."""
    reports.mkdir(parents=True, exist_ok=True)
    lines = ["# Products API", "", "## Throughput of the storefront, as a multiple of the peer's", ""]
    lines += ["| route | FastAPI with asyncpg | wanted | FastAPI with SQLAlchemy |", "|---|---|---|---|"]
    for route in ROUTES:
        ours = _by_round(outcome, "storefront", route)
        times = {}
        for peer in ("asyncpg", "sqlalchemy"):
            theirs = _by_round(outcome, peer, route)
            times[peer] = [
                ours[n].answers.throughput / theirs[n].answers.throughput for n in sorted(ours.keys() & theirs.keys())
            ]
        wanted = f"at least {_WANTED_TIMES}" if route.startswith("first page") else ""
        lines.append(f"| {route} | {summary(times['asyncpg'], 1)} | {wanted} | {summary(times['sqlalchemy'], 1)} |")
    lines += [
        "",
        f"## Each server, {outcome.connections} clients",
        "",
        "| route | server | requests/s | p50, ms | p99, ms | failed |",
        "|---|---|---|---|---|---|",
    ]
    for route in ROUTES:
        for server, title in _TITLES.items():
            answers = [m.answers for m in _by_round(outcome, server, route).values()]
            if answers:
                lines.append(
                    f"| {route} | {title} | {statistics.median(a.throughput for a in answers):,.0f} "
                    f"| {statistics.median(a.p50 for a in answers):.2f} | {summary([a.p99 for a in answers])} "
                    f"| {sum(a.failed for a in answers)} |"
                )
    generators = {m.answers.generator for m in outcome.measurements}
    lines += [
        "",
        f"Wanted: 99 % of the storefront's answers under {_WANTED_P99} ms.",
        "",
        "## How it was measured",
        "",
        "![requests a second](products.svg)",
        "",
    ]
    lines += [f"- `{route}`: `{path}`, {outcome.totals.get(route, 0):,} products." for route, path in ROUTES.items()]
    lines += [f"- {line}." for line in outcome.machine]
    lines += [
        f"- {outcome.connections} open connections for {outcome.seconds} s a measurement after a warm-up, by "
        f"{', '.join(sorted(generators))} on the same machine, which takes its share of the cores from every server alike. One server is measured at a time, in turn, round by round.",
        "- The peer runs one uvicorn worker per core with uvloop and httptools, a pool of 16 connections each, prepared statements, "
        "and asks for the page and for the count as two statements, like any application of its kind.",
        "- The storefront asks PostgreSQL at each request for the checkpoint of the table, and reads a page and its total again when "
        "it has moved; the peer, which knows of no checkpoint, reads and counts each time.",
        "- Made by `bench/run products`.",
        "",
    ]
    (reports / "products.md").write_text("\n".join(lines))
    route = next(iter(ROUTES))
    rows = [(server, [m.answers.throughput for m in _by_round(outcome, server, route).values()]) for server in _TITLES]
    title = f"{route}, {outcome.connections} clients"
    plots.dots(reports / "products.svg", title, "requests a second, each run and median", rows, "storefront")


def _by_round(outcome: Outcome, server: str, route: str) -> dict[int, Measurement]:
    return {m.round: m for m in outcome.measurements if m.server == server and m.route == route}
