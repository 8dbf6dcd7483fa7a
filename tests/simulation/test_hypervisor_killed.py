"""A simulated hypervisor whose process is killed again and again finishes every rebuild once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections import Counter

import pytest

from serverdomain import Actor, Context, RebuildServer, Servers
from serverdomain.domain.events import RebuildCompleted, RebuildRequested
from serverdomain.testing.store_contract import NEW_IMAGE, SERVER, adopted

FLEET = [f"{SERVER[:-2]}{number:02}" for number in range(12)]

WORKS = """
import sys
from serverdomain import Servers
from serverdomain.simulation.hypervisor import SimulatedHypervisor

with Servers.open(sys.argv[1], create=False) as servers, SimulatedHypervisor(servers, 0.4):
    print("at work", flush=True)
    sys.stdin.read()
"""


def working(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKS, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_every_rebuild_ends_once_however_often_it_is_killed(kept_url: str) -> None:
    dice = random.Random(3)
    reset: set[str] = set()
    with Servers.open(kept_url) as servers:
        for server_id in FLEET:
            servers.register(adopted(server_id))
        kills = 0
        while servers.list(status="REBUILD") or kills < 8:
            if kills < 8:
                for server_id in dice.sample(FLEET, 4):
                    if servers.get(server_id).status != "REBUILD":
                        servers.rebuild(server_id, RebuildServer(image_id=NEW_IMAGE))
                lost = dice.choice(FLEET)
                under_way = servers.get(lost).rebuild
                if under_way is not None:
                    servers.reset_state(lost, "ACTIVE", Context(Actor("a", "a", ("admin",))))
                    reset.add(under_way.id)
            with working(kept_url) as running:
                assert running.stdout is not None
                running.stdout.readline()
                # It goes at any time: that is what is tried, so how long it works is left to dice.
                for _ in servers.follow(dice.choice(FLEET), dice.random() * 0.8):
                    pass
                running.send_signal(signal.SIGKILL)
            kills += 1
        events = [entry.event for one in FLEET for entry in servers.history(one)]

    asked = {event.rebuild_id for event in events if isinstance(event, RebuildRequested)}
    ended = Counter(event.rebuild_id for event in events if isinstance(event, RebuildCompleted))
    assert len(asked) > 8
    assert set(ended) == asked - reset
    assert set(ended.values()) == {1}
