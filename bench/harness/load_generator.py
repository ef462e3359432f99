"""Sends requests over a fixed number of open connections and measures the answers.

`wrk` where it is installed; otherwise a small generator in Python, which is slower itself and therefore good for
comparing, not for a server's best throughput.
"""

import asyncio
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


@dataclass(frozen=True)
class Answers:
    """Requests per second, latencies in milliseconds, and answers that were not 2xx."""

    throughput: float
    p50: float
    p99: float
    failed: int
    generator: str


def measure(url: str, connections: int, seconds: int) -> Answers:
    """Keeps `connections` requests under way for `seconds`."""
    program = shutil.which("wrk")
    if program:
        line = [program, "-t2", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s", url]
        return _read_wrk(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    return asyncio.run(_measure(url, connections, seconds))


def _read_wrk(text: str) -> Answers:
    def percentile(name: str) -> float:
        line = re.search(rf"^\s+{name}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
        if not line:
            raise ValueError(f"wrk printed no {name}th percentile:\n{text}")
        return float(line.group(1)) * _UNITS[line.group(2)]

    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    socket = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    wrong = int(failed.group(1)) if failed else 0
    wrong += sum(map(int, socket.groups())) if socket else 0
    throughput = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return Answers(throughput, percentile("50"), percentile("99"), wrong, "wrk")


async def _measure(url: str, connections: int, seconds: int) -> Answers:
    target = urlsplit(url)
    path = target.path + (f"?{target.query}" if target.query else "")
    request = f"GET {path} HTTP/1.1\r\nHost: {target.netloc}\r\n\r\n".encode()
    latencies: list[float] = []
    failed = 0
    end = time.monotonic() + seconds

    async def client() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        while time.monotonic() < end:
            start = time.monotonic()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length.group(1)))
            latencies.append((time.monotonic() - start) * 1000)
            failed += not head.startswith(b"HTTP/1.1 2")
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    latencies.sort()
    at = lambda share: latencies[min(len(latencies) - 1, int(len(latencies) * share))]  # noqa: E731
    return Answers(len(latencies) / seconds, at(0.5), at(0.99), failed, "Python")
