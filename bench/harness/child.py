"""Runs a program and measures it: wall time, CPU time and peak memory of its own process."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Measured:
    """One finished run. Seconds of wall clock and CPU, peak resident set in bytes, what it printed on stdout."""

    seconds: float
    cpu_seconds: float
    peak_rss: int
    stdout: str


class Failed(RuntimeError):
    """The program ended with an error; the message holds the end of its stderr."""


def run(command: list[str], cwd: Path) -> Measured:
    """Runs `command` to its end in the folder `cwd`."""
    cwd.mkdir(parents=True, exist_ok=True)
    out, err, usage = cwd / "stdout", cwd / "stderr", cwd / "usage.json"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        # -S and -E keep the launcher small: its memory is the least that it can measure.
        launch = [sys.executable, "-S", "-E", str(_LAUNCHER), str(usage), *command]
        subprocess.run(launch, cwd=cwd, stdout=stdout, stderr=stderr, check=True)
    measured = json.loads(usage.read_text())
    if measured["status"]:
        tail = "\n".join(err.read_text(errors="replace").splitlines()[-15:])
        raise Failed(f"{' '.join(command[:2])} … ended with {measured['status']}\n{tail}")
    return Measured(measured["seconds"], measured["cpu_seconds"], measured["peak_rss"], out.read_text(errors="replace"))
