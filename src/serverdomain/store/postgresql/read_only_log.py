"""The log in PostgreSQL for whoever may only read it: every question, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from serverdomain.errors import StoreReadOnly
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Tip
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.bulk import Bulk
from serverdomain.store.postgresql.deciding import Deciding
from serverdomain.store.postgresql.log import PostgreSQLLog


class ReadOnlyPostgreSQLLog(PostgreSQLLog):
    """A log that is read as it is; who reads it needs no other right."""

    read_only = True

    def __init__(self, address: Address) -> None:
        super().__init__(address, keeps_refusals=False)

    @contextmanager
    def writing(self, seconds: float | None = None) -> Iterator[Deciding]:
        """Raise `StoreReadOnly`."""
        self._refuse()
        yield

    @contextmanager
    def bulk(self) -> Iterator[Bulk]:
        """Raise `StoreReadOnly`."""
        self._refuse()
        yield

    def keep_bookmark(
        self, place: Bookmark, instead_of: Bookmark | None, tip: Tip | None = None
    ) -> bool:
        """Raise `StoreReadOnly`."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StoreReadOnly(f"{self} was opened to be read alone: open it without read_only")
