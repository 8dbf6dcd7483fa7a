"""Many processes write, many follow: each event is seen once and in order by everybody."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest

from serverdomain import Servers
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.making import init
from serverdomain.testing.contract import adopted, asked
from tests.house.imports import ROOT

READERS = 8
SECONDS = float(os.environ.get("TEST_POSTGRES_SECONDS", "8"))
"""How long they write, if it is not said how much."""

EVENTS = int(os.environ.get("TEST_POSTGRES_EVENTS", "0"))
"""How many events they write together, in batches of 300 instead of 16; a million takes minutes."""

_WRITER = """\
import sys, time
from uuid import UUID
from serverdomain import Servers
from serverdomain.domain import commands as c
from serverdomain.store.accept import accept
from serverdomain.testing.contract import IMAGE, adopted, asked
url, me, seconds, share, together = sys.argv[1], int(sys.argv[2]), *map(float, sys.argv[3:])

def the(number):
    own = str(UUID(int=(me + 1 << 64) + number // 50))
    request_id = f"req-{me}-{number}"
    if number % 50 == 0:
        return asked(adopted(own), request_id, own)
    if number % 50 == 49:
        changed = c.RebuildServer(image_id=IMAGE, name=request_id, metadata={"n": str(number)})
        return asked(changed, request_id, own)
    # Now and then one changes what others change, too.
    shared = str(UUID(int=number // 50 % 100 + 1))
    server_id = shared if number % 25 == 24 else own
    return asked(c.RenameServer(name=request_id), request_id, server_id)

with Servers.open(url) as servers:
    log = servers._log
    print("ready", flush=True)
    sys.stdin.readline()
    end, number, rounds, written = time.monotonic() + seconds, 0, 0, 0
    while written < share if share else time.monotonic() < end:
        requests = [the(number + one) for one in range(int(together))]
        if rounds % 16 == 7:
            answers = [log.accept(one) for one in requests]
        elif rounds % 16 == 15:
            with log.bulk() as bulk:
                answers = [accept(bulk, one) for one in requests]
        else:
            answers = log.accept_many(requests)
        for answer in answers:
            assert not isinstance(answer, Exception), answer
            written += len(answer.events)
        if rounds % 10 == 0:  # Sent again, it does not happen again.
            assert log.accept(requests[0]).replayed
        number += len(requests)
        rounds += 1
    print(written, flush=True)
"""

_READER = """\
import sys
from collections import Counter
from serverdomain import Servers
with Servers.open(sys.argv[1], read_only=True) as servers:
    log, last, left, seen = servers._log, 0, 0, Counter()
    print("ready", flush=True)
    until = None
    import threading
    def told():
        global until
        until = int(sys.stdin.readline())
    threading.Thread(target=told, daemon=True).start()
    while until is None or last < until:
        with log.reading() as reading:
            page = reading.events(last, 2000)
        for event in page.events:
            assert event.position == last + 1, (event.position, last)
            last = event.position
            # Of each writer all commands come in their order, and each is whole.
            _, writer, number = event.command.request_id.split("-")
            if left == 0:
                assert int(number) == seen[writer], (event.command, seen[writer])
                seen[writer] += 1
                left = 3 if event.command.kind == "rebuild" else 1
            assert int(number) == seen[writer] - 1, (event.command, seen[writer])
            left -= 1
        if not page.events:
            log.wait_past(last, 0.2)
    assert left == 0
    print(last, flush=True)
"""

Process = subprocess.Popen[str]


@contextmanager
def processes(program: str, many: int, *given: object) -> Iterator[list[Process]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, *map(str, (given[0], number, *given[1:]))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        for number in range(many)
    ]
    try:
        for one in started:
            assert line_of(one) == "ready"
        yield started
    finally:
        for one in started:
            one.kill()
            one.communicate()


def line_of(process: Process) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: Process, line: object) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


@pytest.mark.slow
@pytest.mark.parametrize("writers", [8, 24])
def test_every_reader_sees_every_event_once_and_in_order(
    url: str, writers: int, capsys: pytest.CaptureFixture[str]
) -> None:
    init(Address(url))
    together = 300 if EVENTS else 16
    began = time.monotonic()
    with Servers.open(url) as servers:
        shared = [str(UUID(int=number + 1)) for number in range(100)]
        made = [asked(adopted(one), f"req-made-{at}", one) for at, one in enumerate(shared)]
        servers._log.accept_many(made)
        with (
            processes(_READER, READERS, url) as reading,
            processes(_WRITER, writers, url, SECONDS, EVENTS / writers, together) as writing,
        ):
            for one in writing:
                tell(one, "go")
            events = len(made) + sum(int(line_of(one)) for one in writing)
            for one in reading:
                tell(one, events)
            assert [int(line_of(one)) for one in reading] == [events] * READERS
        seconds = time.monotonic() - began
        assert servers.check() == []
        with servers._log.reading() as log:
            assert log.head() == events
    with capsys.disabled():
        print(
            f"\n{writers} writers, {READERS} readers: {events:,} events in {seconds:.0f} s,"
            f" load {os.getloadavg()[0]:.1f}"
        )
