"""The course of a simulated rebuild or create: what is reported of it, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from serverdomain.domain import moment
from serverdomain.domain.events import RebuildRequested, Stage
from serverdomain.domain.server import Server
from serverdomain.errors import InvalidInput
from serverdomain.projections.happened import Happened
from serverdomain.servers import Servers

REPORTS = (25, 50, 75)
"""At which percentages a rebuild says how far it is."""


@dataclass(frozen=True)
class Trouble:
    """What goes wrong with a rebuild once it is ``at`` percent.

    No host takes it (``scheduling``), the host fails (``hypervisor``), or nothing more is heard of
    it (``hang``).
    """

    kind: Literal["scheduling", "hypervisor", "hang"]
    at: int


def no_trouble(server: Server) -> Trouble | None:
    """Every rebuild ends well."""
    return None


def checked_seconds(field: str, seconds: float) -> float:
    """How long a rebuild may take. Raises `InvalidInput` for less than none and more than a day."""
    if not 0 <= seconds <= 86_400:
        raise InvalidInput(field, f"{seconds:g} came, 0 to 86400 seconds are allowed")
    return seconds


class Step(NamedTuple):
    """Something to be reported of the work that an event asked for, in the order of the schedule.

    ``due`` in microseconds since 1970 UTC; two that share position and number are one, told twice.
    """

    due: int
    position: int
    number: int
    kind: str
    percent: int
    asked: Happened

    def __lt__(self, other: object) -> bool:
        assert isinstance(other, Step)
        return self[:3] < other[:3]


def steps(asked: Happened, server: Server, lasts: int, trouble: Trouble | None) -> Iterator[Step]:
    """What is to be reported of the work that is under way on a server since it was asked for.

    It lasts so many microseconds.
    """
    since = moment.to_micros(asked.occurred_at)
    for number, (percent, kind) in enumerate(_course(server, lasts, trouble)):
        yield Step(since + lasts * percent // 100, asked.position, number, kind, percent, asked)


def report(servers: Servers, step: Step) -> None:
    """Report a step: once, however often it is reported."""
    server_id, event = step.asked.server_id, step.asked.event
    if not isinstance(event, RebuildRequested):
        servers.report_built(server_id, step.asked.context(step.kind))
        return
    rebuild_id = event.rebuild_id
    if step.kind == "progress":
        context = step.asked.context(f"progress {step.percent}")
        servers.report_progress(server_id, step.percent, context, rebuild_id=rebuild_id)
    elif step.kind == "complete":
        servers.complete_rebuild(server_id, step.asked.context("complete"), rebuild_id=rebuild_id)
    else:
        stage: Stage = "scheduling" if step.kind == "scheduling" else "hypervisor"
        why = {
            "scheduling": "No valid host was found.",
            "hypervisor": f"The hypervisor failed at {step.percent} %.",
        }[stage]
        context = step.asked.context("fail")
        servers.fail_rebuild(server_id, why, stage, context, rebuild_id=rebuild_id)


def _course(server: Server, lasts: int, trouble: Trouble | None) -> Iterator[tuple[int, str]]:
    if server.rebuild is None:
        yield 100, "built"
        return
    end = 100 if trouble is None else trouble.at
    for percent in REPORTS if lasts else ():
        if percent < end:
            yield percent, "progress"
    if trouble is None:
        yield end, "complete"
        return
    yield end, "progress"
    if trouble.kind != "hang":
        yield end, trouble.kind
