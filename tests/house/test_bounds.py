"""docs/bounds.md states every bound as the code has it, and names a test that is there."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.house.imports import ROOT

SOURCE = ROOT / "src/serverdomain"
PAGE = ROOT / "docs/bounds.md"

_BOUND = re.compile(
    r"^(_?(?:MOST|LONGEST|LARGEST)\w*|\w*_BYTES|\w*SECONDS|PATIENCE|PAUSE|LINGER|PIECE)\b.*=", re.M
)
"""What a bound is called."""

NONE = {
    "store/log.py LARGEST": "the largest number that a position or a time can be",
    "adapters/http/control/fault_rule.py _BYTES": "as `domain/limits.py`",
    "adapters/http/control/routes.py MOST_SECONDS": "how far a clock may be moved at once",
    "projections/timeline.py MOST": "the largest limit that may be asked for",
    "adapters/cli/history_lines.py _LONGEST_METADATA": "where a terminal's line is cut",
    "adapters/cli/plots.py _MOST_TICKS": "how many numbers stand beside an axis",
    "adapters/http/control/epoch.py SECONDS": "in the page of the control, with its test",
    "simulation/hypervisor.py REBUILD_SECONDS": "how long a simulated rebuild takes",
}
"""What is called like a bound and is none, and why."""


class Bound(NamedTuple):
    """A row of a table: what it bounds, its value, where it stands in the code, the test."""

    what: str
    most: str
    file: str
    name: str
    test: str

    @property
    def value(self) -> object:
        module = self.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return getattr(import_module(f"serverdomain.{module}"), self.name)


def bounds() -> list[Bound]:
    found = []
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == 5 and (place := re.fullmatch(r"`(\S+)` `(\w+)`", cells[2])):
            found.append(Bound(cells[0], cells[1], place[1], place[2], cells[4].strip("`")))
    return found


def spellings(value: object) -> list[str]:
    """The ways in which a value may begin a cell."""
    if isinstance(value, dict):
        return [", ".join(str(one) for one in value.values())]
    assert isinstance(value, int | float)
    ways = [f"{value:,g}" if isinstance(value, float) else f"{value:,}", f"{value:g} s"]
    if value % 1024**2 == 0:
        return [f"{value // 1024**2} MiB"]
    return [f"{value // 1024} KiB", f"{value:,}"] if value % 1024 == 0 else ways


@pytest.mark.parametrize("bound", bounds(), ids=lambda bound: f"{bound.file} {bound.name}")
def test_a_bound_is_stated_as_it_is(bound: Bound) -> None:
    assert any(re.match(rf"{re.escape(way)}\b", bound.most) for way in spellings(bound.value)), (
        f"{bound.most!r} is none of {spellings(bound.value)}"
    )


def test_every_bound_in_the_code_is_stated() -> None:
    stated = {f"{bound.file} {bound.name}" for bound in bounds()}
    named = {
        f"{path.relative_to(SOURCE)} {name}"
        for path in SOURCE.rglob("*.py")
        if "testing" not in path.parts and "fleet" not in path.parts
        for name in _BOUND.findall(path.read_text("utf-8"))
    }
    assert named - NONE.keys() - stated == set()
    assert NONE.keys() - named == set()


def test_the_test_of_each_bound_is_there() -> None:
    tests = "\n".join(path.read_text("utf-8") for path in _tests())
    missing = [bound.test for bound in bounds() if f"def {bound.test}(" not in tests]
    assert missing == []


def _tests() -> list[Path]:
    contract = SOURCE / "testing"
    return [*(ROOT / "tests").rglob("test_*.py"), *contract.glob("*_contract.py")]
