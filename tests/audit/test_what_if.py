"""What if: decided again by the same rules, compared with what was, and never written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import assume, settings
from hypothesis import given as for_any
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from serverdomain import (
    Actor,
    Conflict,
    Context,
    CreateServer,
    InvalidInput,
    NotFound,
    RebuildServer,
    Refused,
    ServerdomainError,
    Servers,
    StoreDamaged,
    Supposed,
    WhatIf,
)
from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log
from serverdomain.testing import ADMIN, OWNER, READER, ManualClock, strategies
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, OTHER, SERVER, adopted
from tests.simulation.fleet.logs import rows
from tests.store.owner import spoil

START = datetime(2026, 8, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def servers(new_log: Callable[[], str], clock: ManualClock) -> Iterator[Servers]:
    with Servers.open(new_log(), clock=clock) as servers:
        servers.register(adopted(), under("req-register"))
        servers.register(adopted(OTHER), under("req-other"))
        clock.advance(60)
        yield servers


def under(request_id: str, actor: Actor = OWNER, **more: str) -> Context:
    return Context(actor, request_id, **more)


def changed(found: WhatIf) -> dict[str, tuple[object, object]]:
    return {change.path: (change.before, change.after) for change in found.changes}


def outcomes(found: WhatIf) -> dict[str, tuple[str | None, str | None]]:
    return {
        one.request_id: (
            None if one.was is None else one.was.outcome,
            None if one.would_be is None else one.would_be.outcome,
        )
        for one in found.requests
    }


def rebuilt(servers: Servers, clock: ManualClock, request_id: str = "req-1") -> None:
    """A rebuild of two minutes, reported by the hypervisor."""
    command = RebuildServer(image_id=NEW_IMAGE, name="rebuilt", admin_pass="seekr3t")
    servers.rebuild(SERVER, command, under(request_id))
    for number, percent in enumerate((30, 60)):
        clock.advance(40)
        report = Context(request_id=f"{request_id}-{number}", caused_by=request_id)
        servers.report_progress(SERVER, percent, report)
    clock.advance(40)
    servers.complete_rebuild(SERVER, Context(request_id=f"{request_id}-done", caused_by=request_id))


# Nothing else


MOMENTS = st.integers(-5, 5).map(lambda seconds: timedelta(seconds=seconds))
RECORDED = st.tuples(st.lists(strategies.events(), min_size=1, max_size=3), MOMENTS)
ASKED = st.tuples(strategies.commands(), strategies.actors())


@for_any(st.lists(ASKED | RECORDED, max_size=14), st.booleans())
@settings(deadline=None, max_examples=50)
def test_with_no_change_nothing_changes_for_any_history(
    new_log: Callable[[], str], steps: list[Any], created: bool
) -> None:
    clock = ManualClock(START)
    with Servers.open(new_log(), clock=clock) as servers:
        if created:
            command = CreateServer(
                name="web", image_id=IMAGE, flavor_id="1", server_id=SERVER, admin_pass="x"
            )
            servers.create(command, under("req-begins"))
        else:
            servers.register(adopted(), under("req-begins"))
        for number, (what, more) in enumerate(steps, start=1):
            clock.advance(1)
            with suppress(ServerdomainError):
                if isinstance(what, list):
                    servers.record(SERVER, what, occurred_at=clock.now + more)
                else:
                    # Refused ones come back under an id that they had before.
                    servers.command(SERVER, what, under(f"req-{number // 2}", more))
        found = servers.what_if(SERVER)
        assert (found.changes, found.requests) == ((), ())
        assert all(was == would_be for was, would_be in found.rebuilds)
        assert found.was == found.would_be
        if found.was is not None and not found.was.deleted:
            assert found.was == servers.get(SERVER)


def test_with_no_change_nothing_changes_for_a_whole_fleet(new_log: Callable[[], str]) -> None:
    with closing(open_log(new_log())) as store:
        generate(store, 40, seed=3)
        before = rows(store)
        servers = Servers(store)
        server_ids = {row[2] for row in before[0]}
        rebuilds = 0
        for server_id in server_ids:
            found = servers.what_if(server_id)
            assert (found.changes, found.requests) == ((), ())
            rebuilds += len(found.rebuilds)
        assert rebuilds == sum("RebuildRequested" in row[3] for row in before[1])
        assert rows(store) == before


# What would be is what would have been


@for_any(st.lists(ASKED, min_size=1, max_size=14), st.data())
@settings(deadline=None, max_examples=50)
def test_without_a_request_it_is_as_if_nobody_had_asked(
    new_log: Callable[[], str], steps: list[Any], data: Any
) -> None:
    named = [(_named(command), actor) for command, actor in steps]
    everything = dict(enumerate(named))
    with Servers.open(new_log(), clock=ManualClock(START)) as servers:
        _ask(servers, everything)
        # What left no row is not known to a what-if: nobody asks it the second time either.
        known = {entry.request_id for entry in servers.history(SERVER)}
        numbers = [number for number in everything if f"req-{number}" in known]
        assume(numbers)
        dropped = data.draw(st.sampled_from(numbers))
        found = servers.what_if(SERVER, drop=[f"req-{dropped}"])
    with Servers.open(new_log(), clock=ManualClock(START)) as others:
        _ask(others, {number: everything[number] for number in numbers if number != dropped})
        would_be = others.what_if(SERVER).was
    assert found.would_be == would_be
    gone = [one for one in found.requests if one.would_be is None]
    assert [one.request_id for one in gone] == [f"req-{dropped}"]


def _named(command: c.Command) -> c.Command:
    # A report is about a rebuild, and the image is there: what is not asked is not known again.
    if isinstance(command, c.RebuildServer):
        return replace(command, image_known=True)
    if isinstance(command, c.ReportProgress | c.CompleteRebuild | c.FailRebuild):
        return replace(command, rebuild_id="req-1") if command.rebuild_id is UNSET else command
    return command


def _ask(servers: Servers, asked: dict[int, tuple[c.Command, Actor]]) -> None:
    servers.register(adopted(), under("req-register"), occurred_at=START - timedelta(hours=1))
    clock = servers._clock
    assert isinstance(clock, ManualClock)
    for number, (command, actor) in asked.items():
        clock.now = START + timedelta(minutes=number)
        with suppress(ServerdomainError):
            servers.command(SERVER, command, under(f"req-{number}", actor))


# A request


def test_without_a_rebuild_the_reports_about_it_come_to_nothing(
    servers: Servers, clock: ManualClock
) -> None:
    before = servers.get(SERVER)
    rebuilt(servers, clock)
    found = servers.what_if(SERVER, drop=["req-1"])
    assert found.would_be is not None
    assert (found.would_be.image_id, found.would_be.name) == (IMAGE, before.name)
    assert changed(found)["/image/id"] == (NEW_IMAGE, IMAGE)
    assert outcomes(found) == {
        "req-1": ("done", None),
        "req-1-0": ("done", "conflict"),
        "req-1-1": ("done", "conflict"),
        "req-1-done": ("done", "conflict"),
    }
    last = found.requests[-1].would_be
    assert last is not None
    assert (last.rule, "no rebuild is under way" in str(last.why)) == (None, True)
    ((was, would_be),) = found.rebuilds
    assert (was and was.seconds, was and was.ended, would_be) == (120.0, "completed", None)


def test_a_report_that_named_no_rebuild_is_about_the_one_that_it_ended(
    servers: Servers, clock: ManualClock
) -> None:
    rebuilt(servers, clock, "req-1")
    clock.advance(60)
    rebuilt(servers, clock, "req-2")
    found = servers.what_if(SERVER, drop=["req-1-done"])
    # The first never ended, so that the second was refused; and so were its reports.
    assert outcomes(found)["req-2"] == ("done", "refused")
    assert outcomes(found)["req-2-done"] == ("done", "conflict")
    assert found.would_be is not None
    assert found.would_be.status == "REBUILD"
    assert [one and one.ended for one in found.rebuilds[0]] == ["completed", None]


def test_without_a_lock_what_it_refused_would_have_been(
    servers: Servers, clock: ManualClock
) -> None:
    servers.lock(SERVER, under("req-lock", ADMIN))
    with pytest.raises(Refused):
        servers.stop(SERVER, under("req-stop"))
    found = servers.what_if(SERVER, drop=["req-lock"])
    assert outcomes(found) == {"req-lock": ("done", None), "req-stop": ("refused", "done")}
    assert changed(found)["/status"] == ("ACTIVE", "SHUTOFF")
    stopped = found.requests[1]
    assert stopped.was is not None
    assert (stopped.was.rule, stopped.position) == ("lock", 4)


def test_what_was_refused_and_sent_again_happens_once(servers: Servers) -> None:
    servers.lock(SERVER, under("req-lock", ADMIN))
    with pytest.raises(Refused):
        servers.rename(SERVER, "x", under("req-stop", READER))
    for _ in range(2):
        with pytest.raises(Refused):
            servers.stop(SERVER, under("req-stop"))
    servers.unlock(SERVER, under("req-unlock", ADMIN))
    servers.stop(SERVER, under("req-stop"))
    found = servers.what_if(SERVER, drop=["req-lock"])
    told = [(one.request_id, one.would_be and one.would_be.outcome) for one in found.requests]
    assert told == [
        ("req-lock", None),
        ("req-stop", "done"),
        ("req-stop", "repeated"),
        ("req-unlock", "nothing"),
        ("req-stop", "repeated"),
    ]
    assert found.changes == ()


def test_with_a_lock_somebody_would_have_been_refused(servers: Servers, clock: ManualClock) -> None:
    clock.advance(60)
    rebuilt(servers, clock)
    lock = Supposed(c.LockServer(), START + timedelta(minutes=1), under("req-lock", ADMIN))
    found = servers.what_if(SERVER, insert=[lock])
    assert outcomes(found)["req-lock"] == (None, "done")
    assert outcomes(found)["req-1"] == ("done", "refused")
    assert found.requests[0].position is None
    assert found.requests[1].would_be is not None
    assert found.requests[1].would_be.rule == "lock"
    assert found.requests[1].would_be.why is not None
    assert found.requests[1].would_be.why.startswith(f"server {SERVER} is locked")


def test_what_is_supposed_for_the_same_time_comes_behind_what_was_asked_then(
    servers: Servers, clock: ManualClock
) -> None:
    asked = clock.now
    rebuilt(servers, clock)
    lock = Supposed(c.LockServer(), asked, under("req-lock", ADMIN))
    assert outcomes(servers.what_if(SERVER, insert=[lock])) == {"req-lock": (None, "done")}


def test_what_is_supposed_last_comes_last(servers: Servers, clock: ManualClock) -> None:
    rebuilt(servers, clock)
    rename = Supposed(c.RenameServer(name="last"), clock.now + timedelta(1), under("req-last"))
    found = servers.what_if(SERVER, insert=[rename])
    assert changed(found) == {"/name": ("rebuilt", "last")}


def test_what_is_supposed_has_a_time_with_a_zone(servers: Servers) -> None:
    naive = Supposed(c.StopServer(), datetime(2026, 8, 1), Context())  # noqa: DTZ001
    with pytest.raises(InvalidInput, match=r"^occurred_at: 2026-08-01T00:00:00 has no zone"):
        servers.what_if(SERVER, insert=[naive])


def test_another_kind_of_request_in_its_place_is_told_by_its_own(servers: Servers) -> None:
    servers.rename(SERVER, "renamed", under("req-1"))
    (one,) = servers.what_if(SERVER, replace={"req-1": c.StopServer()}).requests
    assert (one.kind, one.would_be and one.would_be.events) == ("stop", (e.ServerStopped(),))


def test_another_request_in_its_place_is_asked_by_the_same_at_the_same_time(
    servers: Servers, clock: ManualClock
) -> None:
    rebuilt(servers, clock)
    other = RebuildServer(image_id=OTHER, metadata={"rack": "7"})
    found = servers.what_if(SERVER, replace={"req-1": other})
    assert changed(found)["/image/id"] == (NEW_IMAGE, OTHER)
    assert changed(found)["/metadata/rack"] == (None, "7")
    assert outcomes(found) == {"req-1": ("done", "done")}
    (one,) = found.requests
    assert one.would_be is not None
    assert one.would_be.events[0] == e.RebuildRequested("req-1", OTHER, "generated")
    assert [time and time.seconds for time in found.rebuilds[0]] == [120.0, 120.0]


def test_a_rebuild_that_failed_is_compared_in_time(servers: Servers, clock: ManualClock) -> None:
    servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE), under("req-1"))
    clock.advance(90)
    servers.fail_rebuild(SERVER, "no", "scheduling", Context(request_id="req-fail"))
    ended = Supposed(c.CompleteRebuild(), START + timedelta(seconds=90), under("req-done"))
    found = servers.what_if(SERVER, drop=["req-fail"], insert=[ended])
    assert changed(found)["/status"] == ("ERROR", "ACTIVE")
    ((was, would_be),) = found.rebuilds
    assert was is not None
    assert would_be is not None
    assert (was.ended, was.seconds, would_be.ended, would_be.seconds) == (
        *("failed", 90.0),
        *("completed", 30.0),
    )


# What was not asked


def test_what_was_not_asked_is_as_its_events_have_it(servers: Servers, clock: ManualClock) -> None:
    created = servers.create(
        CreateServer(name="web", image_id=IMAGE, flavor_id="1"), under("req-create")
    ).server
    unknown = RebuildServer(image_id=NEW_IMAGE, image_known=False)
    with pytest.raises(Refused):
        servers.rebuild(SERVER, unknown, under("req-unknown"))
    rebuilt(servers, clock)
    assert servers.what_if(created.id, drop=[]).would_be == created
    rename = Supposed(c.RenameServer(name="x"), START, Context())
    found = servers.what_if(SERVER, insert=[rename])
    assert "req-unknown" not in outcomes(found), "the image is as unknown as it was"
    assert "req-1" not in outcomes(found), "the password is given as it was"


# Facts and events


def test_facts_that_were_told_are_taken_as_they_are(servers: Servers, clock: ManualClock) -> None:
    servers.record(
        SERVER,
        [e.ServerRenamed("told"), e.ServerStopped()],
        under("req-told"),
        occurred_at=clock.now,
    )
    assert changed(servers.what_if(SERVER, drop=["req-told"])).keys() >= {"/name", "/status"}
    without = servers.what_if(SERVER, drop=[3])
    assert changed(without) == {"/name": ("told", "foobar")}
    instead = servers.what_if(SERVER, replace={3: [e.ServerRenamed("other")]})
    assert changed(instead) == {"/name": ("told", "other")}
    facts = Supposed([e.ServerLocked("admin")], clock.now, under("req-facts"))
    clock.advance(60)
    servers.start(SERVER, under("req-start"))
    assert outcomes(servers.what_if(SERVER, insert=[facts])) == {
        "req-facts": (None, "done"),
        "req-start": ("done", "refused"),
    }


def test_facts_may_take_the_place_of_a_request(servers: Servers) -> None:
    servers.rename(SERVER, "renamed", under("req-1"))
    found = servers.what_if(SERVER, replace={"req-1": [e.ServerStopped()]})
    assert changed(found).keys() == {"/name", "/progress", "/status"}
    (one,) = found.requests
    assert one.would_be is not None
    assert one.would_be.events == (e.ServerStopped(),)


def test_a_late_fact_is_not_known_before_it_came(servers: Servers, clock: ManualClock) -> None:
    clock.advance(60)
    servers.rename(SERVER, "new", under("req-new"))
    clock.advance(60)
    late = START + timedelta(seconds=61)
    servers.record(SERVER, [e.ServerRenamed("new")], under("req-late"), occurred_at=late)
    assert servers.what_if(SERVER).requests == ()
    found = servers.what_if(SERVER, drop=["req-new"])
    assert found.would_be is not None
    assert (found.would_be.name, found.changes) == ("new", ())


def test_an_event_may_be_dropped_from_what_is_decided(servers: Servers, clock: ManualClock) -> None:
    rebuilt(servers, clock)
    (image_changed,) = (one for one in servers.history(SERVER) if one.name == "ImageChanged")
    found = servers.what_if(SERVER, drop=[image_changed.position])
    assert changed(found) == {"/image/id": (NEW_IMAGE, IMAGE)}


def test_without_its_beginning_a_server_is_not_there(servers: Servers, clock: ManualClock) -> None:
    rebuilt(servers, clock)
    found = servers.what_if(SERVER, drop=["req-register"])
    assert found.would_be is None
    assert set(outcomes(found).values()) == {("done", None), ("done", "conflict")}
    assert found.as_json()["status"] == {"was": "ACTIVE", "would_be": None}


# How it is told


def test_an_answer_as_json_has_the_documented_members(servers: Servers, clock: ManualClock) -> None:
    rebuilt(servers, clock)
    with pytest.raises(Refused):
        servers.start(SERVER, under("req-start"))
    start = {"requested_at": "2026-08-01T00:01:00.000000Z"}
    why = f"server {SERVER} is ACTIVE: start is allowed in SHUTOFF"
    assert servers.what_if(SERVER, drop=["req-1-done", "req-start"]).as_json() == {
        "server_id": SERVER,
        "status": {"was": "ACTIVE", "would_be": "REBUILD"},
        "changes": [
            {"path": "/progress", "from": 100, "to": 60},
            {"path": "/status", "from": "ACTIVE", "to": "REBUILD"},
        ],
        "requests": [
            {
                "request_id": "req-1-done",
                "kind": "complete_rebuild",
                "occurred_at": "2026-08-01T00:03:00.000000Z",
                "position": 8,
                "was": {
                    "outcome": "done",
                    "events": ["RebuildCompleted"],
                    "rule": None,
                    "why": None,
                },
                "would_be": None,
            },
            {
                "request_id": "req-start",
                "kind": "start",
                "occurred_at": "2026-08-01T00:03:00.000000Z",
                "position": 9,
                "was": {"outcome": "refused", "events": [], "rule": "state", "why": why},
                "would_be": None,
            },
        ],
        "rebuilds": [
            {
                "rebuild_id": "req-1",
                "was": {
                    **start,
                    "ended_at": "2026-08-01T00:03:00.000000Z",
                    "ended": "completed",
                    "seconds": 120.0,
                },
                "would_be": {**start, "ended_at": None, "ended": None, "seconds": None},
            }
        ],
    }


def test_who_waits_is_told_how_many_requests_are_decided(
    servers: Servers, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serverdomain.audit.what_if._EVERY", 2)
    rebuilt(servers, clock)
    told: list[tuple[int, int]] = []
    servers.what_if(SERVER, progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]


# What cannot be


@pytest.mark.parametrize("named", ["req-nobody", "req-other", 2, 99])
def test_what_is_not_in_this_history_is_not_found(servers: Servers, named: Any) -> None:
    with pytest.raises(NotFound, match=f"{named}.* is not in the history of server {SERVER}"):
        servers.what_if(SERVER, drop=[named])
    with pytest.raises(NotFound):
        servers.what_if(SERVER, replace={named: [e.ServerStopped()]})


def test_a_command_is_no_event(servers: Servers) -> None:
    with pytest.raises(InvalidInput, match=r"^replace: a command came for the event at position"):
        servers.what_if(SERVER, replace={1: c.StopServer()})


@pytest.mark.parametrize(("change", "wrong"), [("drop", 1.5), ("insert", "req-1")])
def test_what_is_no_change_is_refused_by_name(servers: Servers, change: str, wrong: Any) -> None:
    with pytest.raises(InvalidInput, match=f"^{change}: "):
        servers.what_if(SERVER, **{change: iter([wrong])})


def test_a_server_that_never_was_has_no_other_past(servers: Servers) -> None:
    with pytest.raises(NotFound, match="never was"):
        servers.what_if("9c2e9d1e-6f0d-4b8c-8d63-5c1f6c6c1c11")


def test_a_request_that_said_when_is_known_as_well(servers: Servers, clock: ManualClock) -> None:
    servers.rename(SERVER, "renamed", under("req-1"), occurred_at=clock.now)
    assert servers.what_if(SERVER).requests == ()


def test_a_request_that_cannot_be_read_is_told_with_its_first_event(
    servers: Servers, clock: ManualClock
) -> None:
    rebuilt(servers, clock)
    spoil(servers._log, "UPDATE commands SET members = '[]' WHERE command_id = 3")
    told = "^command 3, whose events begin at position 3, cannot be read: Expected `object`"
    with pytest.raises(StoreDamaged, match=told):
        servers.what_if(SERVER)


def test_nothing_is_written_and_nothing_secret_told(servers: Servers, clock: ManualClock) -> None:
    rebuilt(servers, clock)
    before = rows(servers._log)
    found = servers.what_if(SERVER, drop=["req-1"], replace={"req-1-done": c.StopServer()})
    assert rows(servers._log) == before
    assert "seekr3t" not in repr(found)
    with pytest.raises(Conflict):
        servers.complete_rebuild(SERVER)
