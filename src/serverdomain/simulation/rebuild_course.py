"""The course of a simulated rebuild or create: what the hypervisor reports, and when."""

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

PERCENTAGES = (25, 50, 75)
"""The percentages at which a rebuild reports its progress."""


@dataclass(frozen=True)
class Trouble:
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
    report, scheduled twice.
    """

    due: int
    position: int
    number: int
    kind: str
    percent: int
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
    for number, (percent, kind) in enumerate(_course(server, lasts, trouble)):
        yield Report(since + lasts * percent // 100, asked.position, number, kind, percent, asked)


def make(report: Report, servers: Servers) -> None:
    """Make a report. However often it is made, it is recorded once."""
    server_id, event = report.asked.server_id, report.asked.event
    if not isinstance(event, RebuildRequested):
        servers.report_built(server_id, report.asked.context(report.kind))
        return
    rebuild_id = event.rebuild_id
    if report.kind == "progress":
        context = report.asked.context(f"progress {report.percent}")
        servers.report_progress(server_id, report.percent, context, rebuild_id=rebuild_id)
    elif report.kind == "complete":
        servers.complete_rebuild(server_id, report.asked.context("complete"), rebuild_id=rebuild_id)
    else:
        stage: Stage = "scheduling" if report.kind == "scheduling" else "hypervisor"
        why = {
            "scheduling": "No valid host was found.",
            "hypervisor": f"The hypervisor failed at {report.percent} %.",
        }[stage]
        context = report.asked.context("fail")
        servers.fail_rebuild(server_id, why, stage, context, rebuild_id=rebuild_id)


def _course(server: Server, lasts: int, trouble: Trouble | None) -> Iterator[tuple[int, str]]:
    if server.rebuild is None:
        yield 100, "built"
        return
    end = 100 if trouble is None else trouble.at
    for percent in PERCENTAGES if lasts else ():
        if percent < end:
            yield percent, "progress"
    if trouble is None:
        yield end, "complete"
        return
    yield end, "progress"
    if trouble.kind != "hang":
        yield end, trouble.kind
