"""A log of many kinds of events, signed: what tests tamper with."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import Context, RebuildServer, Servers
from serverdomain.store.opening import open_log
from serverdomain.testing import ManualClock
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, adopted
from tests.adapters.exchange.logs import rows as rows_of
from tests.audit.ledger.tampering import editing
from tests.store.owner import owner_of, spoil

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
def sqlite_folder(filled: Path, tmp_path: Path) -> Path:
    """A copy of all that, to do what one likes with."""
    return shutil.copytree(filled, tmp_path / "ledger")


@pytest.fixture
def folder(sqlite_folder: Path, kept_url: str) -> Path:
    """The same for each engine: where the log is not ``cloud.db``, ``url`` leads to its like.

    So what was signed on one engine has to hold on the other.
    """
    if not kept_url.startswith("sqlite:"):
        copied = open_log(sqlite_folder / "cloud.db")
        with closing(copied) as copy, closing(open_log(kept_url)) as log:
            with log.bulk() as writing:
                writing.append_rows(rows_of(copy))
            with copy.reading() as reading, owner_of(log) as owner:
                owner.execute(f"UPDATE log SET log_id = '{reading.log_id()}'")
        (sqlite_folder / "url").write_text(kept_url, "utf-8")
    return sqlite_folder


def url_of(folder: Path) -> str:
    """Where the log of a folder lies."""
    elsewhere = folder / "url"
    if elsewhere.exists():
        return elsewhere.read_text("utf-8")
    return f"sqlite:///{folder / 'cloud.db'}"


def opened(folder: Path) -> Servers:
    """The log of a folder."""
    return Servers.open(url_of(folder), create=False)


def edit(folder: Path, *statements: str) -> None:
    """Edit the log of a folder past its guards."""
    url = url_of(folder)
    if url.startswith("sqlite:"):
        with editing(folder / "cloud.db") as connection:
            for statement in statements:
                connection.execute(statement)
    else:
        with closing(open_log(url)) as log:
            spoil(log, *statements)
