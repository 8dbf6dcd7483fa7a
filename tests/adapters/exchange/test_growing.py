"""A file of an export is gone on with where it ends, and nobody else's file is touched."""

from __future__ import annotations

import errno
import os
from contextlib import closing

import pytest

from serverdomain.adapters.exchange import log_lines
from serverdomain.adapters.exchange.exporting import export_to_file
from serverdomain.adapters.exchange.growing import growing
from serverdomain.domain.progress import silent
from serverdomain.errors import InvalidInput, StoreError, StoreLocked
from tests.adapters.exchange.logs import exported, filled, rows
from tests.audit.world import World


@pytest.fixture
def world():
    with World() as world:
        world.cloud.rename(world.cloud.create(), "one", "two", "three")
        yield world


def to_file(world, path, after=None):
    return export_to_file(world.cloud.store, log_lines, path, after, silent)


def test_it_goes_on_wherever_it_was_cut_off(world, tmp_path):
    whole = exported(world.cloud.store)
    path = tmp_path / "log.jsonl"
    first = whole.index(b"\n") + 1
    for cut in (0, first, first + 1, len(whole) - 1, len(whole)):
        path.write_bytes(whole[:cut])
        made = to_file(world, path)
        assert path.read_bytes() == whole
        assert made.position == 5
        assert made.lines == 5 - whole[:cut].count(b"\n")
    world.cloud.create()
    assert to_file(world, path)[:3] == (1, 5, 6)
    assert path.read_bytes() == exported(world.cloud.store)


def test_a_line_longer_than_a_block_is_found_at_the_end(tmp_path):
    with World() as world:
        (row,) = rows(world.cloud.store)
    theirs = (2, "5" * 32, 1, "elsewhere:Happened", "x" * 200_000, *13 * (None,))
    path = tmp_path / "log.jsonl"
    with closing(filled([row, theirs])) as log:
        for _ in range(2):
            export_to_file(log, log_lines, path, None, silent)
            assert path.read_bytes() == exported(log)


@pytest.mark.parametrize("content", [b"my notes", b"my notes\n", b"{}\n", b"{}\n{\n", b"\n"])
def test_a_file_of_another_kind_stays_as_it_is(world, tmp_path, content):
    path = tmp_path / "notes"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"FILE: .*notes' holds something else than an export"):
        to_file(world, path)
    assert path.read_bytes() == content


def test_an_export_of_another_log_stays_as_it_is(world, tmp_path):
    path = tmp_path / "log.jsonl"
    with World() as other:
        to_file(other, path)
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match=r"FILE: .*log.jsonl is of log .*, one of .* is allowed"):
        to_file(world, path)
    assert path.read_bytes() == before


def test_a_file_says_itself_behind_what_it_goes_on(world, tmp_path):
    path = tmp_path / "log.jsonl"
    to_file(world, path, after=3)
    assert path.read_bytes() == exported(world.cloud.store, after=3)
    with pytest.raises(InvalidInput, match=r"--after: 3 came, but .* ends at position 5"):
        to_file(world, path, after=3)


def test_a_file_that_is_ahead_of_the_log_is_refused(world, tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(exported(world.cloud.store).replace(b'"position":5', b'"position":6'))
    with pytest.raises(InvalidInput, match="ends at position 6, the log at position 5"):
        to_file(world, path)


def test_one_export_at_a_time_writes_a_file(world, tmp_path):
    path = tmp_path / "log.jsonl"
    with growing(path, log_lines.end), pytest.raises(StoreLocked, match="by another export"):
        to_file(world, path)


def test_where_the_disk_is_full_within_the_first_line_it_is_begun_anew(world, tmp_path):
    path = tmp_path / "log.jsonl"

    def write_until_it_is_full():
        with growing(path, log_lines.end) as (file, _):
            file.write(exported(world.cloud.store)[:100])
            file.flush()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(StoreError, match="cannot be written: No space left"):
        write_until_it_is_full()
    assert to_file(world, path).lines == 5
    assert path.read_bytes() == exported(world.cloud.store)


def test_a_pipe_is_not_gone_on_with(world, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidInput, match="pipe' is a pipe or a device, a file, or - for stdout"):
        to_file(world, tmp_path / "pipe")


def test_a_place_that_cannot_be_written_is_told(world, tmp_path):
    with pytest.raises(StoreError, match="nowhere/log cannot be written: No such file"):
        to_file(world, tmp_path / "nowhere/log")
