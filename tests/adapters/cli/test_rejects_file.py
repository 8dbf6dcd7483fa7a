"""Rejects go behind earlier ones where nobody can read their source again, else in their place."""

import os
from pathlib import Path

import pytest

from serverdomain.adapters.cli.rejects_file import rejects_file
from serverdomain.errors import InvalidInput, StoreLocked

LINE = b'{"place":"bus","reason":"no"}\n'


@pytest.mark.parametrize(
    ("behind", "before", "after"),
    [
        (True, LINE * 2, LINE * 3),
        (True, LINE * 2 + LINE[:-9], LINE * 3),
        (True, LINE * 60_000 + LINE[:-2], LINE * 60_001),
        (True, LINE * 2 + LINE[:-1], LINE * 4),
        (True, LINE[:-1], LINE * 2),
        (True, LINE[:-4], LINE),
        (True, b"", LINE),
        (False, LINE * 2, LINE),
    ],
    ids=[
        "behind",
        "half a line",
        "much",
        "no newline",
        "one without",
        "half of one",
        "empty",
        "in their place",
    ],
)
def test_what_is_there_stays_or_goes(
    tmp_path: Path, behind: bool, before: bytes, after: bytes
) -> None:
    path = tmp_path / "rejects"
    path.write_bytes(before)
    with rejects_file(str(path), (), behind=behind) as file:
        file.write(LINE)
    assert path.read_bytes() == after


@pytest.mark.parametrize("mine", [b"mine\n", b'{"place":"mine"}', b'{"place":"mine\n', b"{"])
def test_nor_does_anything_go_behind_what_holds_something_else(tmp_path: Path, mine: bytes) -> None:
    path = tmp_path / "notes"
    path.write_bytes(mine)
    with pytest.raises(InvalidInput, match="holds something else than rejects"):
        rejects_file(str(path), (), behind=True)
    assert path.read_bytes() == mine


def test_one_process_at_a_time_writes_there(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    with rejects_file(str(path), (), behind=True) as file:
        file.write(LINE)
        with pytest.raises(StoreLocked, match="rejects' is being written by another process"):
            rejects_file(str(path), (), behind=False)
    assert path.read_bytes() == LINE


def test_a_pipe_takes_them(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with rejects_file(str(path), (), behind=True) as file:
        file.write(LINE)
    assert os.read(reading, 100) == LINE
    os.close(reading)
