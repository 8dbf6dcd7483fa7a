"""A writer that is killed at any moment: what it acknowledged is there, and nothing is half."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter

import pytest

from serverdomain import Servers
from serverdomain.testing.store_contract import SERVER, adopted

WRITER = """
import sys
from serverdomain import Context, RebuildServer, Servers
from serverdomain.testing.store_contract import IMAGE, SERVER

with Servers.open(sys.argv[1], create=False) as servers:
    if servers.get(SERVER).rebuild is not None:
        servers.complete_rebuild(SERVER)
    turn = servers.get(SERVER).version
    while True:
        turn += 1
        request = RebuildServer(image_id=IMAGE, name=f"turn {turn}", metadata={"t": str(turn)})
        for accepted in (
            servers.rebuild(SERVER, request, Context(request_id=f"req-{sys.argv[2]}-{turn}")),
            servers.complete_rebuild(SERVER),
        ):
            print(accepted.position, flush=True)
        servers.list()
        if turn % 7 == 0:
            servers.view.replay()
"""


def killed(url: str, round_: int, dice: random.Random) -> int:
    """Let a writer work, kill it, and give back the last position that it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url, str(round_)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        for _ in range(dice.randrange(1, 25)):
            last = writer.stdout.readline()
        # Burn a little time that is different each round, so that the kill falls anywhere.
        sum(range(dice.randrange(200_000)))
        writer.kill()
        told = [last, *writer.stdout.readlines()]
        errors = writer.stderr.read()
    assert errors == ""
    return int([line for line in told if line.endswith("\n")][-1])


def holds_after_kills(url: str, *, kills: int, seed: int) -> None:
    dice = random.Random(seed)
    with Servers.open(url) as servers:
        servers.register(adopted())
    for round_ in range(kills):
        acknowledged = killed(url, round_, dice)
        with Servers.open(url, create=False) as servers:
            history = servers.history(SERVER)
            assert history[-1].position >= acknowledged, f"seed {seed}, round {round_}"
            assert [entry.version for entry in history] == list(range(1, len(history) + 1))
            followed = servers.list()
            servers.view.replay()
            assert followed == servers.list() == [servers.get(SERVER)]
            assert servers.check() == [], f"seed {seed}, round {round_}"
            with servers._log.reading() as log:
                events = Counter((row[5], row[6]) for rows in log.rows() for row in rows)
            half = {
                command: many
                for command, many in events.items()
                if many != (3 if command[1] == "rebuild" else 1)
            }
            assert half == {}, f"seed {seed}, round {round_}"


@pytest.mark.core
def test_a_killed_writer_loses_nothing_that_it_acknowledged(kept_url: str) -> None:
    holds_after_kills(kept_url, kills=3, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_however_often_it_is_killed(kept_url: str, seed: int) -> None:
    holds_after_kills(kept_url, kills=40, seed=seed)
