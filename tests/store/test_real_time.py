"""What waits for somebody waits by real time: a test that freezes the clock does not hold it up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from freezegun import freeze_time

from serverdomain.store import real_time

FROZEN = """
import os, sqlite3, sys, threading
os.environ["SERVERDOMAIN_LOCK_TIMEOUT"] = "0.1"
from freezegun import freeze_time
from serverdomain import Servers, StoreBehind, StoreLocked
from serverdomain.testing.store_contract import SERVER, adopted

path = sys.argv[1]
servers = Servers.open(path)
servers.register(adopted())
other = sqlite3.connect(path, isolation_level=None)

def tried(name, call):
    try:
        call()
    except (StoreLocked, StoreBehind) as error:
        print(name, type(error).__name__)
    else:
        print(name, "done")

with freeze_time("2030-01-01"):
    tried("wait", lambda: servers.wait_for(99, 0.1))
    tried("follow", lambda: [*servers.follow(SERVER, 0.1)])
    other.execute("BEGIN IMMEDIATE")
    tried("command", lambda: servers.rename(SERVER, "x"))
    tried("place", lambda: servers.react("billing", print))
    other.execute("COMMIT")
    with servers._log.alone("_view"):
        tried("view", lambda: servers.list())
    tried("list", servers.list)
    tried("close", servers.close)
"""


def test_where_the_time_is_frozen_every_wait_has_an_end(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FROZEN, tmp_path / "cloud.db"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [
        "wait StoreBehind",
        "follow done",
        "command StoreLocked",
        "place StoreLocked",
        "view StoreLocked",
        "list done",
        "close done",
    ]


def test_whether_a_file_was_just_written_is_seen_where_the_time_is_frozen(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with freeze_time("2030-01-01"):
        path.touch()
        assert abs(real_time.now_ns() - path.stat().st_mtime_ns) < 60 * 1_000_000_000
