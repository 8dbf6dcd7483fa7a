"""The VFS sees what SQLite does to the files, whoever opened them, and is gone afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import pytest

from . import needs_sqlite_symbols, record
from .disk import files_with_luck
from .log import Created, Deleted, Entry, FolderSynced, Written
from .rows import Rows, fill
from .vfs import RecordingVfs

pytestmark = needs_sqlite_symbols

Acknowledge = Callable[[object], None]


@pytest.mark.parametrize("second_connection", [True, False])
def test_the_log_replayed_is_the_folder_byte_for_byte(
    tmp_path: Path, second_connection: bool
) -> None:
    with RecordingVfs(str(tmp_path)) as vfs:
        Rows(second_connection=second_connection)(tmp_path / "cloud.db", vfs.acknowledge)

    assert files_with_luck(vfs.log) == {"cloud.db": (tmp_path / "cloud.db").read_bytes()}


def test_the_log_replayed_is_the_folder_while_the_wal_is_still_there(tmp_path: Path) -> None:
    vfs = RecordingVfs(str(tmp_path))
    with vfs, closing(sqlite3.connect(tmp_path / "cloud.db")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        fill(connection)
        # Reading drops the connection's locks, which here nobody else wants.
        there = {name: (tmp_path / name).read_bytes() for name in ("cloud.db", "cloud.db-wal")}
        assert files_with_luck(vfs.log) == there
        assert len(there["cloud.db-wal"]) > 60_000


@pytest.mark.parametrize(("synchronous", "syncs_folder"), [("EXTRA", True), ("FULL", False)])
def test_a_delete_syncs_its_folder_where_sqlite_asks_for_it(
    synchronous: str, syncs_folder: bool
) -> None:
    def workload(path: Path, acknowledge: Acknowledge) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA synchronous={synchronous}")
            fill(connection)

    log = record(workload).log

    deletes = [index for index, entry in enumerate(log) if isinstance(entry, Deleted)]
    assert deletes
    assert all((log[at + 1 : at + 2] == (FolderSynced(),)) == syncs_folder for at in deletes)


def test_a_file_uri_reaches_the_vfs_with_its_parameters() -> None:
    def in_mode(parameters: str) -> Callable[[Path, Acknowledge], None]:
        def workload(path: Path, acknowledge: Acknowledge) -> None:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=rwc", uri=True)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
            with closing(
                sqlite3.connect(f"{path.as_uri()}?mode=rw&{parameters}", uri=True)
            ) as connection:
                fill(connection)

        return workload

    def written(parameters: str) -> int:
        return sum(
            len(entry.data)
            for entry in record(in_mode(parameters)).log
            if isinstance(entry, Written)
        )

    # The one parameter that the unix VFS itself reads: without powersafe overwrite a commit is
    # filled up to a sector.
    assert written("psow=0") > written("psow=1") > 60_000


def test_a_missing_file_is_still_refused_in_mode_rw() -> None:
    def workload(path: Path, acknowledge: Acknowledge) -> None:
        with pytest.raises(sqlite3.OperationalError, match="unable to open"):
            sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)
        with closing(sqlite3.connect(path)) as connection:
            fill(connection)

    assert record(workload).log[0] == Created(1, "cloud.db")


def test_connections_of_several_threads_are_in_the_log() -> None:
    def workload(path: Path, acknowledge: Acknowledge) -> None:
        def work(first: int) -> None:
            with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
                for number in range(first, first + 10):
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("INSERT INTO filled VALUES (?)", (number,))
                    connection.execute("COMMIT")
                    acknowledge(number)

        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            fill(connection)
        threads = [Thread(target=work, args=(100 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(record(workload).acknowledged()) == 40


@pytest.mark.parametrize("error", [None, RuntimeError("the workload failed")])
def test_the_previous_default_is_back_however_the_workload_ends(
    tmp_path: Path, error: Exception | None
) -> None:
    vfs = RecordingVfs(str(tmp_path))
    with suppress(RuntimeError), vfs, closing(sqlite3.connect(tmp_path / "cloud.db")) as connection:
        fill(connection)
        if error is not None:
            raise error
    recorded = len(vfs.log)

    with closing(sqlite3.connect(tmp_path / "cloud.db")) as connection:
        fill(connection)
    assert len(vfs.log) == recorded > 0


def test_sqlites_randomness_is_the_same_in_each_recording_and_random_again_after_it(
    tmp_path: Path,
) -> None:
    def drawn() -> bytes:
        with closing(sqlite3.connect(":memory:")) as connection:
            return bytes(connection.execute("SELECT randomblob(8)").fetchone()[0])

    inside, after = set(), set()
    for _ in range(3):
        with RecordingVfs(str(tmp_path)):
            inside.add(drawn())
        after.add(drawn())

    assert (len(inside), len(after)) == (1, 3)


def test_an_error_of_the_vfs_itself_is_raised_and_not_taken_for_the_disk(tmp_path: Path) -> None:
    class FullLog(list[Entry]):
        def append(self, entry: Entry) -> None:
            raise MemoryError("no room for the log")

    def workload() -> None:
        with RecordingVfs(str(tmp_path)) as vfs:
            vfs.log = FullLog()
            with closing(sqlite3.connect(tmp_path / "cloud.db")) as connection:
                fill(connection)

    # And not the sqlite3.OperationalError that the workload met.
    with pytest.raises(MemoryError, match="no room for the log"):
        workload()
