"""Control-C in the main thread, while others' commands wait behind its own: nobody is abandoned."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Thread, main_thread

import pytest

from serverdomain import Servers
from serverdomain.testing.store_contract import SERVER, adopted, under
from tests.house.imports import ROOT
from tests.linear.points import Points
from tests.store.together import SECONDS, until, waits

OTHERS = 8


def interrupted(url: str, comes: str) -> None:
    """In a process of its own: the main thread comes first, and leads, or last; then it waits."""
    told: dict[str, int | None] = {}

    def rename(number: int) -> None:
        done = servers.rename(SERVER, f"{number}", under(f"req-{number}"))
        told[f"req-{number}"] = done.position

    def others_come() -> None:
        for other in others:
            other.start()
            until(lambda other=other: waits(other))  # type: ignore[misc]

    def main_waits() -> None:
        until(lambda: waits(main_thread()))
        if comes == "first":
            others_come()
        print("all wait", flush=True)

    with Servers.open(url, create=False) as servers:
        others = [Thread(target=rename, args=(number,), daemon=True) for number in range(OTHERS)]
        if comes == "last":
            others_come()
        watching = Thread(target=main_waits)
        watching.start()
        try:
            servers.rename(SERVER, "main", under("req-main"))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        for thread in (watching, *others):
            thread.join(SECONDS)
            assert not thread.is_alive()
        told["req-main"] = servers.rename(SERVER, "main", under("req-main")).position
    print(json.dumps(told))


@pytest.mark.parametrize("comes", ["first", "last"])
def test_who_is_interrupted_abandons_nobody(tmp_path: Path, comes: str) -> None:
    path = tmp_path / "cloud.db"
    url = f"sqlite:///{path}"
    with Servers.open(url) as servers:
        servers.register(adopted(), under("req-register"))
    script = f"import sys; from {__name__} import interrupted; interrupted(*sys.argv[1:])"
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with subprocess.Popen(
            [sys.executable, "-c", script, url, comes], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "all wait\n"
            process.send_signal(signal.SIGINT)
            # While the lock is still another's: whoever waits may be interrupted.
            assert process.stdout.readline() == "interrupted\n"
            holder.execute("ROLLBACK")
            told = json.loads(process.stdout.read())
    with Servers.open(url) as servers:
        points = Points.of(servers)
        assert servers.check() == []

    assert points.wrong == []
    assert told == {
        request_id: one.last
        for request_id, one in points.recorded.items()
        if request_id != "req-register"
    }
    assert len(told) == OTHERS + 1
