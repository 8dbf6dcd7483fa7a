"""A process that follows a log from zero, or asks for all of its servers, and says what it held.

That is the most that was ever resident, in mebibytes, as the system counts it.
"""

from __future__ import annotations

import resource
import sys

from benchmarks.rival import server_id
from serverdomain import Servers

_OF_A_UNIT = 1 if sys.platform == "darwin" else 1024


def main(doing: str, store: str, servers: str) -> float:
    with Servers.open(f"sqlite:///{store}", create=False) as opened:
        if doing == "following":
            opened.view.replay()
        else:
            for number in range(int(servers)):
                opened.get(str(server_id(number)))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * _OF_A_UNIT / 2**20


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
