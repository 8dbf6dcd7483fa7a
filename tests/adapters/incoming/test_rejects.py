"""What could not be read is on the disk, in whole lines, before anybody else lets it go."""

import errno
import json
import os
from io import FileIO
from pathlib import Path

import pytest

from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.errors import StoreError


class Small(FileIO):
    """A file on a disk that takes so many bytes more."""

    room = 0

    def write(self, given: bytes | memoryview) -> int:  # type: ignore[override]
        taken = min(len(given), self.room)
        self.room -= taken
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(given[:taken])


def places(path: Path) -> list[str]:
    return [json.loads(line)["place"] for line in path.read_bytes().splitlines()]


def test_a_line_is_in_the_file_as_soon_as_it_is_taken(tmp_path: Path) -> None:
    with FileIO(tmp_path / "rejects", "w") as file:
        Rejects(file).take("bus", b"{half", "is no JSON")
        assert places(tmp_path / "rejects") == ["bus"]


def test_half_a_line_is_taken_back_and_the_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    with Small(path, "w") as file:
        rejects = Rejects(file)
        file.room = 100
        rejects.take("one", b"", "no")
        with pytest.raises(
            StoreError, match=r"^--rejects: '.*rejects' cannot be written: No space"
        ):
            rejects.take("two", b"x" * 200, "no")
    assert places(path) == ["one"]


def test_it_goes_on_where_the_file_ends(tmp_path: Path) -> None:
    path = tmp_path / "rejects"
    for place in ("one", "two"):
        with Small(path, "a") as file:
            rejects = Rejects(file)
            file.room = 100
            rejects.take(place, b"", "no")
            with pytest.raises(StoreError):
                rejects.take("three", b"x" * 200, "no")
    assert places(path) == ["one", "two"]


def test_it_is_synced_when_somebody_relies_on_it_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with FileIO(tmp_path / "rejects", "w") as file:
        rejects = Rejects(file)
        rejects.keep()
        rejects.take("bus", b"", "no")
        assert synced == []
        rejects.keep()
        assert synced[0] == file.fileno()
        assert len(synced) == 2  # The file and the folder that it was made in.
        rejects.keep()
        assert len(synced) == 2


def test_where_it_cannot_be_synced_nobody_may_rely_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", failing)
    with FileIO(tmp_path / "rejects", "w") as file:
        rejects = Rejects(file)
        rejects.take("bus", b"", "no")
        with pytest.raises(StoreError, match="rejects' cannot be written: Input/output error"):
            rejects.keep()


def test_a_pipe_takes_them_too() -> None:
    reading, writing = os.pipe()
    with FileIO(writing, "w") as file:
        rejects = Rejects(file)
        rejects.take("bus", b"", "no")
        rejects.keep()
    with FileIO(reading) as file:
        assert json.loads(file.readall()) == {"place": "bus", "reason": "no", "message": ""}
