"""Starts one program, waits for it and writes what it used into a file: launcher.py USAGE_FILE PROGRAM ARGUMENT...

A program of its own, because the peak memory that the kernel reports for a child begins with what its parent had when it
forked: a small parent leaves the number to the child.
"""

import json
import os
import sys
import time


def main(usage_file: str, *command: str) -> None:
    start = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.monotonic() - start
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    with open(usage_file, "w") as file:
        json.dump(
            {
                "status": os.waitstatus_to_exitcode(status),
                "seconds": seconds,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "peak_rss": usage.ru_maxrss * unit,
            },
            file,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
