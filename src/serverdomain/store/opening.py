"""Which engine a store's URL means: the one place that knows them all."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from serverdomain.store import refusals
from serverdomain.store.log import Examination, Log
from serverdomain.store.sqlite import SQLiteLog
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.examination import examine


def open_log(url: str, *, create: bool = True) -> Log:
    """Open the log at a URL: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``memory:``.

    Makes it where there is none, unless ``create`` is false. Raises `InvalidInput` for another URL,
    and `StoreError`.
    """
    return SQLiteLog(places.from_url(url), create=create, keeps_refusals=refusals.setting())


def caches_of(url: str) -> Path | None:
    """The path beside which lies what is made from the log at a URL; ``None`` for memory."""
    return places.from_url(url).path


def examining(url: str) -> AbstractContextManager[Examination]:
    """The log at a URL for a check, opened to be read alone; it need not be sound.

    Raises `StoreMissing`, `StoreForeign` or `StoreNewer` where there is nothing of ours to check.
    """
    return examine(places.from_url(url))
