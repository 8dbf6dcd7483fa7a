"""Our own rows in this tree and in another checkout, by turns: has anything become slower?

    python -m benchmarks.against ../other-checkout --only pairs-16

Both run this tree's benchmarks, each with the `serverdomain` of its own environment (``.venv``), in
a process of its own for each row. Told are the ratios of paired rounds: 1.05 is 5 % faster here.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import json
from rich.console import Console
from rich.table import Table

from benchmarks.environment import ROOT
from benchmarks.measure import Figures, LeftOut, Round, Row, by_turns
from benchmarks.rows import PARTS, of
from benchmarks.scale import FULL, QUICK, TINY, Scale

SCALES = {"full": FULL, "quick": QUICK, "tiny": TINY}


class There:
    """A row of ours in the environment of a checkout."""

    def __init__(self, checkout: Path, part: str, row: str, scale: str) -> None:
        self.name = str(checkout)
        command: list[str | Path] = [
            *(checkout / ".venv/bin/python", "-m", "benchmarks.against"),
            *("--do", part, row, "--scale", scale, checkout),
        ]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._asks, self._answers = self._process.stdin, self._process.stdout
        if not self._answers.readline():
            *_, why = self._process.stderr.read().splitlines()
            self.close()
            raise LeftOut(f"{row} does not run with {checkout}: {why}")

    def ask(self, number: int) -> Round:
        """One round, there."""
        print(number, file=self._asks, flush=True)
        return json.decode(self._answers.readline(), type=Round)

    def close(self) -> None:
        """End it, and wait until it has."""
        self._asks.close()
        self._process.wait()
        self._answers.close()
        if self._process.stderr is not None:
            self._process.stderr.close()


def do(part: str, name: str, scale: Scale) -> None:
    """A round of our own for each number that is told, until none is."""
    (row,) = (one for one in of(part, scale) if one.name == name)
    with TemporaryDirectory(prefix="serverdomain-") as folder:
        ours = row.asked[0](Path(folder))
        print("ready", flush=True)
        for number in sys.stdin:
            print(json.encode(ours.ask(int(number))).decode(), flush=True)
        ours.close()


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.against",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkout", type=Path, help="another checkout, with its .venv")
    parser.add_argument("--only", action="append", metavar="NAME", help="this row; repeatable")
    parser.add_argument("--scale", choices=SCALES, default="full")
    parser.add_argument("--do", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    scale = SCALES[asked.scale]
    if asked.do:
        part, name = asked.do
        do(part, name, scale)
        return
    # Off a terminal nothing is wrapped.
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table("", "unit", "here", "there", "quartiles of here/there", "here/there")
    left_out = []
    rows = [(part, row) for part in PARTS for row in of(part, scale)]
    for part, row in rows:
        if not asked.only or row.name in asked.only:
            console.print(f"{row.name} …")
            try:
                here, there = _both(asked.checkout.absolute(), part, row, asked.scale)
                table.add_row(*_told(row, here, there))
            except LeftOut as error:
                left_out.append(str(error))
    console.print(table)
    for why in left_out:
        console.print(f"- {why}")


def _both(checkout: Path, part: str, row: Row, scale: str) -> list[Figures]:
    with ExitStack() as stack:
        both = []
        for one in (ROOT, checkout):
            there = There(one, part, row.name, scale)
            stack.callback(there.close)
            both.append(there)
        return by_turns(both, row.rounds, warm=row.warm)


def _told(row: Row, here: Figures, there: Figures) -> list[str]:
    pairs = zip(here.values, there.values, strict=True)
    ratios = Figures("", [b / a if row.less else a / b for a, b in pairs], None, None)
    low, high = ratios.spread
    return [
        *(row.name, row.unit, f"{here.value:,.1f}", f"{there.value:,.1f}"),
        *(f"{low:.2f} to {high:.2f}", f"{ratios.value:.2f}"),
    ]


if __name__ == "__main__":
    main()
