"""That a rebuild ended, and how, is the same whoever is asked: there is one lifecycle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from serverdomain import Context, RebuildServer, Servers
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
from serverdomain.testing import OWNER, ManualClock, registered
from serverdomain.testing.store_contract import NEW_IMAGE

SERVER = registered().server_id
Ends = dict[str, str | None]


def requested(rebuild_id: str) -> RebuildRequested:
    return RebuildRequested(rebuild_id, NEW_IMAGE, "generated")


def recorded(url: str, told: list[tuple[Event, int]]) -> Servers:
    """A log that took these facts in, in this order; times are seconds behind the beginning."""
    clock = ManualClock()
    begun = clock.now
    servers = Servers.open(url, clock=clock)
    servers.record(SERVER, [registered()], occurred_at=begun)
    clock.advance(3_600)
    for event, seconds in told:
        servers.record(SERVER, [event], occurred_at=begun + timedelta(seconds=seconds))
    return servers


def as_what_if_says(servers: Servers) -> list[RebuildTime]:
    pairs = servers.what_if(SERVER).rebuilds
    assert all(was == would_be for was, would_be in pairs), "nothing was supposed otherwise"
    return [was for was, _ in pairs if was is not None]


def as_the_timeline_says(servers: Servers) -> list[list[str | None]]:
    query = (
        "SELECT rebuild_id, host_id, ended, replaced FROM timeline ORDER BY occurred_at, position"
    )
    told: list[list[str | None]] = []
    for row in servers.timeline.ask(lambda rows: list(rows.query(query))):
        ended = "replaced" if row["replaced"] is not None else row["ended"]
        if ended is not None:
            assert told[-1] == [row["replaced"] or row["rebuild_id"], None]
            told[-1][1] = ended
        if row["host_id"] is not None:
            told.append([row["rebuild_id"], None])
    return told


def all_say(servers: Servers) -> Ends:
    """How each rebuild ended, as what-if, the timeline and the report agree.

    Of one that was asked for again under its id, how it ended the last time.
    """
    times = as_what_if_says(servers)
    assert as_the_timeline_says(servers) == [[one.rebuild_id, one.ended] for one in times]
    report = rebuilds(servers.timeline)
    assert report.outcomes == Counter(one.ended or "never" for one in times)
    assert [one.rebuild_id for one in report.never_ended] == [
        one.rebuild_id for one in times if one.ended is None
    ]
    took = [one.seconds for one in times if one.ended == "completed"]
    assert report.durations == pytest.approx(sorted(took), abs=0.01)
    return {one.rebuild_id: one.ended for one in times}


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
    with recorded("memory:", told if arriving == "in order" else told[::-1]) as servers:
        assert all_say(servers) == ends


AGAIN = requested("r1")
DONE, FAILED = RebuildCompleted("r1", 100), RebuildFailed("r1", "hypervisor", "disk full")


@pytest.mark.parametrize(
    ("events", "ends"),
    [
        ([AGAIN, DONE, AGAIN], {"r1": ["completed", None]}),
        ([AGAIN, DONE, AGAIN, DONE], {"r1": ["completed", "completed"]}),
        ([AGAIN, FAILED, AGAIN, DONE], {"r1": ["failed", "completed"]}),
        ([AGAIN, requested("r2"), AGAIN], {"r1": ["replaced", None], "r2": ["replaced"]}),
        (
            [AGAIN, requested("r2"), AGAIN, requested("r2"), DONE],
            {"r1": ["replaced", "replaced"], "r2": ["replaced", None]},
        ),
    ],
)
@pytest.mark.parametrize("seconds", [1, 0], ids=["later", "at the same time"])
def test_one_that_is_asked_for_again_under_its_id_is_told_as_often(
    events: list[Event], ends: dict[str, list[str | None]], seconds: int
) -> None:
    with recorded(
        "memory:", [(event, at * seconds) for at, event in enumerate(events, start=1)]
    ) as servers:
        all_say(servers)
        told: dict[str, list[str | None]] = {}
        for one in as_what_if_says(servers):
            told.setdefault(one.rebuild_id, []).append(one.ended)
        assert told == ends


def test_the_time_of_a_rebuild_is_told_in_plain_values_also_while_it_is_under_way() -> None:
    happened = [(requested("r1"), 1), (RebuildCompleted("r1", 100), 3), (AGAIN, 5)]
    with recorded("memory:", happened) as servers:
        done, under_way = as_what_if_says(servers)
        begun = servers.history(SERVER)[0].occurred_at
    asked, ended, asked_again = (
        (begun + timedelta(seconds=at)).strftime("%Y-%m-%dT%H:%M:%S.%fZ") for at in (1, 3, 5)
    )
    assert done.as_json() == {
        "requested_at": asked,
        "ended_at": ended,
        "ended": "completed",
        "seconds": 2.0,
    }
    assert under_way.as_json() == {
        "requested_at": asked_again,
        "ended_at": None,
        "ended": None,
        "seconds": None,
    }


def test_who_asked_for_a_rebuild_by_a_command_is_told_how_that_one_ended() -> None:
    with recorded("memory:", []) as servers:
        command = RebuildServer(image_id=NEW_IMAGE)
        servers.rebuild(SERVER, command, Context(OWNER, "r1"))
        servers.complete_rebuild(SERVER)
        servers.record(SERVER, [AGAIN, FAILED])
        (action,) = servers.actions(SERVER)
        assert not action.failed
        all_say(servers)


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
    events = [requested(name) for name in draw(st.lists(ids, max_size=4))]
    events += draw(st.lists(ends, max_size=5))
    times = st.lists(st.integers(0, 9), min_size=len(events), max_size=len(events))
    return list(zip(draw(st.permutations(events)), draw(times), strict=True))


@settings(max_examples=30)
@for_any(histories())
def test_so_it_is_of_any_history(new_log: Callable[[], str], told: list[tuple[Event, int]]) -> None:
    with recorded(new_log(), told) as servers:
        all_say(servers)
