"""Commands one by one and by many callers, and a server that is asked for.

Streams begin at ten events and stay below fifty.
"""

from __future__ import annotations

from functools import partial
from itertools import count

from benchmarks.batches import Batch, Batches, Counted
from benchmarks.by_hand import ByHand
from benchmarks.callers import Step, Work, each_doing
from benchmarks.idiomatic import Cached, Idiomatic
from benchmarks.measure import Row, rate_of
from benchmarks.ours import Ours
from benchmarks.rival import EVENTS_OF_A_CYCLE, IMAGES, Rival
from benchmarks.scale import Scale
from benchmarks.umadb import UmaDB

_names = count()


def rename(rival: Rival, _: int, server: int) -> None:
    rival.rename(server, f"another {next(_names)}")


def pair(rival: Rival, round_number: int, server: int) -> None:
    # After one cycle the image is the second one.
    rival.rebuild(server, IMAGES[round_number % 2], f"rebuilt {next(_names)}")
    rival.complete(server)


def get(rival: Rival, _: int, server: int) -> object:
    return rival.get(server)


def rows(scale: Scale) -> list[Row]:
    return [
        _alone("pairs-1", "a rebuild and its completion, 1 caller", "pair", pair, scale),
        _sixteen("pairs-16", "a rebuild and its completion, 16 callers", "pair", pair, scale),
        _alone("rename-1", "rename, 1 caller", "command", rename, scale),
        _sixteen("rename-16", "rename, 16 callers", "command", rename, scale),
        Row(
            "get-after",
            "get, right after a commit to the server",
            "get",
            each_doing(
                Work(get, scale.servers, before=rename), Ours, Idiomatic, Cached, UmaDB, ByHand
            ),
            scale.rounds,
            times={Idiomatic.name: 12, UmaDB.name: 1},
            limit=rate_of(ByHand.name),
        ),
        _again("get-again", 1, range(2), 50, scale),
        _again("get-again-long", scale.cycles, range(2), 5, scale),
    ]


def _alone(name: str, what: str, unit: str, step: Step, scale: Scale) -> Row:
    return Row(
        name,
        what,
        unit,
        each_doing(Work(step, scale.servers), Ours, Idiomatic, UmaDB, ByHand),
        scale.rounds,
        times={Idiomatic.name: 2.5, UmaDB.name: 1},
        limit=rate_of(ByHand.name),
    )


def _sixteen(name: str, what: str, unit: str, step: Step, scale: Scale) -> Row:
    work = Work(step, scale.servers, callers=16, commands=2 if step is pair else 1)
    batch = Batch()
    return Row(
        name,
        what,
        unit,
        [
            partial(Counted, batch, work),
            *each_doing(work, Idiomatic, UmaDB, ByHand, partial(Batches, batch)),
        ],
        scale.rounds,
        times={Idiomatic.name: 8, UmaDB.name: 1},
        limit=rate_of(Batches.name),
    )


def _again(name: str, cycles: int, servers: range, times: int, scale: Scale) -> Row:
    events = 1 + cycles * EVENTS_OF_A_CYCLE
    return Row(
        name,
        f"get, {events:,} events, again while nothing is committed",
        "get",
        each_doing(
            Work(get, len(servers), cycles, asked=[*servers] * times), Ours, Idiomatic, ByHand
        ),
        scale.rounds,
    )
