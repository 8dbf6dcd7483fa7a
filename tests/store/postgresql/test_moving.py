"""A log moves into PostgreSQL, out of it, and within it."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from serverdomain import InvalidInput, Servers, StoreError, StoreMissing, StoreReadOnly
from serverdomain.domain import events as e
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.opening import copy_log
from serverdomain.store.postgresql import as_stored
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.store.postgresql.making import init
from serverdomain.store.postgresql.moving import PostgreSQLFilling
from serverdomain.store.sqlite import as_stored as sqlite_as_stored
from serverdomain.testing.contract import OTHER, SERVER, adopted, under
from serverdomain.testing.writing_contract import recorded
from tests.store.moved import fill, held


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_stored, "_AT_ONCE", 2)
    monkeypatch.setattr(sqlite_as_stored, "_AT_ONCE", 2)
    monkeypatch.setattr(sqlite_as_stored, "_FEW", 2)


@pytest.mark.usefixtures("small_pages")
def test_it_moves_in_and_out_again_and_every_checkpoint_holds(
    url: str, log_url: str, tmp_path: Path
) -> None:
    source, back = tmp_path / "cloud.db", tmp_path / "back.db"
    fill(source)
    with Servers.open(source) as servers:
        servers.ledger.checkpoint(tmp_path / "key", tmp_path / "signed")
    before = held(source)

    made = copy_log(source, url)
    assert (made.place, made.log_id, made.events) == (str(Address(url)), before[0], 6)
    assert held(url) == before
    with Servers.open(url) as servers:
        assert servers.check() == []
        assert servers.ledger.verify(tmp_path / "signed", [tmp_path / "key"]).problems == ()
        assert servers.register(adopted(), under("req-1")).replayed
        assert servers.rename(OTHER, "goes on").position == 7

    within = url.replace("schema=", "schema=again_")
    copy_log(url, within)
    copy_log(within, back)
    with Servers.open(back, create=False) as servers:
        assert servers.check() == []
        assert servers.ledger.verify(tmp_path / "signed", [tmp_path / "key"]).problems == ()
        assert servers.rename(OTHER, "goes on and on").position == 8
        assert servers.reactions() == [Bookmark("billing", 3)]


def test_at_the_old_place_it_is_only_read(url: str, server_url: str, tmp_path: Path) -> None:
    init(Address(url))
    fill(url)
    to, address = tmp_path / "cloud.db", Address(url)
    with Servers.open(url) as open_before:
        open_before.get(SERVER)
        copy_log(url, to)
        with pytest.raises(StoreReadOnly, match=f"went to {to}: here it is only read"):
            open_before.rename(SERVER, "too late")
        with pytest.raises(StoreReadOnly, match="went to"), open_before.bulk() as bulk:
            bulk.stop(SERVER)
        assert not open_before._log.keep_bookmark(Bookmark("billing", 4), Bookmark("billing", 3))
        assert open_before.get(SERVER).name == "é 中"
        assert open_before.check() == []
    with psycopg.connect(server_url, autocommit=True) as outsider:
        for change in ("position = position + 1", "moved_to = NULL"):
            with pytest.raises(psycopg.errors.RaiseException, match="the log went to"):
                outsider.execute(f"UPDATE {address.schema}.head SET {change}")


def test_a_command_that_was_decided_before_it_went_is_not_written(url: str, tmp_path: Path) -> None:
    init(Address(url))
    fill(url)

    def late() -> None:
        with closing(PostgreSQLLog(Address(url))) as log, log.writing() as writing:
            writing.append(recorded("req-late", at=70), 4, (e.ServerStopped(),))
            copy_log(url, tmp_path / "cloud.db")

    with pytest.raises(StoreReadOnly, match="went to"):
        late()
    assert held(url) == held(tmp_path / "cloud.db")


def _cut_at(monkeypatch: pytest.MonkeyPatch, page: int) -> list[int]:
    put, begun = PostgreSQLFilling.put, []

    def failing(self: PostgreSQLFilling, rows: Any) -> None:
        begun.append(rows[0][0])
        if len(begun) == page:
            raise StoreError("the server is away")
        put(self, rows)

    monkeypatch.setattr(PostgreSQLFilling, "put", failing)
    return begun


@pytest.mark.usefixtures("small_pages")
def test_a_copy_that_was_cut_short_is_opened_by_nobody_and_gone_on_with(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "cloud.db"
    fill(source)
    begun = _cut_at(monkeypatch, 3)
    with pytest.raises(StoreError, match="the server is away"):
        copy_log(source, url)
    with pytest.raises(StoreMissing, match=rf"half a copy of {source}: the same .* copy goes on"):
        Servers.open(url)
    with Servers.open(source) as servers:
        servers.rename(SERVER, "in between")
    before = held(source)

    copy_log(source, url)

    assert begun == [1, 3, 5, 5, 7]
    assert held(url) == before


def test_a_schema_that_holds_a_log_stays(log_url: str, tmp_path: Path) -> None:
    fill(tmp_path / "cloud.db")
    with pytest.raises(InvalidInput, match=r"^TO: .* holds a log, another schema is allowed"):
        copy_log(tmp_path / "cloud.db", log_url)


def test_what_postgresql_does_not_keep_stays_where_it_is(url: str, tmp_path: Path) -> None:
    source = tmp_path / "cloud.db"
    with Servers.open(source) as servers:
        servers.register(adopted(user_id="a\0b"), under("req-1"))
        servers.stop(SERVER)
    copy_log(source, url)  # In JSON a NUL is written out.
    assert held(url) == held(source)


def test_the_view_of_a_file_is_gone_on_with_at_a_node_of_a_log_that_moved(
    url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = tmp_path / "cloud.db"
    fill(source)
    with Servers.open(source) as servers:
        shown = servers.list()
        assert servers.view.path is not None
    copied = tmp_path / "node.view.db"
    shutil.copy(tmp_path / "cloud.view.db", copied)
    copy_log(source, url)
    with Servers.open(url, view=copied) as servers:
        assert servers.view.status().lag == 0
        assert [one.name for one in servers.view.servers()] == [one.name for one in shown]
        servers.rename(OTHER, "new")
        servers.list()
    assert "replayed" not in caplog.text
