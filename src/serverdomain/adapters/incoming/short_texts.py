"""What is worked out once for a short text that comes again and again; a long one is not kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

MOST = 4096
"""The most texts whose values are kept, of each kind."""

LONGEST = 64
"""The longest text whose value is kept, in characters: a time and an address have fewer."""

Value = TypeVar("Value")


def once_if_short(worked_out: Callable[..., Value]) -> Callable[..., Value]:
    """A function of a text that keeps what it gave for the short ones that came last."""
    kept = lru_cache(MOST)(worked_out)

    def asked(text: str, *rest: str | int) -> Value:
        return kept(text, *rest) if len(text) <= LONGEST else worked_out(text, *rest)

    return asked
