"""How far long work has come, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], object]
"""Is told how much is done, and how much there is in all."""


def silent(done: int, of: int) -> None:
    """Say nothing of the progress."""
