"""A process that is stopped while it holds the lock: others wait for so long, or till it goes on.

Nothing of theirs is lost or done twice.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from serverdomain import Accepted, Servers, StoreLocked
from serverdomain.testing.store_contract import SERVER, adopted, under
from tests.linear.points import Points
from tests.store.together import until, waits

CALLERS = 6

HOLDER = """
import sys
from serverdomain import Context, Servers
from serverdomain.store.request import Request
from serverdomain.domain.commands import RenameServer
from serverdomain.store.accept import accept
from serverdomain.testing.store_contract import SERVER

with Servers.open(sys.argv[1], create=False) as servers:
    now = servers.get(SERVER).updated_micros
    with servers._log.bulk() as log:
        renamed = RenameServer(name="by the holder")
        request = Request(server_id=SERVER, command=renamed, context=Context(), now=now)
        accept(log, request)
        print("holds", flush=True)
        sys.stdin.readline()
    print(servers.rename(SERVER, "by the holder again").server.version)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'cloud.db'}"
    with Servers.open(url) as servers:
        servers.register(adopted())
    return url


@contextmanager
def stopped(url: str) -> Iterator[Callable[[], int]]:
    """A process that was stopped with the lock in its hands; it goes on when called to its end."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        process.send_signal(signal.SIGSTOP)
        assert os.WIFSTOPPED(os.waitpid(process.pid, os.WUNTRACED)[1])

        def goes_on() -> int:
            process.send_signal(signal.SIGCONT)
            return int(process.communicate("\n")[0])

        try:
            yield goes_on
        finally:
            process.send_signal(signal.SIGCONT)


def rename(servers: Servers, number: int) -> Accepted:
    return servers.rename(SERVER, f"name {number}", under(f"req-{number}"))


def test_callers_are_told_that_it_is_locked_and_nothing_of_theirs_happened(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.2")
    with Servers.open(url) as servers, stopped(url) as goes_on:
        with ThreadPoolExecutor(CALLERS) as threads:
            asked = [threads.submit(rename, servers, number) for number in range(CALLERS)]
            errors = [one.exception() for one in asked]
        assert {type(error) for error in errors} == {StoreLocked}
        for error in errors:
            assert "is locked by another" in str(error)
            assert "waited 0.2 s for it (SERVERDOMAIN_LOCK_TIMEOUT)" in str(error)
            assert "\n" not in str(error)
        # Who only reads waits for nobody.
        assert servers.get(SERVER).version == len(servers.history(SERVER)) == 1
        assert goes_on() == 3
        assert [rename(servers, number).replayed for number in range(CALLERS)] == [False] * CALLERS
        assert servers.get(SERVER).version == 3 + CALLERS


def test_callers_who_still_wait_go_on_when_it_does(url: str) -> None:
    came: list[Accepted] = []
    with Servers.open(url) as servers, stopped(url) as goes_on:
        threads = [
            Thread(target=lambda number=number: came.append(rename(servers, number)))  # type: ignore[misc]
            for number in range(CALLERS)
        ]
        for thread in threads:
            thread.start()
            until(lambda thread=thread: waits(thread))  # type: ignore[misc]
        goes_on()
        for thread in threads:
            thread.join()
        points = Points.of(servers)

    assert points.wrong == []
    assert len(points.written) == 1 + 2 + CALLERS
    for accepted in came:
        assert accepted.position is not None
        assert accepted.server == points.as_of(SERVER, accepted.position)
    assert {one.position for one in came} <= {one.last for one in points.written}
    assert len({one.position for one in came}) == CALLERS
