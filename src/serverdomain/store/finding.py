"""What a check found: one thing that does not hold."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, to_builtins

Kind = Literal[
    "file", "schema", "version", "time", "event", "command", "view", "timeline", "reaction"
]


class Finding(Struct, frozen=True):
    """One thing that does not hold, in one line, and the position where, if it has one.

    ``kind`` says what is concerned: the ``file``, the ``schema`` with its guards, a ``version``, a
    ``time``, an ``event``, a ``command``, the ``view``, the ``timeline`` or a ``reaction``.
    """

    kind: Kind
    what: str
    position: int | None = None

    def __str__(self) -> str:
        where = "" if self.position is None else f"position {self.position}: "
        return f"{where}{self.what}"

    def as_json(self) -> dict[str, Any]:
        """The finding as plain values, as ``check --json`` shows it."""
        plain: dict[str, Any] = to_builtins(self)
        return plain
