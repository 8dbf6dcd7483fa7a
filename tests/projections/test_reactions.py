"""Your code, once something happened: at least once, in order, and alone."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Event as Flag
from typing import Any

import pytest
from msgspec import structs

from serverdomain import Context, InvalidInput, NotFound, RebuildServer, Refused, Servers
from serverdomain.domain.events import RebuildRequested, ServerRenamed
from serverdomain.projections.happened import Happened
from serverdomain.projections.reactions import Reaction
from serverdomain.store.bookmarks import Bookmark
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, SERVER, adopted
from tests.projections.cloud import Cloud
from tests.store.owner import backup_of

SECONDS = 20


@pytest.fixture
def servers(any_url: str) -> Iterator[Servers]:
    with Servers.open(any_url) as opened:
        opened.register(adopted())
        yield opened


def test_a_new_reaction_begins_at_the_head(servers: Servers) -> None:
    told: Queue[Happened] = Queue()
    with servers.react("billing", told.put):
        servers.rename(SERVER, "after", Context(request_id="req-1"))
        first = told.get(timeout=SECONDS)

    assert (first.name, first.event, first.request_id) == (
        "ServerRenamed",
        ServerRenamed("after"),
        "req-1",
    )
    assert told.empty()


def test_or_at_the_beginning(servers: Servers) -> None:
    told: Queue[Happened] = Queue()
    with servers.react("billing", told.put, start="beginning"):
        assert told.get(timeout=SECONDS).name == "ServerRegistered"


def test_its_place_is_saved_once_a_second_and_when_it_stops(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    keep = servers._log.keep_bookmark

    def noted(place: Bookmark, *more: Any) -> bool:
        saved.append(place.position)
        return keep(place, *more)

    monkeypatch.setattr(servers._log, "keep_bookmark", noted)
    began = time.monotonic()
    with servers.react("billing", lambda _: None) as billing:
        for number in range(60):
            servers.rename(SERVER, str(number))
            assert billing.caught_up(SECONDS)
    took = time.monotonic() - began

    # The first is where it began.
    assert len(saved) <= took + 2
    assert saved[-1] == servers.reactions()[0].position == 61


def test_it_goes_on_where_it_stopped(servers: Servers) -> None:
    told: Queue[Happened] = Queue()
    with servers.react("billing", told.put, start="beginning"):
        told.get(timeout=SECONDS)
    for number in range(150):
        servers.rename(SERVER, f"name {number}")
    with servers.react("billing", told.put, start="beginning"):
        names = [told.get(timeout=SECONDS).event for _ in range(150)]

    assert names == [ServerRenamed(f"name {number}") for number in range(150)]
    assert told.empty()


def test_what_a_handler_commands_bears_the_cause_and_happens_once(servers: Servers) -> None:
    done: Queue[bool] = Queue()

    def finish(told: Happened) -> None:
        if isinstance(told.event, RebuildRequested):
            for _ in range(2):
                accepted = servers.complete_rebuild(
                    told.server_id, told.context(), rebuild_id=told.event.rebuild_id
                )
                done.put(accepted.replayed)

    with servers.react("hypervisor", finish):
        servers.rebuild(SERVER, RebuildServer(image_id=IMAGE), Context(request_id="req-1"))
        replayed = [done.get(timeout=SECONDS), done.get(timeout=SECONDS)]

    assert replayed == [False, True]
    completed = servers.history(SERVER)[-1]
    assert (completed.name, completed.caused_by) == ("RebuildCompleted", "req-1")


def test_what_is_commanded_is_named_by_the_events_number_in_its_command(servers: Servers) -> None:
    told: Queue[Happened] = Queue()
    with servers.react("mirror", told.put, events=["ServerRenamed", "RebuildRequested"]):
        servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE, name="new"))
        asked, renamed = told.get(timeout=SECONDS), told.get(timeout=SECONDS)

    assert (asked.name, asked.number, renamed.name, renamed.number) == (
        *("RebuildRequested", 1),
        *("ServerRenamed", 3),
    )
    assert asked.context() != renamed.context()
    elsewhere = structs.replace(renamed.recorded, position=99)
    assert replace(renamed, recorded=elsewhere).context() == renamed.context()


def test_a_handler_that_fails_is_tried_again_with_the_same_event(servers: Servers) -> None:
    tried: list[int] = []
    told: Queue[Happened] = Queue()

    def fails_twice(happened: Happened) -> None:
        tried.append(happened.position)
        if len(tried) < 3:
            raise RuntimeError("not yet")
        told.put(happened)

    with servers.react("billing", fails_twice):
        servers.rename(SERVER, "after")
        position = told.get(timeout=SECONDS).position

    assert tried == [position] * 3


def test_one_that_goes_on_failing_stops_alone_and_says_why(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    told: Queue[Happened] = Queue()

    def fails(happened: Happened) -> None:
        raise RuntimeError(f"no room for {happened.name}")

    with servers.react("billing", fails, attempts=2) as billing, servers.react("audit", told.put):
        position = servers.rename(SERVER, "after").position
        until_stopped(billing)
        servers.rename(SERVER, "later")
        assert [told.get(timeout=SECONDS).event for _ in range(2)] == [
            ServerRenamed("after"),
            ServerRenamed("later"),
        ]

    _, stopped = servers.reactions()
    assert (stopped.name, stopped.stopped_at) == ("billing", position)
    assert stopped.why == "RuntimeError: no room for ServerRenamed"
    assert f"reaction billing stopped at position {position}: {stopped.why}; look" in caplog.text


def test_a_handler_may_stop_its_own_reaction(servers: Servers) -> None:
    came_to: Queue[str] = Queue()

    def only_once(happened: Happened) -> None:
        reaction.stop()
        came_to.put(happened.name)

    reaction = servers.react("once", only_once)
    position = servers.rename(SERVER, "after").position
    assert came_to.get(timeout=SECONDS) == "ServerRenamed"
    reaction.stop()
    servers.rename(SERVER, "later")

    (place,) = servers.reactions()
    assert (place.position, place.why) == (position, None)
    assert came_to.empty()


def test_a_handler_that_wants_to_leave_fails_like_any_other(servers: Servers) -> None:
    def leaves(happened: Happened) -> None:
        sys.exit("enough")

    with servers.react("billing", leaves, attempts=1) as billing:
        servers.rename(SERVER, "after")
        assert billing.stopped.wait(SECONDS)
        assert billing.is_alive
    (place,) = servers.reactions()
    assert place.why == "SystemExit: enough"


@pytest.mark.parametrize("skip", [True, False])
def test_a_stopped_one_tries_again_or_goes_on_behind_its_event(
    servers: Servers, skip: bool
) -> None:
    told: Queue[object] = Queue()
    broken = [True]

    def fails_at_first(happened: Happened) -> None:
        if broken[0]:
            raise RuntimeError("no room")
        told.put(happened.event)

    with servers.react("billing", fails_at_first, attempts=1) as billing:
        servers.rename(SERVER, "after")
        until_stopped(billing)
        broken[0] = False
        servers.skip_reaction("billing") if skip else servers.resume_reaction("billing")
        servers.rename(SERVER, "later")
        first = told.get(timeout=SECONDS)

    assert first == ServerRenamed("later" if skip else "after")


def test_one_that_is_not_there_cannot_be_resumed(servers: Servers) -> None:
    with pytest.raises(NotFound, match="'billing' is not there, none is"):
        servers.resume_reaction("billing")


@pytest.mark.parametrize("name", ["", "a/b", "a b", "é", "x" * 65, ".hidden"])
def test_a_reaction_has_a_name_that_a_file_may_have(servers: Servers, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^name: "):
        servers.react(name, lambda happened: None)


def test_two_of_one_name_never_work_at_once_and_the_second_takes_over(
    kept_url: str,
) -> None:
    told: Queue[tuple[str, str]] = Queue()

    def of(who: str) -> Callable[[Happened], None]:
        return lambda happened: told.put((who, happened.name))

    with Servers.open(kept_url) as servers, Servers.open(kept_url) as other:
        servers.register(adopted())
        first = servers.react("billing", of("first"))
        servers.rename(SERVER, "one")
        assert told.get(timeout=SECONDS)[0] == "first"
        second = other.react("billing", of("second"))
        for number in range(20):
            servers.rename(SERVER, f"name {number}")
        assert {told.get(timeout=SECONDS)[0] for _ in range(20)} == {"first"}
        first.stop()
        servers.rename(SERVER, "last")
        assert told.get(timeout=SECONDS)[0] == "second"
        second.stop()
    assert told.empty()


def test_an_event_of_a_newer_release_stops_it_with_words(kept_url: str) -> None:
    told: Queue[Happened] = Queue()
    with Cloud(kept_url) as cloud:
        cloud.servers.register(adopted())
        cloud.append_newer(SERVER)
        until_stopped(cloud.servers.react("billing", told.put, start="beginning"))
        (stopped,) = cloud.servers.reactions()

    assert told.get(timeout=SECONDS).position == 1
    assert (stopped.position, stopped.stopped_at) == (1, 2)
    assert "ServerTeleported" in (stopped.why or "")


def test_what_it_needs_at_work_is_entered_before_the_first_event_and_left_after_the_last(
    servers: Servers,
) -> None:
    told: Queue[str] = Queue()

    @contextmanager
    def at_work() -> Iterator[None]:
        told.put("entered")
        yield
        told.put("left")

    reaction = servers.react(
        "billing", lambda happened: told.put(happened.name), start="beginning", at_work=at_work
    )
    assert reaction.caught_up(SECONDS)
    reaction.stop()
    assert [told.get_nowait() for _ in range(3)] == ["entered", "ServerRegistered", "left"]
    assert told.empty()


def test_only_one_of_two_is_at_work_and_the_other_enters_when_it_has_left(kept_url: str) -> None:
    told: Queue[str] = Queue()

    def at_work(who: str) -> Callable[[], AbstractContextManager[None]]:
        @contextmanager
        def entered() -> Iterator[None]:
            told.put(f"{who} entered")
            yield
            told.put(f"{who} left")

        return entered

    with Servers.open(kept_url) as one, Servers.open(kept_url) as other:
        first = one.react("billing", print, at_work=at_work("first"))
        assert first.caught_up(SECONDS)
        second = other.react("billing", print, at_work=at_work("second"))
        one.register(adopted())
        assert first.caught_up(SECONDS)
        assert not second.caught_up(SECONDS), "it stands by"
        first.stop()
        assert [told.get(timeout=SECONDS) for _ in range(3)] == [
            "first entered",
            "first left",
            "second entered",
        ]


def test_what_cannot_be_entered_stops_it_with_words_until_it_is_resumed(servers: Servers) -> None:
    told: Queue[str] = Queue()
    broken = [True]

    @contextmanager
    def at_work() -> Iterator[None]:
        if broken[0]:
            raise RuntimeError("no bridge")
        yield

    reaction = servers.react(
        "billing",
        lambda happened: told.put(happened.name),
        start="beginning",
        attempts=1,
        at_work=at_work,
    )
    until_stopped(reaction)
    (stopped,) = servers.reactions()
    assert (stopped.stopped_at, stopped.why) == (0, "RuntimeError: no bridge")
    assert not reaction.caught_up(SECONDS)
    broken[0] = False
    servers.resume_reaction("billing")
    assert told.get(timeout=SECONDS) == "ServerRegistered"


def test_it_says_when_it_was_told_of_all(servers: Servers) -> None:
    told: list[int] = []
    with servers.react("billing", lambda happened: told.append(happened.position)) as reaction:
        for number in range(120):
            position = servers.rename(SERVER, f"name {number}").position
        assert reaction.caught_up(SECONDS)
        assert told[-1] == position
        assert reaction.is_alive
    assert not reaction.is_alive


def test_one_that_is_not_done_in_time_says_so(servers: Servers) -> None:
    going_on = Flag()
    with servers.react("billing", lambda happened: bool(going_on.wait(SECONDS))) as reaction:
        servers.rename(SERVER, "after")
        assert not reaction.caught_up(0)
        going_on.set()
        assert reaction.caught_up(SECONDS)


def test_refusals_are_passed_over_and_its_place_moves_behind_them(servers: Servers) -> None:
    told: Queue[Happened] = Queue()
    with servers.react("billing", told.put, start="beginning"):
        for number in range(3):
            with pytest.raises(Refused):
                servers.start(SERVER, Context(request_id=f"req-{number}"))
        servers.rename(SERVER, "after")
        for number in range(3):
            with pytest.raises(Refused):
                servers.start(SERVER, Context(request_id=f"req-{number}"))
        names = [told.get(timeout=SECONDS).name for _ in range(2)]
        until(lambda: servers.reactions()[0].position == 8)

    assert names == ["ServerRegistered", "ServerRenamed"]
    assert told.empty()


def test_it_is_told_of_some_events_alone_and_goes_past_the_others(servers: Servers) -> None:
    told: Queue[str] = Queue()
    with servers.react(
        "billing",
        lambda happened: told.put(happened.name),
        start="beginning",
        events=["ServerStopped", "ServerLocked"],
    ) as reaction:
        servers.rename(SERVER, "after")
        servers.stop(SERVER)
        servers.lock(SERVER)
        servers.rename(SERVER, "at last")
        assert reaction.caught_up(SECONDS)

    assert [told.get_nowait() for _ in range(2)] == ["ServerStopped", "ServerLocked"]
    assert told.empty()
    assert servers.reactions()[0].position == 5


@pytest.mark.parametrize("name", ["ServerPainted", "CommandRefused"])
def test_events_that_nobody_is_told_of_are_refused_by_name(servers: Servers, name: str) -> None:
    with pytest.raises(InvalidInput, match=f"events: '{name}' came"):
        servers.react("billing", print, events=[name])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"start": "middle"}, "start: 'middle' came, head or beginning is allowed"),
        ({"attempts": 0}, "attempts: 0 came, at least one is allowed"),
    ],
)
def test_what_no_reaction_can_do_is_refused_by_name_and_leaves_no_place(
    servers: Servers, wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        Reaction(servers._log, "billing", print, **wrong)
    assert str(refused.value) == words
    assert servers.reactions() == []


def test_its_thread_bears_its_name_and_keeps_no_process_from_ending(servers: Servers) -> None:
    with servers.react("billing", print):
        (thread,) = (one for one in threading.enumerate() if one.name == "reaction billing")
        assert thread.daemon


def until(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not there():
        assert time.monotonic() < deadline
        Flag().wait(0.01)


def until_stopped(reaction: Reaction) -> None:
    assert reaction.stopped.wait(SECONDS)


def test_events_of_two_logs_cause_two_commands_though_all_that_was_given_is_the_same(
    tmp_path: Path,
) -> None:
    def caused(region: str) -> str:
        ids: Queue[str] = Queue()
        with (
            Servers.open(f"sqlite:///{tmp_path / region}.db") as servers,
            servers.react("mirror", lambda told: ids.put(told.context().request_id)),
        ):
            servers.register(adopted(), Context(request_id="req-1"))
            return ids.get(timeout=SECONDS)

    assert caused("east") != caused("west")


def test_so_do_events_at_one_position_of_a_log_and_of_its_copy(kept_url: str) -> None:
    caused: Queue[str] = Queue()

    def told(name: str) -> str:
        with (
            Servers.open(kept_url) as servers,
            servers.react("mirror", lambda told: caused.put(told.context().request_id)),
        ):
            servers.rename(SERVER, name)
            return caused.get(timeout=SECONDS)

    with Servers.open(kept_url) as servers:
        servers.register(adopted())
        with servers.react("mirror", lambda told: None) as reaction:
            assert reaction.caught_up(SECONDS)
    put_back = backup_of(kept_url)
    lost = told("lost")
    put_back()
    assert told("other") != lost
