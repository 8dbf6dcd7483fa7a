"""A recording is whole, the same each time, and holds the fault that was asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from . import Fault, PastTheLog, needs_sqlite_symbols, record
from .disk import files_with_luck
from .log import Created, Failed, Synced, Truncated, Written
from .rows import Rows, fill

pytestmark = needs_sqlite_symbols

Acknowledge = Callable[[object], None]


@pytest.mark.parametrize(
    "pragma",
    [
        "journal_mode=DELETE",
        "journal_mode=TRUNCATE",
        "journal_mode=PERSIST",
        "mmap_size=10000000",
        "locking_mode=EXCLUSIVE",
        "auto_vacuum=FULL",
        "cache_size=2",
        "page_size=512",
    ],
)
@pytest.mark.parametrize("wal", [True, False])
def test_no_mode_of_sqlite_writes_past_the_log(pragma: str, wal: bool) -> None:
    def workload(path: Path, acknowledge: Acknowledge) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA {pragma}")
            if wal:
                connection.execute("PRAGMA journal_mode=WAL")
            fill(connection)
            connection.execute("DELETE FROM filled WHERE rowid > 5")
            connection.commit()
            connection.execute("VACUUM")
            fill(connection)

    recording = record(workload)  # which compares the two, and raises

    assert sum(isinstance(entry, Written) for entry in recording.log) > 20


def test_every_database_of_the_folder_is_in_the_log() -> None:
    def workload(path: Path, acknowledge: Acknowledge) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("ATTACH ? AS other", (str(path.with_name("cloud.view.db")),))
            connection.execute("CREATE TABLE main.here (value)")
            connection.execute("CREATE TABLE other.there (value)")
            connection.execute("INSERT INTO here VALUES (1)")
            connection.execute("INSERT INTO there VALUES (1)")
            connection.commit()

    recording = record(workload)

    assert files_with_luck(recording.log).keys() == {"cloud.db", "cloud.view.db"}


def test_a_write_that_the_vfs_does_not_see_is_noticed() -> None:
    def workload(path: Path, acknowledge: Acknowledge) -> None:
        with closing(sqlite3.connect(path)) as connection:
            fill(connection)
        with path.open("ab") as file:
            file.write(b"more")

    with pytest.raises(PastTheLog, match=r"differs from the folder in cloud\.db$"):
        record(workload)


def test_a_workload_that_writes_elsewhere_is_no_recording(tmp_path: Path) -> None:
    def workload(path: Path, acknowledge: Acknowledge) -> None:
        with closing(sqlite3.connect(tmp_path / "elsewhere.db")) as connection:
            fill(connection)

    with pytest.raises(PastTheLog, match="nothing was recorded"):
        record(workload)


def test_databases_in_memory_and_in_other_folders_are_left_alone(tmp_path: Path) -> None:
    def workload(path: Path, acknowledge: Acknowledge) -> None:
        for place in (":memory:", "", tmp_path / "elsewhere.db", path):
            with closing(sqlite3.connect(place)) as connection:
                fill(connection)

    recording = record(workload)

    assert {entry.name for entry in recording.log if isinstance(entry, Created)} == {
        "cloud.db",
        "cloud.db-journal",
    }


def test_the_same_workload_leaves_the_same_log() -> None:
    assert record(Rows()) == record(Rows())


@pytest.mark.parametrize(
    ("operation", "kind"), [("write", Written), ("truncate", Truncated), ("sync", Synced)]
)
def test_the_nth_operation_fails_and_is_not_done(
    operation: str, kind: type[Written | Truncated | Synced]
) -> None:
    clean = record(Rows())
    faults = [fault for fault in clean.faults() if fault.operation == operation]
    assert len(faults) >= 3

    for fault in faults[:3]:
        recording = record(Rows(), fault=fault)
        at = next(index for index, entry in enumerate(recording.log) if isinstance(entry, Failed))

        done = clean.log[at]

        assert recording.failed
        assert recording.log[:at] == clean.log[:at]
        assert isinstance(done, kind)
        assert recording.log[at] == Failed(done.file, fault.operation)


def test_a_fault_that_is_never_reached_is_seen_not_to_have_happened() -> None:
    assert not record(Rows(), fault=Fault("write", 1_000_000)).failed
