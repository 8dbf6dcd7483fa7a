"""A screen of so many columns, and what a command leaves on it."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout

from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run


class Screen(io.TextIOWrapper):
    """A stdout that is a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), "utf-8")

    def isatty(self) -> bool:
        return True

    @property
    def bytes(self) -> bytes:
        """What came."""
        self.flush()
        written: io.BytesIO = self.buffer  # type: ignore[assignment]
        return written.getvalue()


def typed(words: Sequence[str], columns: int = 80) -> tuple[int, bytes]:
    """Run a command on a screen: its exit code, and what it leaves, its line on stderr last."""
    screen, complaint = Screen(), io.StringIO()
    os.environ["COLUMNS"] = str(columns)
    with redirect_stdout(screen), redirect_stderr(complaint):
        code = run(app, words)
    return code, screen.bytes + complaint.getvalue().encode()
