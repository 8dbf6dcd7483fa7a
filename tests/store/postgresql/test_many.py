"""Many processes write, many follow: each event is seen once and in order by everybody."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serverdomain import Servers
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.making import init
from serverdomain.testing.contract import adopted
from tests.house.imports import ROOT

READERS = 8
SECONDS = float(os.environ.get("TEST_POSTGRES_SECONDS", "8"))
"""How long they write: a million events take some minutes."""

_WRITER = """\
import sys, time
from serverdomain import Context, Servers
from serverdomain.domain import commands as c
from serverdomain.store.request import Request
from serverdomain.testing.contract import NOW, SERVER, adopted, under
from uuid import UUID
url, me, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
mine = str(UUID(int=me + 1))
with Servers.open(url) as servers:
    log = servers._log
    print("ready", flush=True)
    sys.stdin.readline()
    end, number, written = time.monotonic() + seconds, 0, 0
    log.accept(Request(server_id=mine, command=adopted(mine), context=under(f"req-{me}"), now=NOW))
    while time.monotonic() < end:
        requests = []
        for _ in range(16):
            # Now and then one changes what all change.
            server_id = SERVER if number % 100 == 0 else mine
            request_id = f"req-{me}-{number}"
            requests.append(Request(server_id=server_id, command=c.RenameServer(name=request_id),
                context=under(request_id), now=NOW))
            number += 1
        for answer in log.accept_many(requests):
            assert not isinstance(answer, Exception), answer
        if number % 160 == 0:  # Sent again, it does not happen again.
            assert log.accept(requests[0]).replayed
    print(number + 1, flush=True)
"""

_READER = """\
import sys
from serverdomain import Servers
with Servers.open(sys.argv[1], read_only=True) as servers:
    log, last, seen = servers._log, 0, set()
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
            assert event.command.request_id not in seen
            seen.add(event.command.request_id)
        if not page.events:
            log.wait_past(last, 0.2)
    print(len(seen), flush=True)
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
    with Servers.open(url) as servers:
        servers.register(adopted())
        with (
            processes(_READER, READERS, url) as reading,
            processes(_WRITER, writers, url, SECONDS) as writing,
        ):
            for one in writing:
                tell(one, "go")
            events = 1 + sum(int(line_of(one)) for one in writing)
            for one in reading:
                tell(one, events)
            assert [int(line_of(one)) for one in reading] == [events] * READERS
        assert servers.check() == []
        with servers._log.reading() as log:
            assert log.head() == events
    with capsys.disabled():
        print(f"\n{writers} writers, {READERS} readers: {events} events in {SECONDS:g} s")
