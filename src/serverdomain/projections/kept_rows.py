"""What kinds of views differ in: their rows, how these are made, and how a file is recognized.

Everything else is the same for every view: its file, its generations, how it follows the log and is
replayed (`ViewFile`, `generations`, `following`).
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from serverdomain.store.log import Log, Page, Reading


class KeptRows(ABC):
    """The rows of one kind of view; holds no state.

    ``name`` is the SQL view that shows them, and the prefix of their tables; ``what`` is the word
    for the view in messages and in the name of its file. ``schema`` is the ``PRAGMA user_version``
    of the file: it goes up when the tables or the fold change. ``page_size`` is that of a new file
    in bytes, if it is not SQLite's own.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    application_id: ClassVar[int]
    schema: int
    page_size: ClassVar[int | None] = None

    @abstractmethod
    def create(self, connection: sqlite3.Connection, table: str) -> None:
        """Make an empty table for them."""

    @abstractmethod
    def drop(self, connection: sqlite3.Connection, table: str) -> None:
        """Drop a table, and everything that `create` made with it."""

    @abstractmethod
    def settle(self, connection: sqlite3.Connection, table: str) -> None:
        """Do what is better done once, at the head, than with each row.

        Called in the transaction of every page that reaches the head.
        """

    @abstractmethod
    def page(self, log: Reading, after: int, limit: int) -> Page[Any]:
        """A page of the log, from which they are made."""

    @abstractmethod
    def changes(
        self, log: Log, rows: sqlite3.Connection, table: str, page: Any, before: Any
    ) -> Any:
        """What a page changes in the rows of ``table``, as ``rows`` shows them.

        ``before`` is what the pages before it change and is not written yet, or ``None``. It comes
        back as a part of these changes, and may itself be changed.
        """

    @abstractmethod
    def weight(self, changes: Any) -> int:
        """About how many bytes these changes hold."""

    @abstractmethod
    def write(self, connection: sqlite3.Connection, table: str, changes: Any) -> None:
        """Write these changes, in the caller's transaction."""
