"""Every row, each declared in one place with its goal, its limit and its rivals."""

from __future__ import annotations

from importlib import import_module

from benchmarks.measure import Row
from benchmarks.scale import Scale

PARTS = (
    "commands",
    "bulk",
    "imported",
    "long",
    "views",
    "memory",
    "ledger",
    "fleets",
    "postgres",
    "over_http",
    "pages",
)
"""The modules of this folder, in the order of the table."""


def rows(scale: Scale) -> list[Row]:
    """All of them."""
    return [row for part in PARTS for row in of(part, scale)]


def of(part: str, scale: Scale) -> list[Row]:
    """Those of one module."""
    found: list[Row] = import_module(f"benchmarks.rows.{part}").rows(scale)
    return found
