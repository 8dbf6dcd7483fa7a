"""``make bench``: everything measured in one run, each rival beside the others."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from benchmarks import printed
from benchmarks.environment import MIMIC, UMADB
from benchmarks.machine import machine
from benchmarks.measure import measure
from benchmarks.results import Results, results_of
from benchmarks.rows import rows
from benchmarks.scale import FULL, QUICK, TINY, Scale
from benchmarks.where import explained, where


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    scale = _scale(asked)
    wanted = [row for row in rows(scale) if not asked.only or row.name in asked.only]
    # Off a terminal nothing is wrapped.
    console = Console(width=None if sys.stdout.isatty() else 220)
    if not asked.tiny:
        for environment in (UMADB, MIMIC):
            environment.make()
    met = machine()
    console.print(", ".join(f"{what} {value}" for what, value in met.items()))
    measured = [measure(row) for row in track(wanted, "Measuring", console=console, transient=True)]
    found = Results(
        machine=met | {"load afterwards": machine()["load"]},
        rows=[result for one in measured for result in results_of(one)],
        left_out=[why for one in measured for why in one.left_out],
        where=[] if asked.only else [where(one, scale.rounds) for one in explained(scale)],
    )
    console.print(printed.all_of(found.rows))
    for why in found.left_out:
        console.print(f"- {why}")
    if found.where:
        console.print("Where the time goes in serverdomain:")
    for part in found.where:
        console.print(f"- {part}")
    console.print(printed.goals(found.rows))
    if asked.json is not None:
        found.write(asked.json)


def _scale(asked: argparse.Namespace) -> Scale:
    scale = TINY if asked.tiny else QUICK if asked.quick else FULL
    if asked.events is not None:
        scale = scale._replace(replayed=asked.events)
    if asked.fleet is not None:
        scale = scale._replace(fleet=asked.fleet)
    return scale


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute: roughly how it stands")
    parser.add_argument("--tiny", action="store_true", help="very few of each: does it run at all")
    parser.add_argument("--events", type=int, metavar="N", help="events of a view from zero")
    parser.add_argument("--fleet", type=int, metavar="N", help="servers of the fleet in the past")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=[row.name for row in rows(TINY)],
        help="this row alone (%(choices)s); may be repeated",
    )
    return parser


if __name__ == "__main__":
    main()
