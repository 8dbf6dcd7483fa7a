"""An exported log comes back as it was, whatever is in it and wherever it was interrupted."""

from __future__ import annotations

import io
import re
from contextlib import closing, nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverdomain.adapters.exchange.log_import import import_log
from serverdomain.errors import Conflict, InvalidInput, StoreDamaged, StoreError, UnknownEvent
from serverdomain.store.opening import open_log
from tests.adapters.exchange.logs import digests, exported, filled, imported, root, rows
from tests.audit.world import SERVERS, World, deeds
from tests.projections.cloud import NEWER

EMPTY = 13 * (None,)
DEEP = b"[" * 100_000
ID = SERVERS[0].encode()
STREAM = ID.replace(b"-", b"")


@given(deeds, st.data())
def test_any_log_comes_back_with_its_rows_its_root_and_its_digest(some, data):
    with World(some) as world, closing(open_log("memory:")) as copy:
        log = world.cloud.store
        lines = exported(log)
        assert imported(lines, copy).imported == lines.count(b"\n")
        assert rows(copy) == rows(log)
        assert (root(copy), digests(copy)) == (root(log), digests(log))
        assert imported(lines, copy).repeated == lines.count(b"\n"), "again, nothing is new"

        head = rows(log)[-1][0]
        after = data.draw(st.integers(0, head), "after")
        cut = data.draw(st.integers(1, len(lines)), "cut")
        assert lines.endswith(exported(log, after=after))
        with closing(open_log("memory:")) as half:
            interrupted(lines[:cut], half)
            imported(lines, half)
            assert rows(half) == rows(log)


def interrupted(lines, log):
    if lines.endswith(b"\n"):
        imported(lines, log)
    else:
        with pytest.raises(InvalidInput, match=r"it has no end|malformed|truncated"):
            imported(lines, log)


def test_a_log_that_goes_on_is_imported_by_what_is_new():
    with World() as world, closing(open_log("memory:")) as copy:
        log = world.cloud.store
        with log.reading() as reading:
            log_id = reading.log_id()
        with closing(open_log("memory:", log_id=log_id)) as copy:
            imported(exported(log), copy)
            before = len(rows(log))
            world.cloud.rename(world.cloud.create(), "one", "two")
            told = imported(exported(log, after=before), copy)
            assert (told.read, told.imported, told.same_id) == (3, 3, True)
            assert rows(copy) == rows(log)


def test_what_does_not_join_is_refused_and_nothing_is_written():
    with World() as world, World() as other, closing(open_log("memory:")) as empty:
        world.cloud.rename(world.cloud.create(), "one", "two")
        log = world.cloud.store
        before = rows(other.cloud.store)
        with pytest.raises(Conflict, match="line 1: the log holds another event at position 1"):
            imported(exported(log), other.cloud.store)
        with pytest.raises(Conflict, match="lines from position 1 or before on are allowed"):
            imported(exported(log, after=1), other.cloud.store)
        assert rows(other.cloud.store) == before
        with pytest.raises(Conflict, match="line 1: the event behind position 2 came, the one beh"):
            imported(exported(log, after=2), empty)
        lines = exported(log).splitlines(keepends=True)
        with pytest.raises(Conflict, match="line 2: the event behind position 2 came, the one beh"):
            imported(lines[0] + lines[2], empty)
        assert rows(empty) == rows(log)[:1], "what stands before is taken in"


def test_positions_may_have_gaps_and_events_be_of_other_applications():
    theirs = [
        (position, "5" * 32, version, "elsewhere:Happened", state, None, *EMPTY[1:])
        for position, version, state in ((3, 7, b"\x00\xff"), (4, 8, "{}"), (9, 9, "a\nb"))
    ]
    with closing(filled(theirs)) as log, closing(open_log("memory:")) as copy:
        lines = exported(log)
        assert b'"behind":4' in lines
        imported(lines, copy)
        assert rows(copy) == theirs
        assert imported(exported(log, after=3), copy).repeated == 2


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (lambda line: line[:-40], "line 1: it has no end"),
        (lambda line: line[:-40] + b"\n", "line 1: .*malformed|line 1: .*truncated"),
        (lambda line: b"\xff\xfe" + line, "line 1: .*malformed"),
        (lambda line: line.replace(b"foobar", b"foo\xffbar"), "line 1: "),
        (lambda line: line.replace(b'"version":1,', b'"version":0,', 1), "line 1: a position or"),
        (lambda line: line.replace(b'"position":1,', b'"position":-1,'), "line 1: a position or"),
        (lambda line: line.replace(b'"request_id":"', b'"request":"'), "line 1: a member is mis"),
        (lambda line: line.replace(b'"occurred_at":"2', b'"occurred_at":"99992'), "line 1: .*time"),
        (lambda line: line.replace(b'Z","refused', b'1Z","refused'), "line 1: .*six digits"),
        (lambda line: line.replace(b'"refused":false', b'"refused":true'), "line 1: refused: True"),
        (lambda line: line.replace(b'"stream":"07', b'"stream":"08'), "line 1: stream: it is not"),
        (lambda line: line.replace(b'"data":{', b'"data":{"name":1,'), "line 1: position 1 of"),
        (lambda line: line.replace(b'"command_id":1', b'"command_id":0'), "line 1: a command_id"),
        (lambda line: b"[1]\n" + line, "line 1: Expected `object`"),
        (lambda line: line.replace(b'"data":{', b'"data":{"":' + DEEP), "line 1: it is nested"),
        (lambda line: line.replace(ID, b"web").replace(STREAM, b"web"), "line 1: server_id: "),
        (lambda line: re.sub(rb'(data.*server_id":")0(.*command)', rb"\g<1>1\2", line), "another"),
        (lambda line: b" " * 2**24 + line, "line 1: it is longer than 16777216 bytes"),
        (lambda line: b"", "log: no line came"),
    ],
)
def test_a_wrong_line_is_told_by_its_number(wrong, why):
    with World() as world, closing(open_log("memory:")) as copy:
        line = exported(world.cloud.store)
        assert wrong(line) != line
        with pytest.raises(InvalidInput, match=why):
            imported(wrong(line), copy)
        assert rows(copy) == []


def test_an_event_of_a_newer_release_is_exported_and_read_by_it_alone():
    with World() as world, closing(open_log("memory:")) as copy:
        (row,) = rows(world.cloud.store)
        with closing(filled([(*row[:3], NEWER, *row[4:])])) as newer:
            lines = exported(newer)
        with pytest.raises(UnknownEvent):
            imported(lines, copy)


def test_a_command_is_the_same_in_all_its_lines():
    with World() as world, closing(open_log("memory:")) as copy:
        first, *others = rows(world.cloud.store)
        assert others == []
        second = (2, first[1], 2, "serverdomain:ServerStopped:1", "{}", *first[5:])
        with closing(filled([first, second])) as log:
            lines = exported(log).splitlines(keepends=True)
        wrong = lines[1].replace(b'"user_id":"system"', b'"user_id":"other"')
        assert wrong != lines[1]
        with pytest.raises(InvalidInput, match="line 2: command_id: command 1 was another one"):
            imported(lines[0] + wrong, copy)


def test_what_the_guards_of_a_log_refuse_is_not_imported():
    with World() as world, closing(open_log("memory:")) as copy:
        world.cloud.rename(world.cloud.create(), "one")
        lines = exported(world.cloud.store)
        wrong = lines.replace(b'"version":2', b'"version":5')
        assert wrong != lines
        with pytest.raises(StoreError, match="versions follow without a gap"):
            imported(wrong, copy)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((4, state) for state in ("{", "{\n}", "[]", b"{}")),
        *((column, "x") for column in (5, 8, 11, 15, 16)),
        *((9, 7), (12, None), (16, 2**62), (17, 2)),
    ],
)
def test_a_damaged_row_is_named_and_not_exported(column, value):
    with World() as world:
        (row,) = rows(world.cloud.store)
    damaged = (*row[:column], value, *row[column + 1 :])
    from serverdomain.adapters.exchange import log_lines

    with pytest.raises(StoreDamaged, match="position 1 holds what no log is given"):
        list(log_lines.lines("id", [damaged], 0))


def test_another_process_that_writes_meanwhile_is_noticed():
    with World() as world, closing(open_log("memory:")) as copy:
        lines = exported(world.cloud.store)

        class Meanwhile(io.BytesIO):
            def readline(self, size: int | None = -1, /) -> bytes:
                line = super().readline(size)
                if not line:
                    imported(lines, copy)
                return line

        with pytest.raises(Conflict, match="another process took the log to position 1 meanwhile"):
            import_log(lambda log_id: nullcontext(copy), Meanwhile(lines), lambda done: None)
