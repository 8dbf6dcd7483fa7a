"""Lines of a log that somebody reads late, or nobody at all."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from serverdomain.adapters.http import lines_apart
from serverdomain.adapters.http.lines_apart import LinesApart


class Pipe(NamedTuple):
    """A handler whose lines go into a pipe, and the end where they can be read."""

    handler: LinesApart
    end: int

    def say(self, text: str) -> None:
        self.handler.handle(logging.makeLogRecord({"msg": text}))

    def read(self, until: str) -> str:
        read = b""
        while until.encode() not in read:
            read += os.read(self.end, 65536)
        return read.decode()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    end, begin = os.pipe()
    pipe = Pipe(LinesApart(begin), end)
    yield pipe
    os.set_blocking(end, False)
    pipe.handler._ending.set()
    while pipe.handler._thread.is_alive():
        try:
            os.read(end, 65536)
        except BlockingIOError:
            pipe.handler._some.set()
            pipe.handler._thread.join(0.01)
    os.close(begin)
    os.close(end)


def test_lines_come_in_their_order(pipe: Pipe) -> None:
    for number in range(1000):
        pipe.say(f"line {number}")
    assert pipe.read("line 999\n").splitlines() == [f"line {number}" for number in range(1000)]


def test_where_nobody_reads_lines_are_dropped_and_counted(pipe: Pipe) -> None:
    line = "x" * 9_999
    fits = lines_apart.MOST_BYTES // 10_000
    for _ in range(3 * fits):
        pipe.say(line)
    assert pipe.handler._weight <= lines_apart.MOST_BYTES
    pipe.handler.setFormatter(logging.Formatter("%(message)s"))
    read = pipe.read("lines dropped, which nobody read in time\n")
    kept = read.count(line)
    # What the pipe itself holds may have been taken out before it was full.
    assert fits <= kept <= fits + 7
    pipe.say("there is room again")
    pipe.read("there is room again\n")


def test_how_many_were_dropped_is_said(pipe: Pipe) -> None:
    class WithCount(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return f"{record.getMessage()[:10]} {getattr(record, 'dropped', None)}"

    class Full(WithCount):
        def format(self, record: logging.LogRecord) -> str:
            return "x" * lines_apart.MOST_BYTES

    pipe.handler.setFormatter(Full())
    for _ in range(5):
        pipe.say("never written")
    pipe.handler.setFormatter(WithCount())
    pipe.say("small")
    assert "lines drop 5" in pipe.read("lines drop 5\n")


def test_the_end_waits_for_nobody_who_does_not_read(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines_apart, "LAST_SECONDS", 0.05)
    pipe.say("x" * 200_000)
    pipe.handler.close()
    assert pipe.handler._thread.is_alive()


def test_the_last_lines_are_written(pipe: Pipe) -> None:
    pipe.say("last")
    pipe.handler.close()
    assert not pipe.handler._thread.is_alive()
    assert os.read(pipe.end, 100) == b"last\n"


def test_a_reader_who_has_gone_ends_nothing() -> None:
    end, begin = os.pipe()
    os.close(end)
    handler = LinesApart(begin)
    for _ in range(3):
        handler.handle(logging.makeLogRecord({"msg": "nobody hears this"}))
    handler.close()
    assert not handler._thread.is_alive()
    os.close(begin)


def test_a_pipe_that_somebody_made_not_to_block_is_waited_for() -> None:
    end, begin = os.pipe()
    os.set_blocking(begin, False)
    pipe = Pipe(LinesApart(begin), end)
    pipe.say("x" * 300_000 + "end")
    assert len(pipe.read("end\n")) == 300_004
    pipe.handler.close()
    os.close(begin)
    os.close(end)
