"""Threads that ask this and that of a few servers, each note kept of what it was told.

A program, too: ``python -m tests.linear.callers URL NAME THREADS STEPS`` says that it is ready,
waits for a line, and prints each note as it is made, so that it can be killed.
"""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock

from serverdomain import Actor, Context, CreateServer, Servers
from serverdomain.domain import commands as c
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, SERVER, adopted

from .calls import Answer, Ask, Asked, Call, Done, Get, History, List, Seen, call

KEPT = [f"{SERVER[:-1]}{number}" for number in range(3)]
"""Servers that are always there."""

COMING_AND_GOING = [f"{SERVER[:-2]}c{number}" for number in range(4)]
"""Servers that callers create and delete."""

OLDEST = 12
"""How many of its own requests a caller may repeat."""


class Caller:
    """What one thread asks, by its dice and by what it was told last."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._dice = random.Random(name)
        self._actor = Actor(name, "openstack")
        self._asked: list[Ask] = []
        self._seen = dict.fromkeys(KEPT, 1)
        self._names = dict.fromkeys(KEPT, "")
        self._position = 1
        self._number = 0

    def next(self, turn: int) -> Asked:
        ways = [self._read] * 5 + [self._write] * 8 + [self._repeat, self._share, self._take]
        return self._dice.choice(ways)(turn)

    def learn(self, answer: Answer | None) -> None:
        servers = [answer.server] if isinstance(answer, Done) else []
        for server in answer.servers if isinstance(answer, Seen) else servers:
            self._seen[server.id], self._names[server.id] = server.version, server.name
        if isinstance(answer, Done) and answer.position:
            self._position = answer.position

    def _read(self, turn: int) -> Asked:
        server_id = self._dice.choice(KEPT * 3 + COMING_AND_GOING)
        position = max(1, self._position + self._dice.randint(-9, 6))
        return self._dice.choice(
            [*[Get(server_id)] * 4, Get(server_id, position), List(), History(server_id)]
        )

    def _write(self, turn: int) -> Ask:
        server_id = self._dice.choice(KEPT)
        rebuild = c.RebuildServer(image_id=self._dice.choice([IMAGE, NEW_IMAGE]), name=f"{turn}")
        command, expected = self._dice.choice(
            [
                (c.RenameServer(name=f"{self.name} {turn}"), None),
                (c.RenameServer(name=f"{self.name} {turn}"), self._seen[server_id]),
                (c.RenameServer(name=self._names[server_id] or "web"), None),
                (c.UpdateMetadata(metadata={self._dice.choice("abc"): f"{turn}"}), None),
                (c.DeleteMetadata(keys=(self._dice.choice("abc"),)), None),
                (rebuild, None),
                (rebuild, None),
                (c.CompleteRebuild(), None),
                (c.CompleteRebuild(), None),
                (c.StopServer(), self._dice.choice([None, self._seen[server_id]])),
                (c.StartServer(), None),
                (None, None),
            ]
        )
        if command is None:
            return self._come_or_go()
        return self._own(Ask(server_id, command, self._context(), expected))

    def _come_or_go(self) -> Ask:
        server_id = self._dice.choice(COMING_AND_GOING)
        come = CreateServer(server_id=server_id, name="x", image_id=IMAGE, flavor_id="1")
        return self._own(
            Ask(server_id, self._dice.choice([come, c.DeleteServer()]), self._context())
        )

    def _repeat(self, turn: int) -> Asked:
        """The same once more, whatever came of it."""
        return self._dice.choice(self._asked) if self._asked else self._read(turn)

    def _share(self, turn: int) -> Ask:
        """What every caller asks under one request id, at about the same time."""
        context = Context(self._actor, f"req-shared-{turn // 4}")
        return Ask(KEPT[0], c.RenameServer(name=f"shared {turn // 4}"), context)

    def _take(self, turn: int) -> Asked:
        """Something else under a request id that was used."""
        if not self._asked:
            return self._read(turn)
        used = self._dice.choice(self._asked)
        return Ask(used.server_id, c.RenameServer(name=f"taken {self.name} {turn}"), used.context)

    def _own(self, asked: Ask) -> Ask:
        self._asked = [*self._asked[-OLDEST:], asked]
        return asked

    def _context(self) -> Context:
        self._number += 1
        return Context(self._actor, f"req-{self.name}-{self._number}")


def play(
    stores: Sequence[Servers], name: str, threads: int, steps: int, note: Callable[[Call], None]
) -> None:
    """Let so many threads take so many steps each, some with each of the stores."""
    together = Barrier(threads)

    def run(number: int) -> None:
        caller, servers = Caller(f"{name}-{number}"), stores[number % len(stores)]
        together.wait()
        for turn in range(steps):
            caller.learn(call(servers, caller.name, caller.next(turn), note).answer)

    with ThreadPoolExecutor(threads) as pool:
        for ran in [pool.submit(run, number) for number in range(threads)]:
            ran.result()


def prepare(servers: Servers) -> None:
    """The servers that are always there."""
    for server_id in KEPT:
        servers.register(adopted(server_id), Context(request_id=f"req-{server_id}"))


def asked_first() -> list[Call]:
    """`prepare`, as calls that nobody noted."""
    return [
        Call("first", Ask(one, adopted(one), Context(request_id=f"req-{one}")), 0) for one in KEPT
    ]


def main(url: str, name: str, threads: str, steps: str) -> None:
    printing = Lock()

    def tell(what: Call | None) -> None:
        with printing:
            pickle.dump(what, sys.stdout.buffer)
            sys.stdout.buffer.flush()

    with Servers.open(url, create=False) as servers:
        tell(None)
        sys.stdin.readline()
        play([servers], name, int(threads), int(steps), tell)


if __name__ == "__main__":
    main(*sys.argv[1:])
