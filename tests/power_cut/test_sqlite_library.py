"""Where SQLite's symbols are out of reach, that is said in a sentence that a skipped test shows."""

from __future__ import annotations

import ctypes

import pytest

from . import needs_sqlite_symbols, sqlite_library
from .sqlite_library import OutOfReach


def test_a_library_without_its_symbols_is_said_to_be_out_of_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_library(name: str | None) -> ctypes.CDLL:
        raise OSError(f"{name}: cannot be opened")

    monkeypatch.setattr(ctypes, "CDLL", no_library)

    with pytest.raises(
        OutOfReach, match="symbols of the SQLite library that this Python runs on cannot be reached"
    ):
        sqlite_library.reach.__wrapped__()


@needs_sqlite_symbols
def test_another_sqlite_in_the_process_is_not_taken_for_pythons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sqlite_library.reach.__wrapped__()
    monkeypatch.setattr(sqlite_library, "_source_id", lambda: "2001-01-01 another one")

    with pytest.raises(OutOfReach):
        sqlite_library.reach.__wrapped__()
