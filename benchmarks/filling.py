"""The lives that our servers lead before they are measured, and many of them written at once.

Each command is decided by the rules. A store that is to be measured gets the rows as a made-up
fleet does. What an import costs is measured by `in_bulk`, which looks each request id up as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from uuid import uuid4

from benchmarks.rival import ADDRESS, DOCUMENTED, IMAGES, PERCENTS, server_id
from serverdomain import Address, RebuildServer, RegisterServer, Servers
from serverdomain.domain.commands import (
    Command,
    CompleteRebuild,
    ReportProgress,
    StartServer,
    StopServer,
)
from serverdomain.domain.decisions import decide
from serverdomain.domain.events import Event
from serverdomain.domain.history import Fact, History
from serverdomain.store.accept import members_of
from serverdomain.store.context import Context
from serverdomain.store.recorded import RecordedCommand

TOGETHER = 2_000
"""Commands in a transaction."""

_THEN = 1_347_408_000_000_000

Appended = tuple[RecordedCommand, int, tuple[Event, ...]]


def life(number: int, cycles: int) -> Iterator[Command]:
    """What is asked of a server: 1 + ``cycles`` * `EVENTS_OF_A_CYCLE` events, ACTIVE at the end."""
    yield RegisterServer(
        server_id=str(server_id(number)),
        created=_THEN,
        updated=_THEN,
        addresses={"private": (Address(**ADDRESS),)},
        **DOCUMENTED,
    )
    for cycle in range(1, cycles + 1):
        yield RebuildServer(image_id=IMAGES[cycle % 2], name=f"name {cycle}", admin_pass="x")
        for percent in PERCENTS:
            yield ReportProgress(percent=percent)
        yield CompleteRebuild()
        yield StopServer()
        yield StartServer()


def written(servers: Servers, numbers: Iterable[int], cycles: int) -> None:
    """Servers of these numbers and their lives, for a store to begin with."""
    commands = (one for number in numbers for one in _decided(number, cycles))
    while batch := list(islice(commands, TOGETHER)):
        with servers._log.bulk() as log:
            log.append_many(batch)


def in_bulk(servers: Servers, numbers: Iterable[int], cycles: int) -> None:
    """The same as an import would do it; where a checkout has nothing for that, as `written`."""
    bulk = getattr(servers, "bulk", None)
    if bulk is None:
        written(servers, numbers, cycles)
        return
    with bulk() as taken:
        for number in numbers:
            for command in life(number, cycles):
                taken.command(str(server_id(number)), command)


def _decided(number: int, cycles: int) -> Iterator[Appended]:
    server, context = None, Context()
    for command in life(number, cycles):
        now = time.time_ns() // 1_000
        recorded = RecordedCommand(
            command_id=0,
            kind=command.kind,
            server_id=str(server_id(number)),
            members=members_of(command, None),
            user_id=context.actor.user_id,
            project_id=context.actor.project_id,
            roles=context.actor.roles,
            request_id=f"req-{uuid4()}",
            correlation_id=None,
            caused_by=None,
            occurred_at=now if command.own_time is None else command.own_time,
            recorded_at=now,
        )
        events = decide(server, command, context.actor, recorded.request_id)
        history = History(base=server)
        yield recorded, history.version, events
        for event in events:
            after = history.version + 1
            history.take(Fact(recorded.occurred_at, 0, recorded.server_id, after, event))
        server = history.server
