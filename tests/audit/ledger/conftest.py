"""A log of many kinds of events, signed: what tests tamper with."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import Context, RebuildServer, Servers
from serverdomain.testing import ManualClock
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, adopted

SERVERS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(4))


def fill(path: Path) -> None:
    """Four servers with some history, in commands of one to four events, and another's events."""
    clock = ManualClock()
    with Servers.open(f"sqlite:///{path}", clock=clock) as servers:
        for number, server_id in enumerate(SERVERS):
            servers.register(adopted(server_id, name=f"server {number}"))
        for round_number in range(3):
            for number, server_id in enumerate(SERVERS):
                clock.advance(60)
                servers.rebuild(
                    server_id,
                    RebuildServer(
                        image_id=(IMAGE, NEW_IMAGE)[(round_number + number) % 2],
                        name=f"name {round_number}",
                        metadata={"round": str(round_number), "é": "ü" * number},
                    ),
                    Context(correlation_id=f"batch-{round_number}", caused_by="req-cause"),
                )
                servers.complete_rebuild(server_id)
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute(
                    "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
                    " VALUES ('theirs', ?, 'theirs:Happened', x'00ff')",
                    (round_number,),
                )


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the log ``cloud.db``, its checkpoint ``signed`` and the key ``key``."""
    folder = tmp_path_factory.mktemp("ledger")
    fill(folder / "cloud.db")
    with Servers.open(f"sqlite:///{folder / 'cloud.db'}", create=False) as servers:
        servers.ledger.checkpoint(folder / "key", folder / "signed")
    return folder


@pytest.fixture
def folder(filled: Path, tmp_path: Path) -> Path:
    """A copy of all that, to do what one likes with."""
    return shutil.copytree(filled, tmp_path / "ledger")
