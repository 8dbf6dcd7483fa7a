"""A reaction whose process is killed again and again: every event at least once, and in order."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from itertools import pairwise

import pytest

from serverdomain import RebuildServer, Servers
from serverdomain.testing.store_contract import IMAGE, SERVER, adopted

SERVERS = [f"{SERVER[:-1]}{number}" for number in range(3)]

COUNTS = """
import sys
from serverdomain import Servers

def count(happened):
    print(happened.position, happened.server_id, happened.version, flush=True)
    if happened.name == "RebuildRequested":
        servers.complete_rebuild(happened.server_id, happened.context())

with Servers.open(sys.argv[1], create=False) as servers:
    servers.react("count", count, start="beginning")
    sys.stdin.read()
"""


def counting(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COUNTS, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def told_until_killed(running: subprocess.Popen[str], position: int) -> list[tuple[int, str, int]]:
    """What a process says that is killed when it is told of a position."""
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line)
        if int(line.split()[0]) >= position:
            break
    running.send_signal(signal.SIGKILL)
    lines += running.stdout.readlines()
    whole = (line.split() for line in lines if line.endswith("\n"))
    return [(int(at), server_id, int(version)) for at, server_id, version in whole]


@pytest.mark.slow
def test_a_killed_reaction_tells_every_event_at_least_once_and_in_order(kept_url: str) -> None:
    dice = random.Random(1)
    told: list[tuple[int, str, int]] = []
    with Servers.open(kept_url) as servers:
        for server_id in SERVERS:
            servers.register(adopted(server_id))
        for number in range(400):
            servers.rename(dice.choice(SERVERS), f"name {number}")
        last = servers.view.status().head
        while not told or told[-1][0] < last:
            with counting(kept_url) as running:
                reached = told[-1][0] if told else 0
                told += told_until_killed(running, min(last, reached + dice.randrange(5, 60)))

    assert {position for position, _, _ in told} == set(range(1, last + 1))
    # What is told again is in order too, and only what came since the place was saved.
    for server_id in SERVERS:
        first_time = list(dict.fromkeys(v for _, of, v in told if of == server_id))
        assert all(one < other for one, other in pairwise(first_time))


@pytest.mark.slow
def test_a_rebuild_is_completed_once_however_often_its_reaction_is_killed(kept_url: str) -> None:
    dice = random.Random(2)
    with Servers.open(kept_url) as servers:
        servers.register(adopted(SERVERS[0]))
        for _ in range(3):
            servers.rebuild(SERVERS[0], RebuildServer(image_id=IMAGE))
            asked = servers.view.status().head
            while servers.get(SERVERS[0]).status == "REBUILD":
                with counting(kept_url) as running:
                    # Before it is told of the rebuild, while it works, or when it has completed it.
                    told_until_killed(running, asked + dice.randrange(-1, 2))
        names = [entry.name for entry in servers.history(SERVERS[0])]

    assert names == ["ServerRegistered", *["RebuildRequested", "RebuildCompleted"] * 3]
