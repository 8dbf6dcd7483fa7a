"""The timeline: every event of the log once, as the histories tell it, found by any word of it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlite_utils import Database

from serverdomain import (
    SYSTEM,
    Actor,
    Context,
    HistoryEntry,
    InvalidInput,
    NotFound,
    RebuildServer,
    Refused,
    ServerdomainError,
    Servers,
    StoreForeign,
)
from serverdomain.audit.reports import images
from serverdomain.domain import events as e
from serverdomain.projections import following
from serverdomain.projections.timeline import Timeline, TimelineStatus
from serverdomain.store.log import LARGEST
from serverdomain.testing import ADMIN, OWNER, READER, ManualClock, registered, strategies
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, OTHER, SERVER, adopted
from tests.projections.cloud import Cloud, without_plugins

START = datetime(2026, 8, 1, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def servers(kept_url: str, clock: ManualClock) -> Iterator[Servers]:
    with Servers.open(kept_url, clock=clock) as servers:
        servers.register(adopted(), Context(OWNER, "req-register"))
        servers.register(adopted(OTHER, name="other"), Context(ADMIN, "req-other"))
        yield servers


def names(entries: Iterator[HistoryEntry]) -> list[str]:
    return [entry.name for entry in entries]


def histories(servers: Servers, server_ids: Any) -> list[HistoryEntry]:
    """What the histories of all servers tell, in order of occurrence."""
    told = []
    for server_id in server_ids:
        with suppress(NotFound):
            told += servers.history(server_id)
    return sorted(told, key=lambda entry: (entry.occurred_at, entry.position))


# Every event, once


MOMENTS = st.integers(-3, 3).map(lambda seconds: timedelta(seconds=seconds))
SERVERS = st.sampled_from((SERVER, OTHER))
RECORDED = st.tuples(
    st.just("record"),
    SERVERS,
    st.lists(strategies.events(), min_size=1, max_size=3),
    MOMENTS,
)
ASKED = st.tuples(st.just("ask"), SERVERS, strategies.commands(), strategies.actors())
LOOKED = st.sampled_from((("search",), ("replay",)))


@settings(max_examples=settings().max_examples // 2)
@for_any(st.lists(RECORDED | ASKED | LOOKED, max_size=12), st.integers(1, 5))
def test_whatever_happens_it_tells_what_the_histories_tell(
    new_log: Callable[[], str], deeds: Any, page: int
) -> None:
    with Cloud(new_log()) as cloud:
        start = cloud.clock.now
        timeline = Timeline(cloud.store, page=page)
        for number, deed in enumerate([*deeds, ("search",), ("replay",), ("search",)]):
            match deed:
                case ("record", server_id, events, moment):
                    facts = [
                        replace(event, server_id=server_id)
                        if hasattr(event, "server_id")
                        else event
                        for event in events
                    ]
                    cloud.servers.record(server_id, facts, occurred_at=start + moment)
                case ("ask", server_id, command, actor):
                    cloud.clock.advance(1)
                    with suppress(ServerdomainError):
                        cloud.servers.command(server_id, command, Context(actor, f"r-{number}"))
                case ("search",):
                    assert list(timeline.search()) == histories(cloud.servers, (SERVER, OTHER))
                case ("replay",):
                    timeline.replay()
        timeline.close()


def test_a_late_fact_rewrites_what_its_servers_later_events_changed(
    servers: Servers, clock: ManualClock
) -> None:
    clock.advance(60)
    servers.rename(SERVER, "last")
    before = list(servers.timeline.search())
    assert before[-1].changes == (("/name", "foobar", "last"),)

    servers.record(SERVER, [e.ServerRenamed("late")], occurred_at=START)

    after = list(servers.timeline.search())
    assert [entry.changes for entry in after[-2:]] == [
        (("/name", "foobar", "late"),),
        (("/name", "late", "last"),),
    ]
    assert after == histories(servers, (SERVER, OTHER))


def test_a_beginning_that_comes_late_rewrites_what_had_come_before_it(
    servers: Servers, clock: ManualClock
) -> None:
    clock.advance(60)
    servers.record(NEW_IMAGE, [e.ServerRenamed("early")])
    (alone,) = servers.timeline.search(server_id=NEW_IMAGE)
    assert alone.changes == ()

    servers.record(NEW_IMAGE, [registered(server_id=NEW_IMAGE)], occurred_at=START)

    begun, renamed = servers.timeline.search(server_id=NEW_IMAGE)
    assert begun.name == "ServerRegistered"
    assert renamed.changes == (("/name", "foobar", "early"),)
    servers.rename(NEW_IMAGE, "late")
    *_, last = servers.timeline.search(server_id=NEW_IMAGE)
    assert last.changes == (("/name", "early", "late"),)


def test_refusals_stand_in_it_in_their_place(servers: Servers, clock: ManualClock) -> None:
    with pytest.raises(Refused):
        servers.rebuild(
            SERVER, RebuildServer(image_id=NEW_IMAGE), Context(READER, "req-1", "req-g", "req-c")
        )
    clock.advance(1)
    servers.stop(SERVER)

    *_, refusal, stopped = servers.timeline.search()
    assert (refusal.name, refusal.version, refusal.changes) == ("CommandRefused", None, ())
    assert refusal == servers.history(SERVER)[-2]
    assert stopped.version == 2


def test_another_applications_events_are_passed_over(kept_url: str) -> None:
    from uuid import uuid4

    with Cloud(kept_url) as cloud:
        cloud.append_foreign(uuid4(), range(1, 6))
        cloud.create("web")
        assert names(cloud.servers.timeline.search()) == ["ServerRegistered"]
        cloud.append_foreign(uuid4(), range(1, 6))
        list(cloud.servers.timeline.search())
        assert cloud.servers.timeline.status() == (11, 11, 0, 1)


# Searched


def test_a_project_is_that_of_the_server_whoever_asks(servers: Servers) -> None:
    for server_id in (SERVER, OTHER):
        servers.stop(server_id, Context(SYSTEM))
    with pytest.raises(Refused):
        servers.stop(SERVER, Context(Actor("bob", "another"), "req-refused"))
    projects = {one.id: one.project_id for one in servers.list()}
    for project in {*projects.values(), "another"}:
        found = {one.server_id for one in servers.timeline.search(project=project)}
        assert found == {one for one, of in projects.items() if of == project}
    assert names(servers.timeline.search(project=projects[SERVER], request="req-refused")) == [
        "CommandRefused"
    ]


def test_events_come_latest_first_page_by_page(servers: Servers, monkeypatch: Any) -> None:
    monkeypatch.setattr("serverdomain.projections.timeline.PAGE", 2)
    for number in range(5):
        servers.rename(SERVER, f"name-{number}")
    there = list(servers.timeline.search())
    assert list(servers.timeline.search(latest_first=True)) == there[::-1]
    assert list(servers.timeline.search(latest_first=True, limit=3)) == there[:-4:-1]
    assert list(servers.timeline.search(positions=(3, 4))) == there[2:4]


def test_it_is_in_order_of_occurrence_over_all_servers(
    servers: Servers, clock: ManualClock
) -> None:
    clock.advance(60)
    servers.record(SERVER, [e.ServerStopped()], occurred_at=START + timedelta(seconds=30))
    servers.record(OTHER, [e.ServerStopped()], occurred_at=START + timedelta(seconds=20))

    *_, first, last = servers.timeline.search()
    assert (first.server_id, last.server_id) == (OTHER, SERVER)
    assert first.position > last.position


def test_it_is_searched_by_server_and_by_actor(servers: Servers) -> None:
    servers.stop(OTHER, Context(Actor("alice", "openstack")))

    for form in (OTHER, OTHER.upper().replace("-", "")):
        assert names(servers.timeline.search(server_id=form)) == [
            "ServerRegistered",
            "ServerStopped",
        ]
    assert names(servers.timeline.search(actor="alice")) == ["ServerStopped"]
    assert names(servers.timeline.search(actor="alice", server_id=SERVER)) == []


def test_an_image_is_found_where_it_was_asked_for_came_or_went(servers: Servers) -> None:
    servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE))
    with pytest.raises(Refused):
        servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE))
    servers.delete(OTHER)

    assert names(servers.timeline.search(image=NEW_IMAGE)) == [
        "RebuildRequested",
        "ImageChanged",
        "CommandRefused",
    ]
    assert names(servers.timeline.search(image=IMAGE.upper())) == [
        "ServerRegistered",
        "ServerRegistered",
        "ImageChanged",
        "ServerDeleted",
    ]


def test_times_are_those_of_occurrence_and_inclusive(servers: Servers, clock: ManualClock) -> None:
    for seconds in (10, 20, 30):
        at = START + timedelta(seconds=seconds)
        clock.advance(10)
        servers.rename(SERVER, f"at {seconds}", occurred_at=at)

    since, until = START + timedelta(seconds=10), START + timedelta(seconds=20)
    found = servers.timeline.search(since=since, until=until)
    assert [entry.event for entry in found] == [
        e.ServerRenamed("at 10"),
        e.ServerRenamed("at 20"),
    ]
    just = timedelta(microseconds=1)
    assert list(servers.timeline.search(since=since + just, until=until - just)) == []


def test_times_of_recording_are_inclusive_too_whenever_it_occurred(
    servers: Servers, clock: ManualClock
) -> None:
    for seconds in (10, 20, 30):
        clock.advance(10)
        servers.rename(SERVER, f"at {seconds}", occurred_at=START + timedelta(seconds=5))

    def found(since: datetime | None = None, until: datetime | None = None) -> list[int]:
        search = servers.timeline.search(recorded_since=since, recorded_until=until)
        return [entry.position for entry in search]

    one, two = START + timedelta(seconds=10), START + timedelta(seconds=20)
    just = timedelta(microseconds=1)
    assert found(one, two) == [3, 4]
    assert found(one + just) == [4, 5]
    assert found(None, two - just) == [1, 2, 3]
    assert found(one + just, two - just) == []
    both = servers.timeline.search(positions=(2, 4), recorded_since=one, recorded_until=two + just)
    assert [entry.position for entry in both] == [3, 4]
    inner = servers.timeline.search(positions=(4, 4), recorded_since=START, recorded_until=two)
    assert [entry.position for entry in inner] == [4]


def test_positions_that_no_event_can_have_are_before_or_behind_all(servers: Servers) -> None:
    for whole in ((0, LARGEST), (-(2**70), 2**70), (1, LARGEST + 1)):
        assert names(servers.timeline.search(positions=whole)) == ["ServerRegistered"] * 2
    for none in ((2**70, 2**71), (-(2**71), -(2**70)), (LARGEST, LARGEST), (0, 0), (2, 1)):
        assert names(servers.timeline.search(positions=none)) == []


def test_a_time_that_no_event_can_have_is_before_or_behind_all(servers: Servers) -> None:
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=23)))
    last = datetime.max.replace(tzinfo=timezone(timedelta(hours=-23)))
    for since, until in (("since", "until"), ("recorded_since", "recorded_until")):
        whole: Any = {since: first, until: last}
        assert names(servers.timeline.search(**whole)) == ["ServerRegistered"] * 2
        none: Any = {since: last, until: first}
        assert names(servers.timeline.search(**none)) == []


def test_events_are_found_by_their_names(servers: Servers) -> None:
    servers.rename(SERVER, "renamed")
    servers.stop(SERVER)
    found = servers.timeline.search(events=["ServerStopped", "ServerRenamed", "ServerLocked"])
    assert names(found) == ["ServerRenamed", "ServerStopped"]


def test_news_is_all_but_what_was_told_again(servers: Servers) -> None:
    for name in ("seen", "seen"):
        servers.record(SERVER, [e.ServerObserved(server_id=SERVER, name=name)])
    servers.record(SERVER, [e.RebuildRequested("r1", NEW_IMAGE, "given")])
    servers.record(SERVER, [e.RebuildRequested("r1", NEW_IMAGE, "given")])
    servers.record(SERVER, [e.ServerRenamed("seen")])
    found = servers.timeline.search(news=True)
    assert [entry.position for entry in found] == [1, 2, 3, 5, 7]
    assert all(entry.is_news for entry in servers.timeline.search(news=True))


def test_in_a_notebook_it_shows_the_latest_and_how_many_there_are(servers: Servers) -> None:
    for number in range(25):
        servers.rename(SERVER, f"name-{number}")
    shown = servers.timeline._repr_html_()
    assert f"the latest of 27 events in {escape(str(servers._log))}" in shown
    assert shown.count("<tr>") == 1 + 20
    assert "name-24" in shown


def test_a_request_finds_its_own_events_and_all_that_they_caused(servers: Servers) -> None:
    def ask(request_id: str, **more: str) -> Context:
        return Context(SYSTEM, request_id, **more)

    servers.rename(SERVER, "asked", ask("req-1"))
    servers.rename(SERVER, "caused", ask("req-2", caused_by="req-1"))
    servers.rename(OTHER, "caused by that", ask("req-3", caused_by="req-2"))
    servers.rename(OTHER, "correlated", ask("req-4", correlation_id="req-1"))
    servers.rename(OTHER, "caused by the correlated", ask("req-5", caused_by="req-4"))
    with pytest.raises(Refused):
        servers.start(OTHER, ask("req-6", caused_by="req-5"))
    servers.rename(OTHER, "a sibling", ask("req-7", correlation_id="req-2"))
    servers.rename(OTHER, "something else", ask("req-8", caused_by="req-register"))

    def found(request: str) -> list[str]:
        return [entry.request_id for entry in servers.timeline.search(request=request)]

    assert found("req-1") == [f"req-{number}" for number in range(1, 8)]
    assert found("req-2") == ["req-2", "req-3", "req-7"]
    assert found("req-8") == ["req-8"]
    assert found("req-none") == []


def test_causes_that_go_round_are_told_once(servers: Servers) -> None:
    servers.rename(SERVER, "one", Context(SYSTEM, "req-1", caused_by="req-2"))
    servers.rename(SERVER, "two", Context(SYSTEM, "req-2", caused_by="req-1"))

    assert names(servers.timeline.search(request="req-1")) == ["ServerRenamed"] * 2


@pytest.mark.parametrize("text", ["100%", "a_b", 'say "hi"', "back\\slash", "tab\tbed", "漢字"])
def test_text_is_found_as_it_is(servers: Servers, text: str) -> None:
    servers.rename(SERVER, f"x{text}y")
    for close in ("100 %", "a-b", "say 'hi'", "back/slash", "tab bed", "漢子"):
        servers.rename(OTHER, close)

    (found,) = servers.timeline.search(text=text)
    assert found.event == e.ServerRenamed(f"x{text}y")


def test_every_letter_of_a_text_counts(servers: Servers) -> None:
    servers.rename(SERVER, "abc")
    for text, found in (("abc", 1), ("xbc", 0), ("abx", 0), ("axc", 0), ("~", 0)):
        assert len(names(servers.timeline.search(text=text))) == found


def test_text_is_found_in_names_data_and_changes_in_any_case(servers: Servers) -> None:
    servers.rename(SERVER, "Shiny")
    servers.rename(SERVER, "dull")

    assert names(servers.timeline.search(text="sHINY")) == ["ServerRenamed", "ServerRenamed"]
    assert names(servers.timeline.search(text="serverreg")) == ["ServerRegistered"] * 2


def test_the_longest_text_can_be_looked_for(servers: Servers) -> None:
    assert list(servers.timeline.search(text="\0" * 1_000)) == []


def test_a_limit_gives_the_latest_in_the_same_order(servers: Servers, clock: ManualClock) -> None:
    for number in range(5):
        clock.advance(1)
        servers.rename(SERVER, f"name {number}")

    everything = list(servers.timeline.search())
    assert list(servers.timeline.search(limit=3)) == everything[-3:]
    assert list(servers.timeline.search(limit=1)) == everything[-1:]
    assert list(servers.timeline.search(limit=1_000_000_000)) == everything
    assert list(servers.timeline.search(limit=300)) == everything


def test_what_is_more_than_a_page_comes_whole(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        servers.rename(SERVER, f"name {number}")
    whole = list(servers.timeline.search())
    for page in (1, 3, 4, 7, 8, 9):
        monkeypatch.setattr("serverdomain.projections.timeline.PAGE", page)
        assert list(servers.timeline.search()) == whole


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"limit": 0}, "limit: 0 came, a whole number of 1 to 1000000000"),
        ({"limit": 2**70}, "limit: 1180591620717411303424 came"),
        ({"text": ""}, "text: "),
        ({"text": "x" * 1_001}, "text: "),
        ({"image": "foobar"}, "image: "),
        ({"server_id": "foobar"}, "server_id: "),
        ({"since": datetime(2026, 8, 1)}, "since: .* no zone"),  # noqa: DTZ001  # that is it
        ({"until": "now"}, "until: a str came, an aware datetime"),
        ({"text": "\ud800"}, "text: "),
        ({"actor": 5}, "actor: "),
        ({"actor": "\ud800"}, "actor: "),
        ({"project": "\ud800"}, "project: "),
        ({"request": "\ud800"}, "request: "),
        ({"events": ["\ud800"]}, "events: "),
        ({"recorded_since": "now"}, "recorded_since: "),
        ({"recorded_since": datetime(2026, 8, 1)}, "recorded_since: .* no zone"),  # noqa: DTZ001
        ({"recorded_until": datetime(2026, 8, 1)}, "recorded_until: .* no zone"),  # noqa: DTZ001
        ({"limit": 1_000_000_001}, "limit: 1000000001 came"),
    ],
)
def test_what_means_nothing_is_named(servers: Servers, asked: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{says}"):
        servers.timeline.search(**asked)


# Its file


def test_it_lies_beside_the_store_once_it_is_asked_and_list_pays_nothing(
    servers: Servers,
) -> None:
    servers.list()
    caches = servers._log.caches
    assert caches is not None
    assert {path.name for path in caches.parent.glob("*.db")} - {caches.name} == {
        f"{caches.stem}.view.db"
    }

    list(servers.timeline.search())
    assert servers.timeline.path == caches.with_name(f"{caches.stem}.timeline.db")
    with closing(sqlite3.connect(servers.timeline.path)) as outsider:
        assert outsider.execute("SELECT COUNT(*) FROM timeline").fetchone() == (2,)


def test_in_memory_it_lies_in_memory() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        assert names(servers.timeline.search()) == ["ServerRegistered"]
        assert servers.timeline.path is None


def test_a_file_that_goes_is_made_anew(servers: Servers, caplog: pytest.LogCaptureFixture) -> None:
    before = list(servers.timeline.search())
    assert servers.timeline.path is not None
    servers.timeline.path.unlink()

    assert list(servers.timeline.search()) == before
    assert caplog.record_tuples[0][:2] == ("serverdomain", logging.WARNING)
    assert ".timeline.db is gone" in caplog.text


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("event = 'ServerPainted'", "the row of position 1 is of another event"),
        ("data = '[]'", "the row of position 1 is of another event"),
        ("position = 99", "the row of position 99 is of another event"),
        ("changes = '{}'", "a row holds no changes: "),
        ("changes = 5", "a row holds no changes: "),
    ],
)
def test_a_row_that_holds_no_event_is_damage_and_made_anew(
    servers: Servers, caplog: pytest.LogCaptureFixture, broken: str, why: str
) -> None:
    before = list(servers.timeline.search())
    assert servers.timeline.path is not None
    with closing(sqlite3.connect(servers.timeline.path)) as outsider, outsider:
        outsider.execute(f"UPDATE timeline_1 SET {broken} WHERE position = 1")

    assert list(servers.timeline.search()) == before
    assert f"is damaged ({why}" in caplog.text


def test_a_cell_that_a_report_cannot_read_is_damage_and_a_questions_own_fault_is_not(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    def at_fault(rows: Database) -> str:
        return 1 + "one"  # type: ignore[operator]

    before = images(servers.timeline)
    with pytest.raises(TypeError):
        servers.timeline.ask(at_fault)
    assert caplog.messages == []
    assert servers.timeline.path is not None
    with closing(sqlite3.connect(servers.timeline.path)) as outsider, outsider:
        outsider.execute("UPDATE timeline_1 SET image_after = x'00' WHERE position = 1")
        outsider.execute("UPDATE timeline_1 SET image_after = 'a' WHERE position = 2")
    assert images(servers.timeline) == before
    assert "a row holds what no event is" in caplog.text


def test_no_plugin_of_sqlite_utils_comes_near_it(servers: Servers) -> None:
    with without_plugins():
        assert servers.timeline.ask(lambda rows: rows["timeline"].count) == 2


def test_a_view_is_no_timeline(kept_url: str) -> None:
    with Cloud(kept_url) as cloud:
        cloud.servers.list()
        cloud.view_path.rename(str(cloud.view_path).replace(".view.", ".timeline."))
        with pytest.raises(StoreForeign, match="no serverdomain timeline"):
            cloud.servers.timeline.search()


def test_it_holds_what_lies_below_its_position_and_nothing_else_however_far_it_has_come(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "TOGETHER", 1)
    servers.record(SERVER, [e.ServerStopped()], occurred_at=START - timedelta(days=9_999))
    servers.rename(SERVER, "later")
    timeline = Timeline(servers._log, page=1)
    seen: list[TimelineStatus] = []
    timeline.catch_up(lambda position, head: seen.append(timeline.status()))
    timeline.close()
    assert [(one.position, one.events) for one in seen] == [(at, at) for at in (1, 2, 3, 4)]


def test_another_process_finds_it_where_this_one_left_it(servers: Servers, kept_url: str) -> None:
    list(servers.timeline.search())
    servers.stop(SERVER)
    with Servers.open(kept_url) as other:
        assert other.timeline.status() == (2, 3, 1, 2)
        assert names(other.timeline.search())[-1] == "ServerStopped"
    assert servers.timeline.status() == (3, 3, 0, 3)


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({}, "occurred_at"),
        ({"server_id": SERVER}, "server_id_occurred_at"),
        ({"actor": "fake"}, "user_id_occurred_at"),
        ({"since": START}, "occurred_at"),
        ({"image": IMAGE}, "image"),
        ({"request": "req-1"}, "request_id"),
        ({"request": "req-1"}, "caused_by"),
        ({"request": "req-1"}, "correlation_id"),
    ],
)
def test_no_question_but_text_reads_the_whole_timeline(
    servers: Servers, asked: Any, index: str
) -> None:
    said: list[str] = []
    list(servers.timeline.search(**asked))
    with servers.timeline._file.reading() as rows:
        rows.set_trace_callback(said.append)
    list(servers.timeline.search(**asked))
    (question,) = (one for one in said if "FROM timeline" in one and "LIMIT" in one)
    with servers.timeline._file.reading() as rows:
        plan = [row[3] for row in rows.execute(f"EXPLAIN QUERY PLAN {question}")]

    assert any(index in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN timeline") and "INDEX" not in step]


def test_replay_tells_how_far_it_is(servers: Servers) -> None:
    told: list[tuple[int, int]] = []
    servers.timeline.replay(lambda position, head: told.append((position, head)))

    with servers._log.reading() as log:
        assert told[-1] == (2, log.head())
    assert registered().server_id == SERVER
