"""What a form is that a log is exported in, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from serverdomain.store.log import Row


class End(NamedTuple):
    """Where an export ends: of which log, and behind which position it goes on."""

    log_id: str
    position: int


class Form(Protocol):
    """A form of lines."""

    def lines(self, log_id: str, rows: Iterable[Row], before: int) -> Iterator[bytes]:
        """The lines of a log's rows behind a position, in order, one or some at a time.

        Each ends with a line break.
        """

    def end(self, line: bytes) -> End:
        """Where an export ends, by its last line. Raises `ValueError` for what is none."""
