"""Which rebuild a fact asked for or ended, and how: what every report is told."""

from __future__ import annotations

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from serverdomain.domain.events import (
    Event,
    ImageChanged,
    RebuildCompleted,
    RebuildFailed,
    RebuildProgressed,
    RebuildRequested,
    ServerDeleted,
    ServerObserved,
    ServerRenamed,
    ServerStopped,
    StateReset,
)
from serverdomain.domain.history import Fact
from serverdomain.domain.lifecycle import Turn, turn, turns
from serverdomain.domain.server import evolve
from serverdomain.testing import registered, strategies
from tests.domain.table import ANOTHER_IMAGE, IMAGE

SERVER = registered().server_id
NOTHING = Turn()


def requested(rebuild_id: str, image_id: str = IMAGE) -> RebuildRequested:
    return RebuildRequested(rebuild_id, image_id, "generated")


def turns_of(*events: Event) -> list[Turn]:
    """What each event did, one second behind the other."""
    facts = [Fact(at, at, SERVER, at, event) for at, event in enumerate(events, start=1)]
    told = list(turns(facts))
    assert [fact for fact, _ in told] == facts
    return [turn for _, turn in told]


R1, R2 = requested("r1"), requested("r2")


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param((), [], id="nothing happened"),
        pytest.param((R1,), [Turn("r1")], id="under way"),
        pytest.param(
            (R1, RebuildCompleted("r1", 100)),
            [Turn("r1"), Turn(None, "r1", "completed")],
            id="completed",
        ),
        pytest.param(
            (R1, RebuildProgressed("r1", 40), RebuildFailed("r1", "hypervisor", "disk full")),
            [Turn("r1"), NOTHING, Turn(None, "r1", "failed")],
            id="failed",
        ),
        pytest.param(
            (R1, StateReset("ERROR")), [Turn("r1"), Turn(None, "r1", "reset")], id="reset"
        ),
        pytest.param(
            (R1, ServerDeleted()), [Turn("r1"), Turn(None, "r1", "deleted")], id="deleted"
        ),
        pytest.param(
            (R1, R2, RebuildCompleted("r2", 100)),
            [Turn("r1"), Turn("r2", "r1", "replaced"), Turn(None, "r2", "completed")],
            id="replaced at the request of another",
        ),
        pytest.param(
            (R1, R2, RebuildCompleted("r1", 100), RebuildCompleted("r2", 100)),
            [Turn("r1"), Turn("r2", "r1", "replaced"), NOTHING, Turn(None, "r2", "completed")],
            id="a late completion of one that is not under way",
        ),
        pytest.param(
            (R1, RebuildCompleted("r1", 100), RebuildFailed("r1", "hypervisor", "late")),
            [Turn("r1"), Turn(None, "r1", "completed"), NOTHING],
            id="ended once",
        ),
        pytest.param(
            (RebuildCompleted("r1", 100), RebuildFailed("r1", "scheduling", "early"), R1),
            [NOTHING, NOTHING, Turn("r1")],
            id="an end before its request",
        ),
        pytest.param(
            (R1, requested("r1", ANOTHER_IMAGE), RebuildCompleted("r1", 100)),
            [Turn("r1"), NOTHING, Turn(None, "r1", "completed")],
            id="the same id asked for twice",
        ),
        pytest.param(
            (R1, RebuildCompleted("r1", 100), R1),
            [Turn("r1"), Turn(None, "r1", "completed"), Turn("r1")],
            id="the same id asked for again, ended",
        ),
        pytest.param(
            (R1, ServerDeleted(), RebuildCompleted("r1", 100), R2, StateReset("ACTIVE")),
            [Turn("r1"), Turn(None, "r1", "deleted"), NOTHING, NOTHING, NOTHING],
            id="facts after a deletion",
        ),
        pytest.param(
            (R1, ImageChanged(IMAGE), ServerRenamed("new"), ServerStopped(), registered()),
            [Turn("r1"), NOTHING, NOTHING, NOTHING, NOTHING],
            id="what neither asks for one nor ends it",
        ),
        pytest.param(
            (R1, ServerObserved(server_id=SERVER, state="ERROR"), RebuildCompleted("r1", 100)),
            [Turn("r1"), NOTHING, Turn(None, "r1", "completed")],
            id="observed meanwhile",
        ),
        pytest.param(
            (StateReset("ACTIVE"), ServerDeleted()),
            [NOTHING, NOTHING],
            id="none was under way",
        ),
    ],
)
def test_what_each_fact_of_a_server_did(events: tuple[Event, ...], expected: list[Turn]) -> None:
    begun, *did = turns_of(registered(), *events)
    assert begun == NOTHING
    assert did == expected


def test_before_a_beginning_nothing_is_asked_for_and_nothing_ends() -> None:
    assert turns_of(R1, RebuildCompleted("r1", 100), ServerDeleted(), registered(), R2) == [
        *[NOTHING] * 4,
        Turn("r2"),
    ]


def test_so_it_is_for_a_server_that_was_first_observed() -> None:
    observed = ServerObserved(server_id=SERVER)
    assert turns_of(R1, observed, R2, StateReset("ACTIVE")) == [
        *[NOTHING] * 2,
        Turn("r2"),
        Turn(None, "r2", "reset"),
    ]


@for_any(strategies.histories(), st.lists(strategies.facts(), max_size=6))
def test_of_any_history_a_rebuild_ends_only_if_it_was_asked_for_and_the_last_is_under_way(
    history: list[tuple[Event, int]], more: list[tuple[Event, int]]
) -> None:
    server = None
    under_way = None
    for event, at in [*history, *more]:
        after = evolve(server, event, at)
        asked, ended, how = turn(server, event, after)
        assert (ended is None) == (how is None)
        assert ended in (None, under_way)
        if ended is not None:
            under_way = None
        if asked is not None:
            assert isinstance(event, RebuildRequested)
            assert asked == event.rebuild_id != ended
            assert (how == "replaced") == (ended is not None)
            under_way = asked
        now = after.rebuild.id if after is not None and after.rebuild is not None else None
        assert now == under_way
        server = after
