"""The log as one file more: of one moment, sound, signed, and there whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from serverdomain import InvalidInput, Servers, StoreDamaged, StoreError
from serverdomain.store.sqlite import backup
from serverdomain.testing.store_contract import SERVER, adopted
from tests.store.test_durable import no_room


@pytest.fixture
def servers(kept_url: str) -> Iterator[Servers]:
    """A log; one on SQLite has its events in its -wal."""
    with opened(kept_url) as servers:
        yield servers


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[Servers]:
    """The same on SQLite alone."""
    with opened(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        yield servers


@contextmanager
def opened(url: str) -> Iterator[Servers]:
    with Servers.open(url) as servers:
        servers.register(adopted())
        for number in range(20):
            servers.rename(SERVER, f"name {number}")
        yield servers


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("backup"))


def test_it_is_one_file_that_needs_no_wal(servers: Servers, tmp_path: Path) -> None:
    out = tmp_path / "backup.db"
    made = servers.backup(out)
    assert (made.path, made.events, made.signed) == (out, 21, None)
    assert names(tmp_path) == ["backup.db"]
    assert out.read_bytes()[18:20] == b"\x01\x01", "rollback mode"
    with closing(sqlite3.connect(f"{out.as_uri()}?mode=ro&immutable=1", uri=True)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert copy.execute("SELECT COUNT(*) FROM stored_events").fetchone() == (21,)
    out.rename(tmp_path / "elsewhere.db")
    with Servers.open(f"sqlite:///{tmp_path / 'elsewhere.db'}", create=False) as copied:
        assert copied.history(SERVER) == servers.history(SERVER)
        assert copied.check() == []
        copied.rename(SERVER, "goes on")


def test_what_is_written_between_two_pages_is_not_in_it(
    on_sqlite: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_STEP", 1)
    steps: list[tuple[int, int]] = []

    def write(done: int, of: int) -> None:
        steps.append((done, of))
        on_sqlite.rename(SERVER, f"meanwhile {done}")

    made = on_sqlite.backup(tmp_path / "backup.db", progress=write)
    pages = steps[0][1]
    assert steps == [(done, pages) for done in range(1, pages + 1)], "not begun anew"
    assert pages > 10
    assert made.events == 21
    with Servers.open(f"sqlite:///{tmp_path / 'backup.db'}") as copied:
        assert copied.get(SERVER).name == "name 19"
        assert copied.check() == []
    assert on_sqlite.get(SERVER).name == f"meanwhile {pages}"


def test_whoever_may_not_read_the_log_may_not_read_its_copy(
    on_sqlite: Servers, tmp_path: Path
) -> None:
    (tmp_path / "cloud.db").chmod(0o600)
    on_sqlite.backup(tmp_path / "backup.db")
    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o600


def test_what_the_umask_takes_the_copy_has_not(on_sqlite: Servers, tmp_path: Path) -> None:
    (tmp_path / "cloud.db").chmod(0o666)
    before = os.umask(0o077)
    try:
        on_sqlite.backup(tmp_path / "backup.db")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o600


def test_whoever_may_only_read_the_log_makes_a_copy_that_is_theirs(
    on_sqlite: Servers, tmp_path: Path
) -> None:
    (tmp_path / "cloud.db").chmod(0o440)
    on_sqlite.backup(tmp_path / "backup.db")
    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o640


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_name_beside_which_something_was_left_is_refused(
    servers: Servers, tmp_path: Path, suffix: str
) -> None:
    left = tmp_path / f"backup.db{suffix}"
    left.touch()
    with pytest.raises(InvalidInput, match=f"^out: '.*backup.db{suffix}' is there"):
        servers.backup(tmp_path / "backup.db")
    assert names(tmp_path) == [left.name]


@pytest.mark.parametrize("wrong", [None, 3, "", b"backup.db", "a\0b"])
def test_what_is_no_path_is_refused(servers: Servers, wrong: object) -> None:
    with pytest.raises(InvalidInput, match=r"^out: .* path( of a new file)? is allowed$"):
        servers.backup(wrong)  # type: ignore[arg-type]


def test_the_store_itself_is_there_already(on_sqlite: Servers, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cloud\.db' is there already"):
        on_sqlite.backup(tmp_path / "cloud.db")


def test_on_a_full_disk_there_is_no_copy(servers: Servers, tmp_path: Path) -> None:
    with no_room(), pytest.raises(StoreError, match=r"backup\.db, a copy of .*, cannot"):
        servers.backup(tmp_path / "backup.db")
    assert names(tmp_path) == []
    assert not [*tmp_path.glob(".backup*")]
    servers.rename(SERVER, "goes on")


def test_with_a_key_the_copy_is_signed(servers: Servers, tmp_path: Path) -> None:
    key, out = tmp_path / "key", tmp_path / "backup.db"
    made = servers.backup(out, key, verify=True)
    assert made.signed is not None
    assert (made.signed.new_key, made.signed.checkpoint.size) == (True, 21)
    assert names(tmp_path) == ["backup.db", "backup.db.checkpoint", "backup.db.checkpoint.leaves"]
    servers.rename(SERVER, "later")
    with Servers.open(f"sqlite:///{out}") as copied:
        for log, uncovered in ((servers, 1), (copied, 0)):
            verdict = log.ledger.verify(tmp_path / "backup.db.checkpoint", [tmp_path / "key.pub"])
            assert (verdict.problems, verdict.uncovered) == ((), uncovered)


def test_who_waits_is_told_of_pages_and_then_of_events_checked_signed_and_verified(
    servers: Servers, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    servers.backup(
        tmp_path / "backup.db",
        tmp_path / "key",
        verify=True,
        progress=lambda done, of: told.append((done, of)),
    )
    assert told[1:] == [(21, 21)] * 3
    assert told[0][0] == told[0][1]


def test_without_a_key_that_signs_there_is_no_copy(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("no key", "utf-8")
    with pytest.raises(InvalidInput, match=r"^key: "):
        servers.backup(tmp_path / "backup.db", tmp_path / "key")
    assert names(tmp_path) == []


def test_a_log_that_does_not_hold_is_copied_as_it_is_but_not_verified(
    on_sqlite: Servers, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "cloud.db")) as edit, edit:
        edit.execute("DROP TRIGGER commands_no_delete")
        edit.execute("DROP TRIGGER commands_no_update")
    with pytest.raises(
        StoreDamaged,
        match=r"backup\.db was not written: the guard .* is missing, and 1 more; check says",
    ):
        on_sqlite.backup(tmp_path / "backup.db", tmp_path / "key", verify=True)
    assert names(tmp_path) == []
    assert on_sqlite.backup(tmp_path / "backup.db").events == 21


def test_one_thing_that_does_not_hold_is_told_alone(on_sqlite: Servers, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "cloud.db")) as edit, edit:
        edit.execute("DROP TRIGGER commands_no_delete")
    with pytest.raises(StoreDamaged, match=r": the guard commands_no_delete is missing; check"):
        on_sqlite.backup(tmp_path / "backup.db", verify=True)


def test_pages_that_cannot_be_read_are_copied_too(on_sqlite: Servers, tmp_path: Path) -> None:
    """Whoever has a damaged log wants to keep what there is of it."""
    on_sqlite.close()
    store = tmp_path / "cloud.db"
    whole = store.read_bytes()
    store.write_bytes(whole[:-4096] + bytes(range(256)) * 16)
    with Servers.open(f"sqlite:///{store}") as damaged:
        with pytest.raises(StoreDamaged):
            damaged.backup(tmp_path / "backup.db", verify=True)
        damaged.backup(tmp_path / "backup.db")
    assert (tmp_path / "backup.db").read_bytes()[-4096:] == bytes(range(256)) * 16


def test_no_key_is_made_where_the_copy_will_be(servers: Servers, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    for key in ("copy.db", "copy.db.checkpoint"):
        with pytest.raises(InvalidInput, match=r"^key: .* is written besides"):
            servers.backup(tmp_path / "copy.db", tmp_path / key)
    assert sorted(tmp_path.iterdir()) == before
