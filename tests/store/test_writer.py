"""One writer at a time, for all who wait: over a log in lists, which is held still where needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from serverdomain import OutcomeUnknown, Refused, StoreError, StoreLocked
from serverdomain.domain import commands as c
from serverdomain.store import turns
from serverdomain.store.log import CommitFailed
from serverdomain.store.request import Outcome, Request
from serverdomain.store.writer import Writer
from serverdomain.testing.contract import NOW, OTHER, SERVER, adopted, under
from tests.store.list_log import ListLog, ListWriting

LONG = 60.0
"""Seconds that nobody waits for: something ends the waiting before."""


class HeldLog(ListLog):
    """A log whose next transaction waits until it is let go, and whose disk may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []
        """The request ids of what was appended, a list for each transaction that was written."""
        self.patience: list[float] = []
        """How long each transaction was to wait for its lock."""
        self.at_end: Callable[[list[str]], None] = lambda appended: None
        """Called with the request ids before a transaction is written; what it raises is raised."""
        self.is_held = Event()
        self.may_go = Event()
        self.may_go.set()

    @contextmanager
    def writing(self, seconds: float | None = None) -> Iterator[ListWriting]:
        self.patience.append(seconds or 0)
        with super().writing() as log:
            before = log.head()
            self.is_held.set()
            assert self.may_go.wait(LONG)
            yield log
            appended = list(dict.fromkeys(one.command.request_id for one in log.stored[before:]))
            self.at_end(appended)
            self.batches.append(appended)

    def hold(self) -> None:
        self.is_held.clear()
        self.may_go.clear()


class Caller:
    """A thread that asks, and what it was told."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        self.told: Any = None
        self._ask = ask
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.told = self._ask()
        except BaseException as error:
            self.told = error

    def answer(self) -> Any:
        self._thread.join(LONG)
        assert not self._thread.is_alive()
        return self.told


def renaming(name: str, server_id: str = SERVER, request_id: str | None = None) -> Request:
    command = c.RenameServer(name=name)
    return asked(command, request_id or f"req-{name}", server_id)


def asked(command: c.Command, request_id: str, server_id: str = SERVER) -> Request:
    return Request(server_id=server_id, command=command, context=under(request_id), now=NOW)


@pytest.fixture
def log() -> HeldLog:
    log = HeldLog()
    log.accept(asked(adopted(), "req-register"))
    log.batches.clear()
    return log


def waiting(writer: Writer) -> int:
    return len(writer._turns._waiting)


def come(writer: Writer, *callers: Callable[[], Any]) -> list[Caller]:
    """Callers who come one after the other, each once the one before waits in its place."""
    there = []
    for ask in callers:
        before = waiting(writer)
        there.append(Caller(ask))
        for _ in range(10_000):
            if waiting(writer) > before:
                break
            Event().wait(0.001)
        assert waiting(writer) == before + 1
    return there


@contextmanager
def held(log: HeldLog, writer: Writer) -> Iterator[list[Caller]]:
    """A leader at work, held before it takes anything; let go at the end."""
    log.hold()
    callers = [Caller(lambda: writer.accept(renaming("leader")))]
    assert log.is_held.wait(LONG)
    yield callers
    log.may_go.set()


def ask(writer: Writer, request: Request) -> Callable[[], Outcome]:
    return lambda: writer.accept(request)


def test_all_that_wait_share_a_commit_in_the_order_in_which_they_came(log: HeldLog) -> None:
    writer = Writer(log)
    names = ["a", "b", "c", "d"]
    with held(log, writer) as callers:
        callers += come(writer, *(ask(writer, renaming(name)) for name in names))
    outcomes = [caller.answer() for caller in callers]
    assert log.batches == [["req-leader", "req-a", "req-b", "req-c", "req-d"]]
    assert [one.server.name for one in outcomes] == ["leader", *names]
    assert [one.position for one in outcomes] == [2, 3, 4, 5, 6]


def test_no_more_commands_share_a_commit_than_so_many(log: HeldLog) -> None:
    writer = Writer(log, together=2)
    with held(log, writer) as callers:
        callers += come(writer, *(ask(writer, renaming(name)) for name in "abcd"))
    for caller in callers:
        assert isinstance(caller.answer(), Outcome)
    assert log.batches == [["req-leader", "req-a"], ["req-b", "req-c"], ["req-d"]]


def test_no_more_bytes_share_a_commit_than_so_many(
    log: HeldLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert turns.MOST_BYTES == 4 * 1024 * 1024
    monkeypatch.setattr(turns, "MOST_BYTES", 300)
    writer = Writer(log)
    with held(log, writer) as callers:
        callers += come(writer, *(ask(writer, renaming(name * 100)) for name in "abcd"))
    for caller in callers:
        assert isinstance(caller.answer(), Outcome)
    assert [len(batch) for batch in log.batches] == [3, 2]


def test_who_finds_no_room_to_wait_is_told_so_and_nothing_happened(log: HeldLog) -> None:
    writer = Writer(log, seconds=0.01, waiting=1)
    no_room = pytest.raises(StoreLocked, match=r"1 callers wait for it already, waited 0\.01 s")
    with held(log, writer) as callers, no_room:
        writer.accept(renaming("late"))
    assert isinstance(callers[0].answer(), Outcome)
    assert log.batches == [["req-leader"]]


def test_who_waits_for_room_goes_on_once_there_is_some(log: HeldLog) -> None:
    writer = Writer(log, waiting=1)
    with held(log, writer) as callers:
        callers.append(Caller(ask(writer, renaming("late"))))
    assert [type(caller.answer()) for caller in callers] == [Outcome, Outcome]
    assert log.batches == [["req-leader"], ["req-late"]]


def test_who_waits_too_long_for_its_turn_is_told_so_and_nothing_happens_later(
    log: HeldLog,
) -> None:
    writer = Writer(log, seconds=0.01)
    locked = pytest.raises(StoreLocked, match=r"locked by another thread, waited 0\.01 s for it")
    with held(log, writer) as callers, locked:
        writer.accept(renaming("impatient"))
    callers[0].answer()
    assert log.batches == [["req-leader"]]


def test_what_a_caller_waits_for_its_turn_it_does_not_wait_for_the_lock(log: HeldLog) -> None:
    writer = Writer(log, seconds=LONG, together=1)
    with held(log, writer) as callers:
        callers += come(writer, ask(writer, renaming("later")))
        since = time.monotonic()
        Event().wait(0.001)
        at_least = time.monotonic() - since
    assert [type(caller.answer()) for caller in callers] == [Outcome, Outcome]
    assert 0 < log.patience[-1] <= LONG - at_least


def test_what_is_asked_at_once_stays_together_and_each_has_its_own_answer(log: HeldLog) -> None:
    writer = Writer(log)
    answers = writer.accept_many(
        [
            renaming("a"),
            renaming("b", OTHER),
            asked(c.StartServer(), "req-start"),
            renaming("c", request_id="req-a"),
            renaming("a"),
            renaming("d"),
        ]
    )
    assert [type(one).__name__ for one in answers] == [
        *("Outcome", "NotFound", "Refused", "RequestIdTaken", "Outcome", "Outcome")
    ]
    assert [one.replayed for one in answers if isinstance(one, Outcome)] == [False, True, False]
    assert log.batches == [["req-a", "req-start", "req-d"]]
    assert writer.accept_many([]) == []


def test_what_one_caller_asks_at_once_shares_a_commit_however_much_it_is(log: HeldLog) -> None:
    answers = Writer(log, together=2).accept_many([renaming(name) for name in "abcde"])
    assert [one.server.name for one in answers if isinstance(one, Outcome)] == list("abcde")
    assert log.batches == [[f"req-{name}" for name in "abcde"]]


def test_one_that_the_log_does_not_take_fails_alone(log: HeldLog) -> None:
    def no_c(appended: list[str]) -> None:
        if "req-c" in appended:
            raise StoreError("no c")

    log.at_end = no_c
    writer = Writer(log)
    asking = [*(renaming(name) for name in "abc"), asked(c.StartServer(), "req-start")]
    answers = writer.accept_many([*asking, renaming("d")])
    assert [str(one) for one in answers if isinstance(one, StoreError)] == ["no c"]
    assert [type(one).__name__ for one in answers] == [
        *("Outcome", "Outcome", "StoreError", "Refused", "Outcome")
    ]
    assert log.batches == [["req-a"], ["req-b"], ["req-start"], ["req-d"]]


def test_where_the_commit_fails_the_outcome_is_unknown_to_all_of_it(log: HeldLog) -> None:
    def fail(appended: list[str]) -> None:
        raise CommitFailed("the disk")

    log.accept(renaming("before"))
    log.at_end = fail
    asking = [
        renaming("a"),
        renaming("before"),
        renaming("a", request_id="req-same"),
        renaming("c", OTHER),
        asked(c.StartServer(), "req-start"),
    ]
    answers = Writer(log).accept_many(asking)
    unknown = [one.request_id for one in answers if isinstance(one, OutcomeUnknown)]
    assert unknown == [one.context.request_id for one in asking]


def test_what_is_refused_alone_is_refused_whatever_the_disk_says(
    log: HeldLog, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(appended: list[str]) -> None:
        raise CommitFailed("the disk")

    log.at_end = fail
    with pytest.raises(Refused):
        Writer(log).accept(asked(c.StartServer(), "req-start"))
    assert [one for one in caplog.messages if "a refusal may not be recorded" in one]


def test_a_leader_that_is_interrupted_leaves_the_others_to_another(log: HeldLog) -> None:
    raised = []

    def interrupt(appended: list[str]) -> None:
        if not raised:
            raised.append(appended)
            raise KeyboardInterrupt

    log.at_end = interrupt
    writer = Writer(log)
    with held(log, writer) as callers:
        callers += come(writer, *(ask(writer, renaming(name)) for name in "abc"))
    assert isinstance(callers[0].answer(), KeyboardInterrupt)
    assert [one.answer().server.name for one in callers[1:]] == ["a", "b", "c"]
    assert raised == [["req-leader", "req-a", "req-b", "req-c"]]
    assert log.batches == [["req-a", "req-b", "req-c"]]
    assert writer.accept(renaming("after")).position == 5


def test_a_leader_that_is_interrupted_before_it_takes_anything_leaves_the_others(
    log: HeldLog,
) -> None:
    writer = Writer(log)
    really, interrupted = log.writing, []

    @contextmanager
    def once_interrupted(seconds: float | None = None) -> Iterator[ListWriting]:
        with really() as writing:
            if not interrupted:
                interrupted.append(True)
                raise KeyboardInterrupt
            yield writing

    log.writing = once_interrupted  # type: ignore[method-assign]
    with held(log, writer) as callers:
        callers += come(writer, *(ask(writer, renaming(name)) for name in "ab"))
    assert [type(one.answer()) for one in callers] == [KeyboardInterrupt, Outcome, Outcome]
    assert log.batches == [["req-a", "req-b"]]


def test_a_lock_that_the_log_does_not_get_fails_the_leader_alone(log: HeldLog) -> None:
    really, failed = log.writing, []

    @contextmanager
    def locked_once(seconds: float | None = None) -> Iterator[ListWriting]:
        with really() as writing:
            if not failed:
                failed.append(True)
                raise StoreLocked("by another process")
            yield writing

    log.writing = locked_once  # type: ignore[method-assign]
    writer = Writer(log)
    with held(log, writer) as callers:
        callers += come(writer, *(ask(writer, renaming(name)) for name in "ab"))
    assert [type(one.answer()) for one in callers] == [StoreLocked, Outcome, Outcome]
    assert log.batches == [["req-a", "req-b"]]


def test_where_each_is_tried_alone_a_lock_is_waited_for_once(log: HeldLog) -> None:
    really, tried = log.writing, list[int]()

    @contextmanager
    def locked_from_the_third_on(seconds: float | None = None) -> Iterator[ListWriting]:
        tried.append(1)
        if len(tried) >= 3:
            raise StoreLocked("by another process")
        with really() as writing:
            yield writing

    def no_c(appended: list[str]) -> None:
        if "req-c" in appended:
            raise StoreError("no c")

    log.writing, log.at_end = locked_from_the_third_on, no_c  # type: ignore[method-assign]
    answers = Writer(log).accept_many([renaming(name) for name in "abcd"])
    assert [type(one) for one in answers] == [Outcome, StoreLocked, StoreLocked, StoreLocked]
    assert len(tried) == 3


def test_what_changes_nothing_is_told_whatever_the_disk_says(log: HeldLog) -> None:
    def fail(appended: list[str]) -> None:
        raise CommitFailed("the disk")

    log.accept(renaming("same"))
    log.at_end = fail
    again = Writer(log).accept(renaming("same", request_id="req-again"))
    assert (again.position, again.server.name) == (None, "same")


def test_a_closed_log_says_so_to_all_who_wait(log: HeldLog) -> None:
    writer = Writer(log)
    with held(log, writer) as callers:
        callers += come(writer, *(ask(writer, renaming(name)) for name in "ab"))
        log.at_end = lambda appended: log.close()
        writer._turns._together = 1
    answers = [one.answer() for one in callers]
    assert [type(one) for one in answers[1:]] == [StoreError, StoreError]
    with pytest.raises(StoreError, match="closed"):
        writer.accept(renaming("after"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_waits_for_no_thread_of_its_parent(log: HeldLog) -> None:
    writer = Writer(log)
    with held(log, writer) as callers:
        child = os.fork()
        if child == 0:
            turn = Caller(lambda: writer._turns.come(turns.Call([renaming("child")], LONG)))
            os._exit(0 if turn.answer() is True else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert isinstance(callers[0].answer(), Outcome)


def test_a_retry_that_waits_beside_its_first_gets_the_first_outcome(log: HeldLog) -> None:
    writer = Writer(log)
    with held(log, writer) as callers:
        callers += come(writer, *(ask(writer, renaming("a")) for _ in range(2)))
    first, again = (one.answer() for one in callers[1:])
    assert (first.position, again.position) == (3, 3)
    assert (first.replayed, again.replayed) == (False, True)
