"""How far three nodes' views are behind a log in PostgreSQL that many callers write to.

    python -m benchmarks.lag --seconds 60 --picture docs/lag.svg

Each node is a process with a view of its own. What is told of each is how long a position that its
view has come to was committed before, second by second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.curves import STYLE
from benchmarks.environment import ROOT
from benchmarks.measure import percentile_99
from benchmarks.postgres import InPostgreSQL
from serverdomain import Servers

NODES, CALLERS, SERVERS = 3, 16, 160

Lags = list[tuple[float, float]]
"""Seconds since the beginning, and seconds of lag then."""


def node(url: str, view: str) -> None:
    """Follow a log until nobody listens any more, and say how far the view is, and when."""
    with Servers.open(url, view=view, read_only=True) as servers:
        position = 0
        print("ready", flush=True)
        while True:
            servers._log.wait_past(position, 1)
            servers.view.catch_up()
            position = servers.view.status().position
            print(position, time.monotonic(), flush=True)


def measured(folder: Path, seconds: float) -> tuple[float, list[Lags]]:
    """Commands a second, and the lags of each node."""
    ours = InPostgreSQL(folder)
    ours.fill(SERVERS, 1)
    nodes = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.lag", "--node", ours.url, folder / f"node{n}.db"],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for n in range(NODES)
    ]
    said: list[list[str]] = [[] for _ in nodes]
    try:
        for one in nodes:
            assert one.stdout is not None
            one.stdout.readline()
        readers = [
            Thread(target=into.extend, args=(one.stdout,), daemon=True)
            for one, into in zip(nodes, said, strict=True)
        ]
        for reader in readers:
            reader.start()
        began = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as callers:
            wrote = callers.map(lambda n: _write(ours, n, began + seconds), range(CALLERS))
            commits = sorted(one for some in wrote for one in some)
    finally:
        for one in nodes:
            one.kill()
            one.wait()
    for reader in readers:
        reader.join()
    for one in nodes:
        assert one.stdout is not None
        one.stdout.close()
    ours.close()
    return len(commits) / seconds, [_lags(lines, commits, began) for lines in said]


def _write(ours: InPostgreSQL, caller: int, until: float) -> list[tuple[int, float]]:
    commits = []
    number = 0
    while time.monotonic() < until:
        number += 1
        server: Any = ours.get(caller + CALLERS * (number % (SERVERS // CALLERS)))
        position = ours._servers.rename(server.id, f"name {number}").position
        commits.append((position or 0, time.monotonic()))
    return commits


def _lags(lines: Sequence[str], commits: Sequence[tuple[int, float]], began: float) -> Lags:
    lags = []
    for line in lines:
        position, at = line.split()
        # The commit behind which the view is: it has come there, or further.
        found = bisect_left(commits, (int(position) + 1,))
        if found:
            lags.append((float(at) - began, max(0.0, float(at) - commits[found - 1][1])))
    return lags


def draw(rate: float, nodes: Sequence[Lags], file: Path) -> None:
    """A curve for each node: seconds to the right, its lag in milliseconds upwards."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 3), layout="constrained")
        panel = figure.subplots()
        for number, lags in enumerate(nodes, 1):
            panel.plot(
                [at for at, _ in lags], [lag * 1e3 for _, lag in lags], label=f"node {number}"
            )
        panel.set_title(f"lag of {len(nodes)} views in ms, at {rate:,.0f} commands/s", fontsize=8)
        panel.set_xlabel("seconds", fontsize=8)
        panel.set_ylim(bottom=0)
        panel.legend()
        panel.grid(visible=True, linewidth=0.5)
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date")))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lag", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long it is written")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the curves there")
    parser.add_argument("--node", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.node:
        node(*asked.node)
        return
    with TemporaryDirectory(prefix="serverdomain-") as folder:
        rate, nodes = measured(Path(folder), asked.seconds)
    print(f"{rate:,.0f} commands/s by {CALLERS} callers")
    for number, lags in enumerate(nodes, 1):
        values = [lag * 1e3 for _, lag in lags]
        p99 = percentile_99(values)
        print(f"node {number}: lag {median(values):.1f} ms, 99 % below {p99:.1f} ms")
    if asked.picture is not None:
        draw(rate, nodes, asked.picture)


if __name__ == "__main__":
    main()
