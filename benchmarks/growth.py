"""``make bench-growth``: what costs more once the log holds more; nothing should.

One store grows, in bulk, by servers of ten events each, and at each size the same is asked of it.
Told is the middle one of many, in milliseconds; memory is what a fresh process held at most.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory

from msgspec import Struct, json
from rich.console import Console
from rich.table import Table

from benchmarks.environment import ROOT
from benchmarks.filling import written
from benchmarks.machine import machine
from benchmarks.memory import held
from benchmarks.printed import number
from benchmarks.rival import EVENTS_OF_A_CYCLE, server_id
from serverdomain import Actor, Context, Refused, Servers

FILE = Path(__file__).with_name("growth.json")
PICTURE = ROOT / "docs/growth.svg"

SIZES = (10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000)

CURVES = {
    "append": "rename a server, ms",
    "get": "get a server after its rename, ms",
    "page": "read a page of 100 events, ms",
    "list": "list 50 servers, one event behind, ms",
    "refusal": "be refused, ms",
    "replay": "replay a view, ms for 1,000 events",
    "following": "memory while a view is replayed, MiB",
    "remembering": "memory after a get of every server, MiB",
}
"""What is asked at each size, and in what it is told."""

_TIMES = 200

_names = count()


class Growth(Struct, frozen=True):
    """A whole run: at each size, in events, a value for each of the curves."""

    machine: dict[str, str]
    points: dict[int, dict[str, float]]

    @classmethod
    def read(cls, file: Path = FILE) -> Growth:
        """The run that a file holds."""
        return json.decode(file.read_bytes(), type=cls)


def grown(store: Path, sizes: Sequence[int], told: Callable[[str], None]) -> Growth:
    """Let a store grow through these sizes, and ask at each."""
    met, points, chance, before = machine(), {}, Random(1), 0
    for events in sizes:
        servers = events // (1 + EVENTS_OF_A_CYCLE)
        told(f"growing to {events:,} events")
        with Servers.open(f"sqlite:///{store}") as opened:
            written(opened, range(before, servers), 1)
            before = servers
            told(f"asking at {events:,} events")
            points[events] = _asked(opened, servers, chance) | {"replay": _replayed(opened)}
        for doing in ("following", "remembering"):
            points[events][doing] = held(doing, store, servers)
    return Growth(met | {"load afterwards": machine()["load"]}, points)


def _asked(servers: Servers, many: int, chance: Random) -> dict[str, float]:
    ids = [str(server_id(chance.randrange(many))) for _ in range(_TIMES)]
    with servers._log.reading() as log:
        places = [chance.randrange(log.head()) for _ in range(_TIMES)]
    # The first list follows what came in bulk.
    servers.list(limit=1)
    took: dict[str, list[float]] = {curve: [] for curve in CURVES}

    for one, place in zip(ids, places, strict=True):
        name = f"another {next(_names)}"
        steps: dict[str, Callable[[], object]] = {
            "append": partial(servers.rename, one, name),
            "get": partial(servers.get, one),
            "list": partial(servers.list, limit=50),
            "page": partial(_page, servers, place),
            "refusal": partial(_refused, servers, one, name),
        }
        for curve, step in steps.items():
            began = time.perf_counter()
            step()
            took[curve].append((time.perf_counter() - began) * 1e3)
    return {curve: median(each) for curve, each in took.items() if each}


def _page(servers: Servers, position: int) -> None:
    with servers._log.reading() as log:
        log.events(position, 100)


def _refused(servers: Servers, one: str, user_id: str) -> None:
    # Of one actor only so many are recorded.
    try:
        servers.start(one, Context(Actor(user_id, "openstack")))
    except Refused:
        return
    raise AssertionError("it was running already")


def _replayed(servers: Servers) -> float:
    began = time.perf_counter()
    servers.view.replay()
    return (time.perf_counter() - began) * 1e6 / servers.view.status().head


def sizes_up_to(most: int) -> list[int]:
    """The sizes that are not above so many events, and that many."""
    return sorted({size for size in SIZES if size < most} | {most})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument(
        "--most", type=int, default=SIZES[-1], metavar="N", help="events at the end"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the curves there")
    asked = parser.parse_args(arguments)
    # Off a terminal nothing is wrapped.
    console = Console(width=None if sys.stdout.isatty() else 400)
    with TemporaryDirectory(prefix="serverdomain-") as folder, console.status("growing") as status:
        growth = grown(Path(folder) / "grown.db", sizes_up_to(asked.most), status.update)
    table = Table("events", *CURVES)
    for events, point in growth.points.items():
        table.add_row(f"{events:,}", *(number(point[curve]) for curve in CURVES))
    console.print(table)
    if asked.json is not None:
        asked.json.write_bytes(json.format(json.encode(growth), indent=1) + b"\n")
    if asked.picture is not None:
        from benchmarks.curves import draw

        draw(growth, asked.picture)


if __name__ == "__main__":
    main()
