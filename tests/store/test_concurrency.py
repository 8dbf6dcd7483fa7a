"""Many processes on one file: each command once or refused, in one order that all of them see."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from serverdomain import Context, Servers
from serverdomain.testing.store_contract import SERVER, adopted

IDS = [f"{SERVER[:-1]}{number}" for number in range(4)]

WORKER = """
import json, random, sys
from serverdomain import Conflict, Context, Servers
from serverdomain.testing.store_contract import adopted

url, number, commands, ids = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].split(",")
dice = random.Random(number)
with Servers.open(url) as servers:
    for server_id in ids:
        try:
            servers.register(adopted(server_id))
        except Conflict:
            pass
    for turn in range(commands):
        server_id = dice.choice(ids)
        # Every third is asked by all the processes under one id; every fifth on an older state.
        shared = turn % 3 == 0
        name = f"shared {turn}" if shared else f"{number} {turn}"
        request_id = f"req-shared-{turn}" if shared else f"req-{number}-{turn}"
        server_id = ids[turn % len(ids)] if shared else server_id
        seen = servers.get(server_id).version if turn % 5 == 0 else None
        try:
            accepted = servers.rename(
                server_id, name, Context(request_id=request_id), expected_version=seen
            )
        except Conflict as conflict:
            print(json.dumps(["conflict", request_id]))
            continue
        print(json.dumps(["done", request_id, accepted.position, accepted.replayed]))
        if turn % 50 == 0:
            assert len(servers.list()) == len(ids)
"""


# The wait that nobody may reach, a third of what it is by default: eight that never rest were seen
# to wait for two seconds on a busy machine.
LOCK_TIMEOUT = "10"


def processes(script: str, *arguments: str, of: int) -> list[list[Any]]:
    """What each of many processes, all begun at once, said."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", script, arguments[0], str(number), *arguments[1:]],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "SERVERDOMAIN_LOCK_TIMEOUT": LOCK_TIMEOUT},
        )
        for number in range(of)
    ]
    said = [process.communicate() for process in running]
    assert [error for _, error in said] == [""] * of
    return [[json.loads(line) for line in out.splitlines()] for out, _ in said]


def of_eight(url: str, commands: int) -> None:
    said = processes(WORKER, url, str(commands), ",".join(IDS), of=8)

    assert [len(lines) for lines in said] == [commands] * 8
    done = [line for lines in said for line in lines if line[0] == "done" and line[2] is not None]
    first = Counter(line[1] for line in done if not line[3])
    assert max(first.values()) == 1
    assert {line[1] for line in done} == set(first)
    assert len({(line[1], line[2]) for line in done}) == len(first)
    with Servers.open(url, create=False) as servers:
        histories = [servers.history(server_id) for server_id in IDS]
        # Of servers as old as each other the one whose first event came later is listed first.
        known = [servers.get(server_id) for server_id in IDS]
        assert servers.list() == sorted(known, key=lambda server: -server.first_position)
    by_request = Counter(entry.request_id for entries in histories for entry in entries)
    assert max(by_request.values()) == 1
    assert set(by_request) >= set(first)
    assert len(by_request) == len(first) + len(IDS)
    for entries in histories:
        assert [entry.version for entry in entries] == list(range(1, len(entries) + 1))
    log = sorted((e for entries in histories for e in entries), key=lambda entry: entry.position)
    assert [entry.position for entry in log] == list(range(1, len(log) + 1))
    assert all(one.recorded_at <= other.recorded_at for one, other in pairwise(log))
    for lines in said:
        told = [line[2] for line in lines if line[0] == "done" and line[2] and not line[3]]
        assert told == sorted(told)


@pytest.mark.core
def test_processes_take_turns(kept_url: str) -> None:
    of_eight(kept_url, 12)


@pytest.mark.slow
def test_eight_processes_send_thousands_of_commands(kept_url: str) -> None:
    of_eight(kept_url, 600)


CREATOR = """
import json, sys
from serverdomain import Context, CreateServer, Servers
from serverdomain.testing.store_contract import IMAGE

with Servers.open(sys.argv[1]) as servers:
    created = servers.create(CreateServer(name=sys.argv[2], image_id=IMAGE, flavor_id="1"))
    print(json.dumps(created.id))
    assert created.id in {server.id for server in servers.list()}
"""


@pytest.mark.slow
def test_a_store_is_made_by_several_at_once_and_loses_none_of_them(tmp_path: Path) -> None:
    for attempt in range(15):
        url = f"sqlite:///{tmp_path / f'cloud {attempt}.db'}"
        created = processes(CREATOR, url, of=4)

        with Servers.open(url, create=False) as servers:
            assert {server.id for server in servers.list()} == {one for (one,) in created}


SEES = """
import sys
from serverdomain import Context, Servers
with Servers.open(sys.argv[1], create=False) as servers:
    for line in sys.stdin:
        asked, told = line.split()
        seen = servers.get(asked).version
        renamed = servers.rename(asked, f"seen {seen}").server.version
        print(seen, renamed, flush=True)
"""


@pytest.mark.core
def test_what_a_process_was_told_before_another_began_that_other_sees(kept_url: str) -> None:
    with (
        Servers.open(kept_url) as servers,
        subprocess.Popen(
            [sys.executable, "-c", SEES, kept_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other,
    ):
        assert other.stdin is not None
        assert other.stdout is not None
        servers.register(adopted())
        for number in range(40):
            told = servers.rename(SERVER, f"told {number}", Context()).server.version
            other.stdin.write(f"{SERVER} {told}\n")
            other.stdin.flush()
            seen, renamed = map(int, other.stdout.readline().split())
            assert (seen, renamed) == (told, told + 1)
            assert servers.get(SERVER).version == renamed
        other.stdin.close()
