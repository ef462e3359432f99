"""The products benchmark: the storefront and the FastAPI peer in turn, on the same tables of one server."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from .background import Background, NotReady
from .load_generator import Answers, measure
from .machine import describe
from .places import BINARY, PEERS, server_folder

# Each route as both servers know it.
ROUTES = {
    "first page": "/api/v1/products?page=1&page_size=24",
    "first page by name": "/api/v1/products?page=1&page_size=24&sort_by=product_display_name&sort_order=ASC",
    "filtered, by price": "/api/v1/products?gender=Women&master_category=Footwear&sort_by=price&sort_order=ASC",
    "one product": "/api/v1/products/{id}",
}
_READY_SECONDS = 300
_PEERS = ("asyncpg", "sqlalchemy")


@dataclass(frozen=True)
class Measurement:
    """One route of one server in one round."""

    round: int
    server: str
    route: str
    answers: Answers


@dataclass(frozen=True)
class Outcome:
    measurements: list[Measurement]
    machine: list[str]
    connections: int
    seconds: int
    totals: dict[str, int]


def run(bin_folder: Path, rounds: int, seconds: int, connections: int) -> Outcome:
    """Storefront and peers in every round, starting with another one each time. The peers read the storefront's own tables,
    on the PostgreSQL that `lakefront demo` runs, so the storefront stays up, idle, while a peer is measured."""
    with Storefront() as storefront:
        psql = [str(bin_folder / "psql"), "-X", "-A", "-t", "-d", storefront.database()]
        machine = describe(lambda sql: subprocess.check_output([*psql, "-c", sql], text=True).strip())
        outcome = Outcome([], machine, connections, seconds, {})
        for number in range(rounds):
            names = ["storefront", *_PEERS]
            for name in names[number % 3 :] + names[: number % 3]:
                if name == "storefront":
                    _measure(storefront, name, number, seconds, connections, outcome)
                else:
                    with Peer(name, storefront.database()) as peer:
                        _measure(peer, name, number, seconds, connections, outcome)
    return outcome


def _measure(running: "Running", name: str, number: int, seconds: int, connections: int, outcome: Outcome) -> None:
    routes = {route: running.base + path.replace("{id}", running.some_id()) for route, path in ROUTES.items()}
    for route, url in routes.items():
        _same_total(name, route, url, outcome.totals)
        measure(url, connections, 2)  # fills pools, caches and prepared statements
        answers = measure(url, connections, seconds)
        outcome.measurements.append(Measurement(number, name, route, answers))
        print(
            f"round {number + 1}: {name}, {route}: {answers.throughput:.0f}/s, p50 {answers.p50:.2f} ms, "
            f"p99 {answers.p99:.2f} ms, {answers.failed} failed",
            file=sys.stderr,
            flush=True,
        )


def _same_total(name: str, route: str, url: str, totals: dict[str, int]) -> None:
    """Both servers must find as many products, or they do different work."""
    with urllib.request.urlopen(url, timeout=30) as response:
        total = json.load(response).get("total", 1)
    if totals.setdefault(route, total) != total:
        raise NotReady(f"{name} finds {total} products for '{route}', the other {totals[route]}")


class Running(Background):
    """A server under measurement."""

    def __init__(self, name: str):
        super().__init__(name)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"

    def some_id(self) -> str:
        with urllib.request.urlopen(
            f"{self.base}/api/v1/products?page_size=1&sort_by=product_id", timeout=30
        ) as response:
            return json.load(response)["products"][0]["product_id"]

    def wait(self) -> None:
        end = time.monotonic() + _READY_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if self.some_id():
                    return
            except (urllib.error.URLError, OSError, KeyError, IndexError):
                pass
            time.sleep(0.2)
        raise NotReady(f"{self.command()[0]} does not answer {self.base}/api/v1/products\n{self.last_words()}")


class Storefront(Running):
    """`lakefront demo` with the shop activity off, its data kept in the cache."""

    def __init__(self):
        super().__init__("storefront")

    def command(self):
        return [
            str(BINARY),
            "demo",
            "--port",
            str(self.port),
            "--data",
            str(server_folder() / "demo"),
            "--activity",
            "off",
        ]

    def database(self) -> str:
        """The address of the demo's database for applications, which it prints."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            if printed := re.search(r"psql '([^']+)'", (self.work / "log").read_text(errors="replace")):
                return printed.group(1)
            time.sleep(0.1)
        raise NotReady("`lakefront demo` printed no address of its database")


class Peer(Running):
    """The FastAPI application, one worker per core; uvicorn takes uvloop and httptools where they are installed."""

    def __init__(self, driver: str, database: str):
        super().__init__(driver)
        self.environment |= {"DATABASE_URL": database, "PRODUCTS_DRIVER": driver}

    def command(self):
        line = [sys.executable, "-m", "uvicorn", "products_app:app", "--app-dir", str(PEERS), "--port", str(self.port)]
        return [*line, "--workers", str(os.cpu_count() or 1), "--no-access-log", "--log-level", "warning"]
