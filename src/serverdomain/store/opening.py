"""Which engine a path or a URL means: the one place that knows them all."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from pathlib import Path

from serverdomain.store import refusals
from serverdomain.store.log import Examination, Log
from serverdomain.store.sqlite import SQLiteLog
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.examination import examine
from serverdomain.store.sqlite.read_only_log import ReadOnlyLog

Store = str | os.PathLike[str]
"""Where a log is: a path, or ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``memory:``.

A path object is always a file. A string that begins with a scheme must be a URL that is known; any
other is a path.
"""


def open_log(store: Store, *, create: bool = True) -> Log:
    """Open a log to read and to write it.

    Makes it where there is none, unless ``create`` is false. Raises `InvalidInput` for what is no
    store, `StoreReadOnly` where it cannot be written, and `StoreError`.
    """
    return SQLiteLog(places.of(store), create=create, keeps_refusals=refusals.setting())


def open_to_read(store: Store, *, beside: bool = False) -> Log:
    """Open a log that is there to read it alone: no byte of it changes, whoever may write it.

    What is made from it lies in a cache of the user's; ``beside`` says that it lies beside the log
    where that can be written. Raises `InvalidInput`, `StoreMissing` and `StoreError`.
    """
    return ReadOnlyLog(places.of(store), beside=beside)


def caches_of(store: Store) -> Path | None:
    """The path beside which lies what is made from a log; ``None`` for memory."""
    return places.of(store).path


def examining(store: Store) -> AbstractContextManager[Examination]:
    """A log for a check, opened to be read alone; it need not be sound.

    Raises `StoreMissing`, `StoreForeign` or `StoreNewer` where there is nothing of ours to check.
    """
    return examine(places.of(store))
