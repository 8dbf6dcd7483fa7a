"""What is written beside a log is there whole or not at all, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from serverdomain.errors import InvalidInput, StoreError
from serverdomain.store import durable

KILLED = """
import os, sys
from pathlib import Path
from serverdomain.store import durable
with getattr(durable, sys.argv[1])(Path(sys.argv[2]), "out") as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), 9)
"""
WRITERS = ("replacing", "adding")
each_writer = pytest.mark.parametrize("writer", WRITERS)


@contextmanager
def no_room(most: int = 0) -> Iterator[None]:
    """A limit on the size of files, in bytes, stands in for a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@each_writer
def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "out"
    with getattr(durable, writer)(path, "out") as file:
        file.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert path.stat().st_nlink == 1
    assert [*tmp_path.iterdir()] == [path]


def test_one_replaces_and_the_other_never_does(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with durable.replacing(path, "out") as file:
        file.write(b"new")
    with pytest.raises(InvalidInput, match=r"^out: '.*' is there already"):
        durable.write_new(path, b"newer", "out")
    assert path.read_bytes() == b"new"


def test_what_came_while_it_was_written_stays(tmp_path: Path) -> None:
    path = tmp_path / "out"

    def late() -> None:
        with durable.adding(path, "out") as file:
            file.write(b"late")
            path.write_bytes(b"first")

    with pytest.raises(InvalidInput, match="is there already"):
        late()
    assert path.read_bytes() == b"first"
    assert [*tmp_path.iterdir()] == [path]


def test_it_needs_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems have none."""

    def none(*names: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", none)
    path = tmp_path / "out"
    durable.write_new(path, b"whole", "out")
    assert path.read_bytes() == b"whole"
    with pytest.raises(InvalidInput), durable.adding(tmp_path / "other", "out"):
        (tmp_path / "other").write_bytes(b"first")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "other", path]
    assert (tmp_path / "other").read_bytes() == b"first"


@each_writer
def test_on_a_full_disk_there_is_no_file(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "out"
    with (
        no_room(),
        pytest.raises(StoreError, match=r"out cannot be written: File too large"),
        getattr(durable, writer)(path, "out") as file,
    ):
        file.write(b"x")
    assert [*tmp_path.iterdir()] == []


@each_writer
def test_what_a_killed_writer_left_is_removed_the_next_time(tmp_path: Path, writer: str) -> None:
    path = tmp_path / "out"
    for _ in range(2):
        died = subprocess.run([sys.executable, "-c", KILLED, writer, path], check=False)
        assert died.returncode == -signal.SIGKILL
        assert len([*tmp_path.iterdir()]) == 1
    kept = [tmp_path / name for name in (".out.notes", ".outer.12345678.part", ".out.1234.part")]
    for other in kept:
        other.touch()
    with getattr(durable, writer)(path, "out") as file:
        file.write(b"whole")
    assert sorted(tmp_path.iterdir()) == sorted([*kept, path])


def test_a_writer_at_work_is_no_leftover(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with durable.replacing(path, "out") as one:
        one.write(b"one")
        with durable.replacing(path, "out") as other:
            other.write(b"other")
        assert path.read_bytes() == b"other"
    assert path.read_bytes() == b"one"
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("writer", [*WRITERS, "move_new"])
def test_the_file_is_synced_before_it_takes_its_place_and_the_folder_after(
    tmp_path: Path, writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool, int]] = []
    really = os.fsync

    def watched(descriptor: int) -> None:
        found = os.fstat(descriptor)
        kind = "folder" if stat.S_ISDIR(found.st_mode) else "file"
        synced.append((kind, path.exists(), found.st_size if kind == "file" else found.st_ino))
        really(descriptor)

    path, part = tmp_path / "out", tmp_path / "part"
    monkeypatch.setattr(os, "fsync", watched)
    if writer == "move_new":
        part.write_bytes(b"whole")
        durable.move_new(part, path, "out")
    else:
        with getattr(durable, writer)(path, "out") as file:
            file.write(b"whole")
    assert synced == [("file", False, 5), ("folder", True, tmp_path.stat().st_ino)]


def test_a_new_file_has_its_mode_from_its_first_byte(tmp_path: Path) -> None:
    with durable.adding(tmp_path / "out", "out", 0o600) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o600


@each_writer
@pytest.mark.parametrize("name", ["/", "a\0b", "\ud800", "x" * 300, "absent/out"])
def test_where_no_file_can_be_it_is_told(tmp_path: Path, writer: str, name: str) -> None:
    with (
        pytest.raises(InvalidInput, match=r"^out: .* a new file is allowed$"),
        getattr(durable, writer)(tmp_path / name, "out"),
    ):
        pytest.fail("there is no file to write")


def test_what_a_link_leads_to_is_replaced_and_not_the_link(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    link = tmp_path / "link"
    link.symlink_to("folder/out")
    for content in (b"old", b"new"):
        with durable.replacing(link, "out") as file:
            file.write(content)
        assert (folder / "out").read_bytes() == content
    assert link.is_symlink()
    assert [*folder.iterdir()] == [folder / "out"]
