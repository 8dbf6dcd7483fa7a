"""That a rebuild ended, and how, is the same whoever is asked: there is one lifecycle."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from serverdomain import Servers
from serverdomain.audit.rebuild_times import RebuildTime
from serverdomain.audit.reports import rebuilds
from serverdomain.domain.events import (
    Event,
    RebuildCompleted,
    RebuildFailed,
    RebuildRequested,
    ServerDeleted,
    StateReset,
)
from serverdomain.testing import ManualClock, registered
from serverdomain.testing.store_contract import NEW_IMAGE

SERVER = registered().server_id
Ends = dict[str, str | None]


def requested(rebuild_id: str) -> RebuildRequested:
    return RebuildRequested(rebuild_id, NEW_IMAGE, "generated")


def recorded(told: list[tuple[Event, int]]) -> Servers:
    """A log that took these facts in, in this order; times are seconds behind the beginning."""
    clock = ManualClock()
    begun = clock.now
    servers = Servers.open("memory:", clock=clock)
    servers.record(SERVER, [registered()], occurred_at=begun)
    clock.advance(3_600)
    for event, seconds in told:
        servers.record(SERVER, [event], occurred_at=begun + timedelta(seconds=seconds))
    return servers


def as_what_if_says(servers: Servers) -> list[RebuildTime]:
    pairs = servers.what_if(SERVER).rebuilds
    assert all(was == would_be for was, would_be in pairs), "nothing was supposed otherwise"
    return [was for was, _ in pairs if was is not None]


def as_the_timeline_says(servers: Servers) -> Ends:
    query = "SELECT rebuild_id, host_id, ended, replaced FROM timeline ORDER BY occurred_at"
    ends: Ends = {}
    for row in servers.timeline.ask(lambda rows: list(rows.query(query))):
        if row["host_id"] is not None:
            ends[row["rebuild_id"]] = None
        if row["ended"] is not None:
            ends[row["rebuild_id"]] = row["ended"]
        if row["replaced"] is not None:
            ends[row["replaced"]] = "replaced"
    return ends


def all_say(servers: Servers) -> Ends:
    """How each rebuild ended, as what-if, the timeline and the report agree."""
    times = as_what_if_says(servers)
    ends = {one.rebuild_id: one.ended for one in times}
    assert as_the_timeline_says(servers) == ends
    report = rebuilds(servers.timeline)
    assert report.outcomes == Counter(how or "never" for how in ends.values())
    assert {one.rebuild_id for one in report.never_ended} == {
        rebuild_id for rebuild_id, how in ends.items() if how is None
    }
    took = [one.seconds for one in times if one.ended == "completed"]
    assert report.durations == pytest.approx(sorted(took), abs=0.01)
    return ends


@pytest.mark.parametrize(
    ("events", "ends"),
    [
        (
            [requested("r1"), requested("r2"), RebuildCompleted("r2", 100)],
            {"r1": "replaced", "r2": "completed"},
        ),
        ([requested("r1"), RebuildFailed("r1", "hypervisor", "disk full")], {"r1": "failed"}),
        ([requested("r1"), StateReset("ERROR")], {"r1": "reset"}),
        ([requested("r1"), ServerDeleted(), RebuildCompleted("r1", 100)], {"r1": "deleted"}),
        (
            [requested("r1"), requested("r2"), RebuildCompleted("r1", 100)],
            {"r1": "replaced", "r2": None},
        ),
        ([requested("r1"), requested("r1"), RebuildCompleted("r1", 100)], {"r1": "completed"}),
        ([RebuildCompleted("r1", 100), requested("r1")], {"r1": None}),
    ],
)
@pytest.mark.parametrize("arriving", ["in order", "the other way round"])
def test_how_a_rebuild_ended_is_told_alike(events: list[Event], ends: Ends, arriving: str) -> None:
    told = [(event, at) for at, event in enumerate(events, start=1)]
    with recorded(told if arriving == "in order" else told[::-1]) as servers:
        assert all_say(servers) == ends


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Event, int]]:
    """Requests of some rebuilds, ends of any of them, in any order of time."""
    ids = st.sampled_from(("r1", "r2", "r3"))
    ends = st.one_of(
        st.builds(RebuildCompleted, ids, st.just(100)),
        st.builds(RebuildFailed, ids, st.just("hypervisor"), st.just("why")),
        st.just(StateReset("ACTIVE")),
        st.just(ServerDeleted()),
    )
    events = [requested(name) for name in ("r1", "r2", "r3")[: draw(st.integers(0, 3))]]
    events += draw(st.lists(ends, max_size=5))
    times = st.lists(st.integers(0, 9), min_size=len(events), max_size=len(events))
    return list(zip(draw(st.permutations(events)), draw(times), strict=True))


@settings(max_examples=30)
@for_any(histories())
def test_so_it_is_of_any_history(told: list[tuple[Event, int]]) -> None:
    with recorded(told) as servers:
        all_say(servers)
