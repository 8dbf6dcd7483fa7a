"""``make bench``: everything measured in one run, each rival beside the others."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.endpoint import rows as endpoint
from benchmarks.endpoint.rows import EndpointRow, endpoint_rows
from benchmarks.machine import machine
from benchmarks.measure import Figures, Row, compare
from benchmarks.rows import rows
from benchmarks.where import Where, where

Entry = tuple[Row | EndpointRow, list[Figures]]
"""A row, and what each did, ourselves first."""

EXPLAINED = ("append-1", "rebuild-1", "get-10", "view")
"""The rows whose time is taken apart."""


def main(arguments: Sequence[str] | None = None) -> None:
    asked = _parser().parse_args(arguments)
    everything = rows(quick=asked.quick, fleet=asked.fleet)
    wanted = [row for row in everything if not asked.only or row.name in asked.only]
    over_http = [
        row for row in endpoint_rows(quick=asked.quick) if not asked.only or row.name in asked.only
    ]
    # Off a terminal nothing is wrapped.
    console = Console(width=None if sys.stdout.isatty() else 200)
    met = machine()
    console.print(", ".join(f"{what} {value}" for what, value in met.items()))
    measured, durable = list[Entry](), dict[str, str]()
    for row in track(wanted, "Measuring", console=console, transient=True):
        figures, durability = run(row)
        durable |= durability
        measured.append((row, figures))
    notes = []
    for one in track(over_http, "Measuring over HTTP", console=console, transient=True):
        found = endpoint.measure(one)
        measured.append((one, found.figures))
        notes += [f"{one.what}, left out: {why}" for why in found.left_out]
        notes += [f"{one.what}: {goal}" for goal in found.goals]
    console.print("Journal and synchronous, as asked of each:", _listed(durable))
    console.print(_table(measured))
    for note in notes:
        console.print(f"- {note}")
    console.print("Where the time goes in serverdomain:")
    explained = [where(row) for row in wanted if row.name in EXPLAINED]
    for part in explained:
        console.print(f"- {part}")
    if asked.json is not None:
        met["load afterwards"] = machine()["load"]
        asked.json.write_text(
            json.dumps(_document(met, durable, measured, explained, notes), indent=2)
        )


def run(row: Row) -> tuple[list[Figures], dict[str, str]]:
    """Measure a row on stores that are gone afterwards; how durable each was comes beside it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="serverdomain-")))
        rivals = [rival(folder) for rival in row.rivals]
        for rival in rivals:
            stack.callback(rival.close)
        for rival in rivals:
            rival.fill(row.servers, row.cycles)
        return compare(row, rivals), {rival.name: rival.durability() for rival in rivals}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="very few of each: does it run at all")
    parser.add_argument("--fleet", type=int, metavar="N", help="servers of the fleet in the past")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=[row.name for row in rows(quick=True)]
        + [row.name for row in endpoint_rows(quick=True)],
        help="this row alone (%(choices)s); may be repeated",
    )
    return parser


def _table(measured: Sequence[Entry]) -> Table:
    table = Table("", "", *("rate", "p50", "p99", "serverdomain is faster"))
    for column in table.columns[2:]:
        column.justify = "right"
    for row, (ours, *others) in measured:
        for figures in (ours, *others):
            table.add_row(
                row.what if figures is ours else "",
                figures.rival,
                f"{figures.rate:,.0f} {row.unit}s/s",
                f"{figures.p50 * 1e3:,.3f} ms",
                f"{figures.p99 * 1e3:,.3f} ms",
                "" if figures is ours else f"{ours.ratio(figures):.2f} times",
                end_section=figures is (others or [ours])[-1],
            )
    return table


def _listed(durable: dict[str, str]) -> str:
    return ", ".join(f"{rival} {what}" for rival, what in durable.items())


def _document(
    met: dict[str, str],
    durable: dict[str, str],
    measured: Sequence[Entry],
    explained: Sequence[Where],
    notes: Sequence[str],
) -> dict[str, Any]:
    return {
        "machine": met,
        "durable": durable,
        "rows": [
            {
                "name": row.name,
                "what": row.what,
                "rival": figures.rival,
                f"{row.unit}s a second": figures.rate,
                "p50": figures.p50,
                "p99": figures.p99,
                "serverdomain is times as fast": ours[0].ratio(figures),
            }
            for row, ours in measured
            for figures in ours
        ],
        "notes": list(notes),
        "where": [one._asdict() for one in explained],
    }


if __name__ == "__main__":
    main()
