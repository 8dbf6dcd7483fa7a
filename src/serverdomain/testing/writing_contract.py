"""What every log does beside answering questions, as tests: it takes in, waits, and locks.

What comes of single commands is tested through `Servers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import Event as Flag
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import replace

from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.errors import Conflict, InvalidInput, Refused, StoreError
from serverdomain.servers import Servers
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log, Reading
from serverdomain.store.opening import open_log
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.request import Outcome
from serverdomain.testing.contract import (
    IMAGE,
    NOW,
    OTHER,
    SECOND,
    SERVER,
    Contract,
    adopted,
    ask,
    asked,
    under,
)
from serverdomain.testing.scenario import OWNER, READER, registered

_LONG = 3_600
"""Seconds that nobody waits for in these tests: something ends the waiting before."""

_ROUNDS = 3_000
"""How often a thread that should end is woken and looked at, a hundredth of a second each."""


def recorded(request_id: str, at: int = 0, **members: Any) -> RecordedCommand:
    """A command as it is handed to a log to be appended, ``at`` seconds behind `NOW`."""
    row: dict[str, Any] = {"command_id": 0, "kind": "record", "server_id": SERVER, "members": "{}"}
    row |= {"user_id": OWNER.user_id, "project_id": OWNER.project_id, "roles": OWNER.roles}
    row |= {"request_id": request_id, "correlation_id": None, "caused_by": None}
    row |= dict.fromkeys(("occurred_at", "recorded_at"), NOW + at * SECOND)
    return RecordedCommand(**(row | members))


def everything(reading: Reading) -> tuple[Any, ...]:
    """All that a reading says of a log."""
    rows = [row for some in reading.rows() for row in some]
    events = reading.events(0, len(rows) + 1)
    return reading.head(), rows, list(reading.commands()), events, reading.history(SERVER).facts


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[Thread]:
    """Another thread at work, which has to end by itself."""
    thread = Thread(target=work, daemon=True)
    thread.start()
    yield thread
    thread.join(60)
    assert not thread.is_alive()


class WritingContract(Contract):
    """What is taken in, waiting, locks and bookmarks."""

    # Taking in

    def test_rows_of_another_log_are_appended_with_all_their_numbers(self, log: Log) -> None:
        with closing(open_log("memory:")) as other:
            ask(other, adopted(), "req-1")
            ask(other, c.StopServer(), "req-2", at=60)
            with suppress(Refused):
                ask(other, c.StopServer(), "req-3", at=61)
            with other.reading() as reading:
                rows = [row for some in reading.rows() for row in some]
        for some in (rows[:1], rows[1:]):
            with log.bulk() as writing:
                writing.append_rows(some)
        with log.reading() as reading:
            assert [row for some in reading.rows() for row in some] == rows
            assert [row for some in reading.rows(2) for row in some] == rows[2:]
        assert ask(log, c.StopServer(), "req-2", at=62).replayed
        assert ask(log, c.StartServer(), "req-4", at=63).position == 4

    def test_what_is_raised_and_not_kept_leaves_nothing(self, log: Log) -> None:
        ask(log, adopted(), "req-1")
        unknown = c.CreateServer(name="x", image_id=IMAGE, flavor_id="1", image_known=False)
        with pytest.raises(Refused):
            ask(log, unknown, "req-2", OTHER)
        with pytest.raises(Refused):
            ask(log, adopted(OTHER), under("req-2", READER), OTHER)
        with pytest.raises(Conflict):
            ask(log, c.StopServer(), "req-2", at=60, occurred_at=-60)
        with log.reading() as reading:
            assert (reading.head(), len(list(reading.commands()))) == (1, 1)

    def test_commands_of_many_threads_are_taken_in_one_by_one(self, log: Log) -> None:
        ask(log, adopted(), "req-1")

        def rename(thread: int) -> None:
            for number in range(10):
                name = f"{thread}-{number}"
                ask(log, c.RenameServer(name=name), f"req-{name}", at=60)

        threads = [Thread(target=rename, args=(number,), daemon=True) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        with log.reading() as reading:
            events = reading.events(0, 100).events
        assert [one.position for one in events] == list(range(1, 42))
        assert [one.version for one in events] == list(range(1, 42))
        assert len({one.command.command_id for one in events}) == 41

    def test_many_commands_are_accepted_in_their_order_and_each_for_itself(self, log: Log) -> None:
        first, refused, stopped, again, taken = log.accept_many(
            [
                asked(adopted(), "req-1"),
                asked(c.StartServer(), "req-2"),
                asked(c.StopServer(), "req-3"),
                asked(c.StopServer(), "req-3"),
                asked(c.RenameServer(name="new"), "req-3"),
            ]
        )
        assert isinstance(first, Outcome)
        assert isinstance(refused, Refused)
        assert isinstance(stopped, Outcome)
        assert isinstance(again, Outcome)
        assert (first.position, first.replayed, stopped.replayed) == (1, False, False)
        assert again.replayed
        assert (again.events, again.position) == (stopped.events, stopped.position)
        assert isinstance(taken, Conflict)
        assert log.accept_many([]) == []

    def test_what_is_asked_twice_at_once_gets_one_outcome_and_it_is_its_own(self, log: Log) -> None:
        ask(log, adopted(), "req-0")
        stop, start = c.StopServer(), c.StartServer()
        stopped, once, again = log.accept_many(
            [asked(stop, "req-1"), asked(start, "req-2"), asked(start, "req-2")]
        )
        assert isinstance(stopped, Outcome)
        assert isinstance(once, Outcome)
        assert again == replace(once, replayed=True)

    def test_much_is_appended_at_once_and_seen_by_who_appends_it(self, log: Log) -> None:
        facts = (registered(), e.ServerStopped())
        with log.bulk() as writing:
            assert writing.append(recorded("req-1"), 0, facts) == [1, 2]
            refusal = e.CommandRefused(
                server_id=SERVER, kind="stop", members={}, rule="state", why="it is off"
            )
            writing.append_refusal(recorded("req-2", kind="stop"), refusal)
            writing.append_refusal(recorded("req-3", kind="stop"), refusal)
            writing.append_many(
                [
                    (recorded("req-4", at=1), 2, (e.ServerStarted(),)),
                    (recorded("req-5", server_id=OTHER, at=1), 0, (registered(server_id=OTHER),)),
                    (recorded("req-6", at=2), 3, (e.ServerLocked("owner"), e.ServerUnlocked())),
                ]
            )
            assert writing.append(recorded("req-7", at=2), 5, (e.ServerStopped(),)) == [9]
            seen = everything(writing)

        with log.reading() as reading:
            assert everything(reading) == seen
            events = reading.events(0, 100).events
            assert [(one.version, one.command.request_id) for one in events] == [
                *((1, "req-1"), (2, "req-1"), (1, "req-2"), (2, "req-3"), (3, "req-4")),
                *((1, "req-5"), (4, "req-6"), (5, "req-6"), (6, "req-7")),
            ]
            assert [one.is_refusal for one in events] == [*[False] * 2, True, True, *[False] * 5]
            assert reading.history(SERVER).version == 6
            assert reading.refused_since(OWNER.user_id, OWNER.project_id, 0) == 2

    def test_what_raises_in_bulk_leaves_nothing_of_it(self, log: Log) -> None:
        ask(log, adopted(), "req-1")
        with log.reading() as reading:
            before = everything(reading)

        def fail_in_bulk(last: e.Event) -> None:
            with log.bulk() as writing:
                writing.append(recorded("req-2"), 1, (e.ServerStopped(),))
                writing.append_many([(recorded("req-3"), 2, (e.ServerStarted(),))])
                writing.append(recorded("req-4"), 3, (last,))
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail_in_bulk(e.ServerStopped())
        with pytest.raises(InvalidInput, match="event"):
            fail_in_bulk(e.ServerRenamed("\ud800"))

        with log.reading() as reading:
            assert everything(reading) == before
            assert reading.command("req-2") is None
        assert ask(log, c.StopServer(), "req-2", at=60).position == 2

    # One consistent state

    def test_a_reading_stays_as_it_is_while_another_thread_appends(self, log: Log) -> None:
        ask(log, adopted(), "req-1")
        grown = Flag()

        def append() -> None:
            for number in range(20):
                ask(log, c.RenameServer(name=f"{number}"), f"req-name-{number}", at=60)
                grown.set()

        with log.reading() as reading:
            before = everything(reading)
            appending = Thread(target=append, daemon=True)
            appending.start()
            # A log may let it wait until the reading is over.
            grown.wait(0.2)
            for _ in range(5):
                assert everything(reading) == before
        appending.join(60)
        with log.reading() as reading:
            assert reading.head() == 21

    # Waiting

    def test_the_mark_is_another_one_once_anything_was_committed(self, log: Log) -> None:
        marks = [log.asked_mark()]
        ask(log, adopted(), "req-1")
        marks.append(log.asked_mark())
        with log.bulk() as writing:
            writing.append(recorded("req-2"), 1, (e.ServerStopped(),))
        marks.append(log.asked_mark())
        with pytest.raises(Refused):
            ask(log, c.StopServer(), "req-3", at=60)
        marks.append(log.asked_mark())

        told = [mark for mark in marks if mark is not None]
        assert len(set(told)) == len(told)

    def test_nobody_waits_for_what_is_there_or_longer_than_they_say(self, log: Log) -> None:
        ask(log, adopted(), "req-1")
        with meanwhile(lambda: log.wait_past(0, _LONG)), meanwhile(lambda: log.wait_past(1, 0)):
            log.wait_past(1, 0.01)

    def test_who_waits_goes_on_when_the_log_grows(self, log: Log) -> None:
        with meanwhile(lambda: log.wait_past(0, _LONG)):
            ask(log, adopted(), "req-1")
        with meanwhile(lambda: log.wait_past(1, _LONG)), log.bulk() as writing:
            writing.append(recorded("req-2"), 1, (e.ServerStopped(),))

    def test_who_waits_looks_again_when_woken(self, log: Log) -> None:
        with meanwhile(lambda: log.wait_past(0, _LONG)) as waiting:
            for _ in range(_ROUNDS):
                if not waiting.is_alive():
                    break
                # More than once: it may have been about to wait.
                log.wake()
                waiting.join(0.01)

    # Alone

    def test_of_all_that_ask_for_a_name_one_works(self, log: Log) -> None:
        with log.alone("billing") as mine, log.alone("cleaning") as other:
            assert (mine, other) == (True, True)
            with log.alone("billing") as second, log.alone("billing", 0.01) as third:
                assert (second, third) == (False, False)
            with log.alone("billing") as fourth:
                assert fourth is False, "who did not get it has not given it up"
        with log.alone("billing") as again:
            assert again is True

    def test_a_name_is_given_up_by_work_that_fails(self, log: Log) -> None:
        with pytest.raises(ZeroDivisionError), log.alone("billing"):
            raise ZeroDivisionError
        with log.alone("billing") as mine:
            assert mine is True

    def test_who_waits_for_a_name_gets_it_when_it_is_given_up(self, log: Log) -> None:
        got: list[bool] = []

        def work() -> None:
            with log.alone("billing", 60) as mine:
                got.append(mine)

        with log.alone("billing") as mine:
            assert mine
            waiting = Thread(target=work, daemon=True)
            waiting.start()
            waiting.join(0.1)
            assert got == []
        waiting.join(60)
        assert got == [True]

    # Bookmarks

    def test_a_place_is_kept_if_it_stands_where_it_was_seen(self, log: Log) -> None:
        first = Bookmark("billing", 3)
        stopped = Bookmark("billing", 4, stopped_at=5, why="no network")
        for place, seen, kept in [
            (first, Bookmark("billing", 1), False),
            (first, None, True),
            (first, None, False),
            (stopped, Bookmark("billing", 2), False),
            (stopped, first, True),
            (first, first, False),
        ]:
            assert log.keep_bookmark(place, seen) is kept
        with log.reading() as reading:
            assert reading.bookmark("billing") == stopped
            assert reading.bookmark("another") is None

    def test_places_are_told_by_name(self, log: Log) -> None:
        places = [Bookmark(name, position) for position, name in enumerate(["b", "a", "c"])]
        for place in places:
            log.keep_bookmark(place, None)
        moved = Bookmark("b", 7)
        log.keep_bookmark(moved, places[0])
        with log.reading() as reading:
            assert reading.bookmarks() == [places[1], moved, places[2]]

    # Its end

    def test_what_is_not_kept_can_be_forgotten(self, log: Log) -> None:
        ask(log, adopted(), "req-1")
        log.keep_bookmark(Bookmark("billing", 1), None)
        with log.reading() as reading:
            given = reading.log_id()
        if log.is_kept:
            with pytest.raises(Conflict, match="which is kept"):
                Servers(log).forget()
            return
        before = log.asked_mark()
        log.forget()
        with log.reading() as reading:
            assert reading.head() == 0
            assert reading.bookmarks() == []
            assert reading.log_id() != given
        assert before is None or log.asked_mark() != before
        assert ask(log, adopted(), "req-1").position == 1

    def test_a_closed_log_is_used_no_more(self, log: Log) -> None:
        ask(log, adopted(), "req-1")
        log.close()
        with pytest.raises(StoreError), log.reading() as reading:
            reading.head()
        with pytest.raises(StoreError):
            ask(log, c.StopServer(), "req-2", at=60)
