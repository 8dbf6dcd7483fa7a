"""A process that renames one server, and says how many seconds that took: a call of the command.

What a process pays once, whatever it is asked, is left out: Python and the modules, which a command
on a store in memory loads. Counted are opening the store, the command, and closing it.
"""

from __future__ import annotations

import sys
import time

from benchmarks.filling import life
from serverdomain import Servers


def main(store: str, server_id: str, name: str) -> float:
    # The store's server is the first one here as well.
    with Servers.open("memory:") as loaded:
        for command in life(0, 0):
            loaded.command(None, command)
        loaded.rename(server_id, name)
    began = time.perf_counter()
    with Servers.open(f"sqlite:///{store}", create=False) as servers:
        servers.rename(server_id, name)
    return time.perf_counter() - began


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
