"""The course of a simulated rebuild or create: what the hypervisor reports, and when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from msgspec import Struct

from serverdomain.domain import commands as c
from serverdomain.domain import moment
from serverdomain.domain.server import Server
from serverdomain.errors import InvalidInput
from serverdomain.projections.happened import Happened

PERCENTAGES = (25, 50, 75)
"""The percentages at which a rebuild reports its progress."""


class Trouble(Struct, frozen=True):
    """What goes wrong with a rebuild when it is ``at`` percent.

    No host takes it (``scheduling``), the host fails (``hypervisor``), or no more reports come
    (``hang``).
    """

    kind: Literal["scheduling", "hypervisor", "hang"]
    at: int


def no_trouble(server: Server) -> Trouble | None:
    """No trouble: every rebuild ends well."""
    return None


def checked_seconds(field: str, seconds: float) -> float:
    """A rebuild's duration in seconds. Raises `InvalidInput` unless it is 0 to a day."""
    if not 0 <= seconds <= 86_400:
        raise InvalidInput(field, f"{seconds:g} came, 0 to 86400 seconds are allowed")
    return seconds


class Report(NamedTuple):
    """A report to be made on the work that an event asked for; reports sort as they are due.

    ``due`` is in microseconds since 1970 UTC. Two with the same position and number are the same
    report, scheduled twice: under the name of its ``step`` it is recorded once.
    """

    due: int
    position: int
    number: int
    step: str
    command: c.Command
    asked: Happened

    def __lt__(self, other: object) -> bool:
        assert isinstance(other, Report)
        return self[:3] < other[:3]


def reports(
    asked: Happened, server: Server, lasts: int, trouble: Trouble | None
) -> Iterator[Report]:
    """The reports on the work under way on a server, from when an event asked for it.

    The work ``lasts`` so many microseconds.
    """
    since = moment.to_micros(asked.occurred_at)
    for number, (percent, step, command) in enumerate(_course(server, lasts, trouble)):
        due = since + lasts * percent // 100
        yield Report(due, asked.position, number, step, command, asked)


def _course(
    server: Server, lasts: int, trouble: Trouble | None
) -> Iterator[tuple[int, str, c.Command]]:
    if server.rebuild is None:
        yield 100, "built", c.ReportBuilt()
        return
    rebuild_id = server.rebuild.id
    end = 100 if trouble is None else trouble.at
    percentages = [percent for percent in PERCENTAGES if lasts and percent < end]
    for percent in percentages if trouble is None else [*percentages, end]:
        report = c.ReportProgress(percent=percent, rebuild_id=rebuild_id)
        yield percent, f"progress {percent}", report
    if trouble is None:
        yield end, "complete", c.CompleteRebuild(rebuild_id=rebuild_id)
    elif trouble.kind != "hang":
        reason = {
            "scheduling": "No valid host was found.",
            "hypervisor": f"The hypervisor failed at {end} %.",
        }[trouble.kind]
        failed = c.FailRebuild(reason=reason, stage=trouble.kind, rebuild_id=rebuild_id)
        yield end, "fail", failed
