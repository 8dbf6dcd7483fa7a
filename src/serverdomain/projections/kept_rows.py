"""What a view keeps of its log: which rows, made how, and how its file is known from another's.

All else is the same for every view: its file, its generations, how it follows the log and is made
anew (`ViewFile`, `generations`, `following`).
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from serverdomain.store.log import Log, Page, Reading


class KeptRows(ABC):
    """The rows of one kind of view; holds no state.

    ``name`` is the SQL view that shows them and begins their tables' names, ``what`` the word for
    the view in messages and in its file's name. ``schema``, ``PRAGMA user_version`` of its file,
    grows with the tables' shape, and when the fold changes.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    application_id: ClassVar[int]
    schema: int

    @abstractmethod
    def create(self, connection: sqlite3.Connection, table: str) -> None:
        """Make a table for them, empty."""

    @abstractmethod
    def drop(self, connection: sqlite3.Connection, table: str) -> None:
        """Take a table away again, with all that was made with it."""

    @abstractmethod
    def settle(self, connection: sqlite3.Connection, table: str) -> None:
        """Do what is better done once a table has come to the head than with each of its rows.

        Asked in the transaction of every page that comes there.
        """

    @abstractmethod
    def page(self, log: Reading, after: int, limit: int) -> Page[Any]:
        """What they are made of: a page of the log."""

    @abstractmethod
    def changes(self, log: Log, rows: sqlite3.Connection, table: str, page: Any) -> Any:
        """What a page of theirs does to the rows in ``table``, as ``rows`` shows them."""

    @abstractmethod
    def write(self, connection: sqlite3.Connection, table: str, changes: Any) -> None:
        """Do it, in the caller's transaction."""
