"""Whether a write-ahead log holds a commit, and what SQLite says of the same one."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain.store.sqlite import wal_file
from serverdomain.store.sqlite.wal_file import holds_a_commit

PAGE = 512
FRAME = 24 + PAGE


@pytest.fixture(params=["big", "little"])
def wal(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A log of two commits, the first of several pages, as a writer left it."""
    with closing(sqlite3.connect(tmp_path / "a.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE t (x)")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.execute("INSERT INTO t VALUES (zeroblob(2000))")
        connection.execute("INSERT INTO t VALUES (1)")
        (tmp_path / "left").mkdir()
        for name in ("a.db", "a.db-wal"):
            shutil.copy(tmp_path / name, tmp_path / "left")
    left = tmp_path / "left" / "a.db-wal"
    if request.param == "big":
        left.write_bytes(in_the_other_order(left.read_bytes()))
    return left


def in_the_other_order(content: bytes) -> bytes:
    """The same log with its sums over words of the other byte order."""
    other = bytearray(content)
    other[3] ^= 1
    sums = wal_file._summed(bytes(other[:24]), (0, 0), swapped=True)
    other[24:32] = b"".join(one.to_bytes(4, "big") for one in sums)
    for at in range(32, len(other), FRAME):
        frame = bytes(other[at : at + 8]) + bytes(other[at + 24 : at + FRAME])
        sums = wal_file._summed(frame, sums, swapped=True)
        other[at + 16 : at + 24] = b"".join(one.to_bytes(4, "big") for one in sums)
    return bytes(other)


def rows(wal: Path) -> int:
    """How many rows SQLite finds in a copy of the database."""
    copy = wal.parent / "copy"
    copy.mkdir()
    for name in ("a.db", "a.db-wal"):
        shutil.copy(wal.parent / name, copy)
    with closing(sqlite3.connect(copy / "a.db")) as connection:
        (found,) = connection.execute("SELECT COUNT(*) FROM t").fetchone()
    return int(found)


def test_a_log_that_was_left_holds_one(wal: Path) -> None:
    assert holds_a_commit(wal) is True
    assert rows(wal) == 2


def test_it_takes_the_whole_first_commit(wal: Path) -> None:
    content = wal.read_bytes()
    first = next(
        at for at in range(32, len(content), FRAME) if content[at + 4 : at + 8] != bytes(4)
    )
    assert first > 32, "of several pages"
    wal.write_bytes(content[: first + FRAME - 1])
    assert holds_a_commit(wal) is False
    assert rows(wal) == 0


@pytest.mark.parametrize("at", [0, 9, 17, 25, 32 + 1, 32 + 9, 32 + 20, 32 + 100])
def test_one_bit_of_its_beginning_ends_it(wal: Path, at: int) -> None:
    content = bytearray(wal.read_bytes())
    content[at] ^= 1
    wal.write_bytes(content)
    assert holds_a_commit(wal) is False
    assert rows(wal) == 0


@pytest.mark.parametrize("content", [b"", b"short", bytes(1000)])
def test_what_is_no_log_holds_none(wal: Path, content: bytes) -> None:
    wal.write_bytes(content)
    assert holds_a_commit(wal) is False


def test_a_look_at_the_beginning_may_not_tell(wal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal_file, "MOST", 2)
    assert holds_a_commit(wal) is None
    assert holds_a_commit(wal.with_name("nowhere")) is None
