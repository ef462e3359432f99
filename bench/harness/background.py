"""A program that runs while it is measured: started, made ready, looked at through /proc, and stopped at the end."""

import os
import signal
import subprocess
from pathlib import Path

from .places import CACHE

_TICKS = os.sysconf("SC_CLK_TCK")


class NotReady(RuntimeError):
    """A program did not come up, or does not do what it was started for."""


class Background:
    """One such program, in a process group of its own; what it prints goes to the file `log` of its folder `work`."""

    def __init__(self, name: str):
        self.work = CACHE / "work" / name
        self.work.mkdir(parents=True, exist_ok=True)
        self.environment = dict(os.environ)

    def command(self) -> list[str]:
        raise NotImplementedError

    def wait(self) -> None:
        """Returns when the program is ready; at once where nothing else is said."""

    def __enter__(self):
        self.log = (self.work / "log").open("wb")
        self.process = subprocess.Popen(
            self.command(), cwd=self.work, env=self.environment, stdout=self.log, stderr=self.log, start_new_session=True
        )
        try:
            self.wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()

    def last_words(self) -> str:
        """The end of what it printed."""
        return "\n".join((self.work / "log").read_text(errors="replace").splitlines()[-15:])

    def cpu_seconds(self) -> float:
        """CPU time that the process itself has used until now."""
        fields = self._proc("stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def peak_rss(self) -> int:
        """Peak resident set of the process until now, in bytes."""
        line = next(line for line in self._proc("status").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text()
