"""Files are read side by side, and what they tell comes in order of time."""

import gzip
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from serverdomain.adapters.incoming import files, nova
from serverdomain.adapters.incoming.files import Files
from tests.adapters.incoming.cloud import encoded, message


def exists(minute, name="here"):
    at = f"2026-03-01 10:{minute:02}:00"
    return encoded(message("instance.exists", at, display_name=name)) + b"\n"


@pytest.fixture
def written(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        whole = b"".join(exists(one, name) if isinstance(one, int) else one for one in lines)
        path.write_bytes(gzip.compress(whole) if name.endswith("gz") else whole)
        return str(path)

    return write


def order(*names):
    """Which file each message came from, and its minute."""
    found = []
    for one in Files(names, nova.read):
        ((reported,), wrong) = one.messages or (None,), one.wrong
        name = os.path.basename(one.place.rpartition(":")[0])
        minute = reported and reported.occurred_at // 60_000_000 % 60
        found.append((name, wrong.partition(":")[0] if wrong else minute))
    return found


def test_what_overlaps_is_merged_by_the_time_of_each_message(written):
    names = written("a", 3, 5, 9), written("b.gz", 1, 4, 8), written("c", 20)
    minutes = [minute for _, minute in order(*names)]
    assert minutes == [1, 3, 4, 5, 8, 9, 20]


def test_what_bears_the_same_time_comes_in_the_order_of_the_files(written):
    names = written("b", 1, 2), written("a", 1, 2)
    assert order(*names) == [("b", 1), ("a", 1), ("b", 2), ("a", 2)]
    assert order(*reversed(names)) == [("a", 1), ("b", 1), ("a", 2), ("b", 2)]


def test_what_cannot_be_read_stays_with_what_stands_before_it(written):
    names = written("a", b"{half\n", 3, b"{5}\n", 7), written("b", 1, 4, b"{half\n", 6)
    assert order(*names) == [
        ("b", 1),
        ("a", "message"),
        ("a", 3),
        ("a", "message"),
        ("b", 4),
        ("b", "message"),
        ("b", 6),
        ("a", 7),
    ]


def test_a_file_that_is_in_no_order_is_passed_on_as_it_is(written):
    names = written("a", 9, 1, 5), written("b", 2, 6, 12)
    assert [minute for name, minute in order(*names) if name == "a"] == [9, 1, 5]
    assert len(order(*names)) == 6


def test_a_pipe_is_read_once_and_last(written, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor() as pool:
        piped = pool.submit(pipe.write_bytes, exists(1) + exists(2))
        assert order(str(pipe), written("a", 3)) == [("a", 3), ("pipe", 1), ("pipe", 2)]
        piped.result()


def test_no_file_is_open_before_its_time_or_beyond_its_end(written, monkeypatch):
    names = [written(str(number), number, number) for number in range(5)]
    all_told = Files(names, nova.read)
    most = 0
    for _ in all_told:
        most = max(most, len(all_told._open))
    assert most == 1
    assert all_told.read_so_far == sum(map(os.path.getsize, names))


def test_only_so_many_are_open_at_once(written, monkeypatch):
    monkeypatch.setattr(files, "MOST_OPEN", 2)
    names = [written(str(number), number, 30) for number in range(5)]
    all_told = Files(names, nova.read)
    assert max(len(all_told._open) for _ in all_told) == 2
    assert len(order(*names)) == 10


def test_whoever_stops_in_the_middle_leaves_no_file_open(written):
    all_told = iter(Files([written("a", 1, 3), written("b", 2, 4)], nova.read))
    next(all_told)
    next(all_told)
    all_told.close()  # A file that is left open is a warning, and so an error.


def test_a_file_that_is_not_there_is_told_before_anything_is(written):
    with pytest.raises(FileNotFoundError):
        Files([written("a", 1), written("a", 1) + "-not"], nova.read)
