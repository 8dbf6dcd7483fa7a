"""The log is read as it is stored, whatever somebody put there."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import OperationalError

import pytest

from serverdomain import Servers
from serverdomain.domain.events import ServerRenamed
from serverdomain.store.sqlite.reading import SQLiteReading
from serverdomain.testing.store_contract import SERVER, adopted


def test_what_ends_a_pass_is_told_and_not_taken_for_text_that_cannot_be_read(
    tmp_path: Path,
) -> None:
    interruptions = [1]
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        servers.register(adopted())
        servers.record(SERVER, [ServerRenamed(f"name {number}") for number in range(100)])
        with servers._log.connections.snapshot() as connection:
            # Some rows have been given by then.
            connection.set_progress_handler(
                lambda: interruptions.pop() if interruptions else 0, 1000
            )
            with pytest.raises(OperationalError, match="interrupted"):
                list(SQLiteReading(connection).rows())
