"""What the disk may hold, of logs made by hand: all that may happen does, and nothing else."""

from __future__ import annotations

from random import Random

from .disk import files_after_cut, files_with_luck
from .log import (
    Created,
    Deleted,
    Entry,
    Failed,
    FolderSynced,
    Synced,
    Truncated,
    Written,
)

SEEDS = range(600)
NAMED: list[Entry] = [Created(1, "cloud.db"), FolderSynced()]


def contents(*log: Entry, name: str = "cloud.db") -> set[bytes | None]:
    """All that is found under the name, over all seeds; None where it is missing."""
    return {files_after_cut(log, Random(seed)).get(name) for seed in SEEDS}


def test_what_was_synced_is_there_after_every_cut() -> None:
    assert contents(*NAMED, Written(1, 0, b"a" * 2000), Truncated(1, 1000), Synced(1)) == {
        b"a" * 1000
    }


def test_a_write_that_was_not_synced_is_there_whole_torn_as_length_or_not_at_all() -> None:
    data = bytes(range(1, 256)) * 2
    heads = {data[:at] for at in range(len(data))}
    tails = {bytes(at) + data[at:] for at in range(1, len(data))}
    found = contents(*NAMED, Written(1, 0, data))

    assert {data, bytes(len(data)), b""} <= found <= heads | tails | {data, bytes(len(data))}
    assert len(found & heads) > 5
    assert len(found & tails) > 5


def test_each_sector_of_a_write_fares_for_itself() -> None:
    found = contents(*NAMED, Written(1, 0, b"." * 1536), Synced(1), Written(1, 500, b"a" * 1000))

    whole = {
        (one[500:512] == b"a" * 12, one[512:1024] == b"a" * 512, one[1024:1500] == b"a" * 476)
        for one in found
        if one
    }
    assert len(whole) == 8


def test_bytes_beside_a_write_stay_as_they_were() -> None:
    found = contents(*NAMED, Written(1, 0, b"." * 1024), Synced(1), Written(1, 100, b"a" * 10))

    assert len(found) > 2
    assert all(
        one is not None and one[:100] == b"." * 100 and one[110:] == b"." * 914 for one in found
    )


def test_a_truncate_that_was_not_synced_happened_or_not() -> None:
    assert contents(*NAMED, Written(1, 0, b"a" * 512), Synced(1), Truncated(1, 3)) == {
        b"aaa",
        b"a" * 512,
    }


def test_a_truncate_may_also_lengthen() -> None:
    assert files_with_luck([*NAMED, Written(1, 0, b"a"), Truncated(1, 3)]) == {"cloud.db": b"a\0\0"}


def test_a_sync_of_one_file_says_nothing_of_another() -> None:
    log = [
        *NAMED,
        Created(2, "cloud.db-wal"),
        FolderSynced(),
        Written(1, 0, b"a"),
        Written(2, 0, b"b"),
        Synced(2),
    ]

    assert contents(*log) == {b"a", b"\0", b""}
    assert contents(*log, name="cloud.db-wal") == {b"b"}


def test_files_fare_apart_from_each_other() -> None:
    many = [Written(file, 512 * n, b"a" * 512) for file in (1, 2) for n in range(20)]
    log: list[Entry] = [*NAMED, Created(2, "cloud.db-wal"), FolderSynced(), *many]
    extremes = (b"", b"a" * 512 * 20)

    found = {tuple(files_after_cut(log, Random(seed)).values()) for seed in SEEDS}

    assert {(one, other) for one in extremes for other in extremes} <= found


def test_a_new_name_may_be_missing_until_the_folder_is_synced() -> None:
    written: list[Entry] = [Created(1, "cloud.db"), Written(1, 0, b"a"), Synced(1)]

    assert contents(*written) == {None, b"a"}
    assert contents(*written, FolderSynced()) == {b"a"}


def test_a_deleted_file_may_be_back_until_the_folder_is_synced() -> None:
    deleted: list[Entry] = [*NAMED, Written(1, 0, b"a"), Synced(1), Deleted(1, "cloud.db")]

    assert contents(*deleted) == {None, b"a"}
    assert contents(*deleted, FolderSynced()) == {None}


def test_names_come_and_go_in_order() -> None:
    old: list[Entry] = [Created(1, "one"), Written(1, 0, b"1"), Synced(1), FolderSynced()]
    new: list[Entry] = [
        Deleted(1, "one"),
        Created(2, "two"),
        Created(3, "one"),
        Written(3, 0, b"3"),
        Synced(3),
    ]

    found = {tuple(sorted(files_after_cut([*old, *new], Random(seed)).items())) for seed in SEEDS}

    assert found == {(("one", b"1"),), (), (("two", b""),), (("one", b"3"), ("two", b""))}


def test_a_sync_that_failed_is_not_made_good_by_the_next() -> None:
    written: list[Entry] = [*NAMED, Written(1, 0, b"a")]

    assert contents(*written, Failed(1, "sync"), Synced(1)) == {b"a", b"\0", b""}
    assert contents(*written, Failed(1, "sync"), Written(1, 0, b"a"), Synced(1)) == {b"a"}


def test_the_same_seed_leaves_the_same_disk() -> None:
    log = [*NAMED, *(Written(1, 512 * n, b"a" * 512) for n in range(20))]

    assert all(
        files_after_cut(log, Random(seed)) == files_after_cut(log, Random(seed)) for seed in SEEDS
    )


def test_with_luck_everything_arrived() -> None:
    log: list[Entry] = [
        Created(1, "cloud.db"),
        Written(1, 0, b"aaaa"),
        Failed(1, "sync"),
        Written(1, 2, b"bbb"),
        Truncated(1, 4),
    ]

    assert files_with_luck(log) == {"cloud.db": b"aabb"}
