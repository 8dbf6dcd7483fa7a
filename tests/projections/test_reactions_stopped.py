"""Whatever ends a reaction's work, it says where and why, and can be resumed or skip its event."""

from __future__ import annotations

import logging
import time
from asyncio import CancelledError
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Event as Flag

import pytest

from serverdomain import Servers
from serverdomain.projections import reactions
from serverdomain.projections.happened import Happened
from serverdomain.projections.reactions import Reaction
from serverdomain.projections.saved_bookmark import PAGE
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.sqlite import SQLiteLog
from serverdomain.testing.store_contract import SERVER, adopted
from tests.projections.test_reactions import SECONDS, servers, until_stopped
from tests.store.owner import owner_of, spoil, take_back

__all__ = ["servers"]


def place_of(servers: Servers) -> Bookmark:
    (place,) = servers.reactions()
    return place


def move(servers: Servers, position: int) -> None:
    """What another process may do to the one reaction's bookmark."""
    seen = place_of(servers)
    assert servers._log.keep_bookmark(Bookmark(seen.name, position), seen)


@pytest.mark.parametrize(
    "end", [CancelledError("enough"), SystemExit("enough"), pytest.fail.Exception("enough")]
)
def test_whatever_its_handler_ends_in_stops_it_with_words(
    servers: Servers, end: BaseException
) -> None:
    told: Queue[int] = Queue()
    broken = [True]

    def ends(happened: Happened) -> None:
        if broken[0]:
            raise end
        told.put(happened.position)

    with servers.react("billing", ends, start="beginning", attempts=1) as billing:
        until_stopped(billing)
        assert billing.is_alive
        place = place_of(servers)
        assert (place.stopped_at, place.why) == (1, f"{type(end).__name__}: enough")
        broken[0] = False
        servers.resume_reaction("billing")
        assert told.get(timeout=SECONDS) == 1


def test_it_lives_on_where_nobody_takes_its_log_lines(servers: Servers) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("no room for lines")

    told: Queue[int] = Queue()

    def fails(happened: Happened) -> None:
        told.put(happened.position)
        raise RuntimeError("no room")

    broken = Broken()
    logging.getLogger("serverdomain").addHandler(broken)
    try:
        with servers.react("billing", fails, start="beginning", attempts=1) as billing:
            until_stopped(billing)
            assert place_of(servers).why == "RuntimeError: no room"
            servers.resume_reaction("billing")
            assert [told.get(timeout=SECONDS) for _ in range(2)] == [1, 1]
    finally:
        logging.getLogger("serverdomain").removeHandler(broken)


def test_it_stops_where_it_came_to_not_where_its_page_began(servers: Servers) -> None:
    for number in range(5):
        servers.rename(SERVER, f"name {number}")

    def fails(happened: Happened) -> None:
        if happened.position == 4:
            raise RuntimeError("no room")

    with servers.react("billing", fails, start="beginning", attempts=1) as billing:
        until_stopped(billing)
    assert place_of(servers) == Bookmark("billing", 3, 4, "RuntimeError: no room")


def test_one_that_fails_on_goes_on_where_somebody_moved_it_meanwhile(servers: Servers) -> None:
    told: list[int] = []

    def fails(happened: Happened) -> None:
        told.append(happened.position)
        if happened.position == 2:
            move(servers, 4)
            raise RuntimeError("no room")

    for number in range(5):
        servers.rename(SERVER, f"name {number}")
    with servers.react("billing", fails, start="beginning", attempts=1) as billing:
        assert billing.caught_up(SECONDS)
        assert not billing.stopped.is_set()

    assert told == [1, 2, 5, 6]
    assert place_of(servers) == Bookmark("billing", 6)


def test_one_that_somebody_moves_while_it_works_goes_on_from_there(servers: Servers) -> None:
    told: list[int] = []

    def moves(happened: Happened) -> None:
        told.append(happened.position)
        if happened.position == 5:
            move(servers, 150)

    for number in range(159):
        servers.rename(SERVER, f"name {number}")
    with servers.react("billing", moves, start="beginning") as billing:
        assert billing.caught_up(SECONDS)

    noticed = told.index(151)
    assert told == [*range(1, noticed + 1), *range(151, 161)]
    assert noticed <= PAGE, "it notices when it saves its place"
    assert place_of(servers) == Bookmark("billing", 160)


DAMAGES = {
    "JSON that ends too soon": "UPDATE stored_events SET state = '{' WHERE position = 3",
    "text that is no UTF-8": "UPDATE stored_events SET state = CAST(x'ff' AS TEXT)"
    " WHERE position = 3",
    "roles that are none": "UPDATE commands SET roles = '{' WHERE command_id = 3",
    "roles that are no UTF-8": "UPDATE commands SET roles = CAST(x'ff' AS TEXT)"
    " WHERE command_id = 3",
    "a newer release's": "UPDATE stored_events SET topic = 'serverdomain:ServerPainted:1'"
    " WHERE position = 3",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_event_that_cannot_be_read_stops_it_there_and_can_be_skipped(
    servers: Servers, damage: str
) -> None:
    for number in range(4):
        servers.rename(SERVER, f"name {number}")
    spoil(servers._log, damage)
    told: Queue[int] = Queue()
    with servers.react("billing", lambda one: told.put(one.position), start="beginning") as billing:
        until_stopped(billing)
        place = place_of(servers)
        assert (place.position, place.stopped_at) == (2, 3)
        assert place.why
        assert [told.get_nowait() for _ in range(2)] == [1, 2]
        servers.skip_reaction("billing")
        assert [told.get(timeout=SECONDS) for _ in range(2)] == [4, 5]
    assert place_of(servers) == Bookmark("billing", 5)


def test_what_fails_as_it_is_left_is_logged_and_ends_nothing(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def at_work() -> Iterator[None]:
        yield
        raise SystemExit("the bridge is gone")

    with servers.react("billing", print, start="beginning", at_work=at_work) as billing:
        assert billing.caught_up(SECONDS)
    assert "reaction billing: SystemExit: the bridge is gone" in caplog.text
    assert place_of(servers) == Bookmark("billing", 1)


def test_a_log_that_cannot_be_used_for_long_is_told_once(
    servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    told: Queue[int] = Queue()
    with servers.react("billing", lambda one: told.put(one.position), start="beginning") as billing:
        assert told.get(timeout=SECONDS) == 1
        with owner_of(servers._log) as owner:
            owner.execute("ALTER TABLE reactions RENAME TO away")
        until = time.monotonic() + SECONDS
        while billing._trouble._pause < 0.8 and time.monotonic() < until:
            time.sleep(0.01)
        with owner_of(servers._log) as owner:
            owner.execute("ALTER TABLE away RENAME TO reactions")
        servers.rename(SERVER, "after")
        assert told.get(timeout=SECONDS) == 2
        assert billing.caught_up(SECONDS)
    (trouble, again) = caplog.messages
    assert trouble.startswith(
        ("reaction billing: StoreError: ", "reaction billing: StoreMissing: ")
    )
    assert again == "reaction billing is at work again"


def test_one_that_is_stopped_while_it_fails_leaves_the_event_to_whoever_works_next(
    servers: Servers,
) -> None:
    told: Queue[int] = Queue()
    reaction: list[Reaction] = []

    def fails(happened: Happened) -> None:
        reaction[0].stop()
        told.put(happened.position)
        raise RuntimeError("no room")

    reaction.append(servers.react("billing", fails))
    servers.stop(SERVER)
    assert told.get(timeout=SECONDS) == 2
    reaction[0].stop()
    assert place_of(servers) == Bookmark("billing", 1)


def test_one_that_was_resumed_is_waited_for_again(servers: Servers) -> None:
    broken, entered, gate = [True], Flag(), Flag()

    def waits(happened: Happened) -> None:
        if broken[0]:
            raise RuntimeError("no room")
        entered.set()
        assert gate.wait(SECONDS)

    with (
        servers.react("billing", waits, start="beginning", attempts=1) as billing,
        ThreadPoolExecutor() as pool,
    ):
        until_stopped(billing)
        broken[0] = False
        servers.resume_reaction("billing")
        assert entered.wait(SECONDS)
        caught_up = pool.submit(billing.caught_up, SECONDS)
        with pytest.raises(TimeoutError):
            caught_up.result(0.2)
        gate.set()
        assert caught_up.result(SECONDS)


def test_one_that_stopped_keeps_what_it_needs_at_work_until_it_is_resumed(
    servers: Servers,
) -> None:
    told: Queue[str] = Queue()
    broken = [True]

    @contextmanager
    def at_work() -> Iterator[None]:
        told.put("entered")
        yield
        told.put("left")

    def fails_at_first(happened: Happened) -> None:
        if broken[0]:
            raise RuntimeError("no room")
        told.put(happened.name)

    with servers.react(
        "billing", fails_at_first, start="beginning", attempts=1, at_work=at_work
    ) as billing:
        until_stopped(billing)
        # It has looked again, and found that nobody resumed it.
        billing.stopped.clear()
        until_stopped(billing)
        broken[0] = False
        servers.resume_reaction("billing")
        assert [told.get(timeout=SECONDS) for _ in range(2)] == ["entered", "ServerRegistered"]
    assert told.get(timeout=SECONDS) == "left"


def test_after_events_it_waits_for_more_to_come_together_unless_somebody_waits_for_it(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reactions, "BREATH", 10 * SECONDS)
    told: Queue[int] = Queue()
    with servers.react("billing", lambda happened: told.put(happened.position)) as billing:
        servers.stop(SERVER)
        assert told.get(timeout=SECONDS) == 2
        servers.start(SERVER)
        with pytest.raises(Empty):
            told.get(timeout=0.2)
        assert billing.caught_up(SECONDS)
        assert told.get(timeout=SECONDS) == 3
        # Nobody waits any more when it is stopped.
        billing._hurry.set()


def test_one_that_passed_over_what_the_log_took_back_goes_back_with_it() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        with servers.react("billing", lambda _: None, events=["ServerStopped"]) as billing:
            for number in range(5):
                servers.rename(SERVER, f"passed over {number}")
            assert billing.caught_up(SECONDS)
            assert isinstance(servers._log, SQLiteLog)
            take_back(servers._log, 2)
        place = place_of(servers)
        assert (place.position <= 2, place.stopped_at) == (True, None)
