"""A process that follows a log from zero, or asks for all of its servers, and says what it held.

That is the most that was ever resident, in mebibytes, as the system counts it.
"""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

from benchmarks.rival import server_id
from serverdomain import Servers


def main(doing: str, store: str, servers: str) -> float:
    with Servers.open(f"sqlite:///{store}", create=False) as opened:
        if doing == "following":
            opened.view.replay()
        else:
            for number in range(int(servers)):
                opened.get(str(server_id(number)))
    return most() / 2**20


def most() -> int:
    """Bytes that were resident at most."""
    if sys.platform == "linux":
        # Not `getrusage`: there a process begins with what the one that started it held.
        (kibibytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        return int(kibibytes) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
