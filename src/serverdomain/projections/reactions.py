"""Your code, run once something happened: at least once, in the log's order, from a durable place.

A reaction runs in a thread of its own. Of all processes that run one of a name, the one that holds
its lock works and the others stand by; the system gives the lock up with the process. A handler
that fails is tried again with growing pauses, then the reaction stops itself alone, says why, and
waits to be resumed. What a handler needs beside it (a schedule, a connection) lives while this
process is ``at_work``, and no longer.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from threading import Condition, Thread, current_thread
from threading import Event as Flag
from typing import Any, Literal

from msgspec.structs import replace
from tenacity import Retrying, stop_after_attempt, stop_any, wait_exponential
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_when_event_set

from serverdomain.domain.events import EVENTS, CommandRefused
from serverdomain.errors import InvalidInput, NotFound, StoreError
from serverdomain.projections.happened import Happened
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log
from serverdomain.store.recorded import RecordedEvent

Handler = Callable[[Happened], None]

AtWork = Callable[[], AbstractContextManager[Any]]
"""Makes what is entered before this process is told of its first event, and left after its last."""

PAGE = 100
"""Events between two savings of the place, which is also saved once a second.

What was told since is told again after a kill.
"""

ATTEMPTS = 5
"""How often a handler is tried with one event before its reaction stops."""

BREATH = 0.005
"""Seconds that a reaction lets pass behind what it was told, so that more comes at once.

Woken for each command by itself, it would cost the commands that come meanwhile half their rate.
"""

LOOK = 0.2
"""Seconds after which a reaction looks for what other processes appended, or for the lock."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_logger = logging.getLogger("serverdomain")


class Reaction:
    """A handler at work; `stop` it, or leave it running until the process ends."""

    def __init__(
        self,
        log: Log,
        name: str,
        handler: Handler,
        start: Literal["head", "beginning"] = "head",
        attempts: int = ATTEMPTS,
        at_work: AtWork = nullcontext,
        events: Sequence[str] = (),
    ) -> None:
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                "name", f"{name!r} came, 1 to 64 letters, digits, '-', '_' and '.' are allowed"
            )
        if start not in ("head", "beginning"):
            raise InvalidInput("start", f"{start!r} came, head or beginning is allowed")
        if attempts < 1:
            raise InvalidInput("attempts", f"{attempts} came, at least one is allowed")
        for event in events:
            if event not in EVENTS or event == CommandRefused.__name__:
                raise InvalidInput("events", f"{event!r} came, names of facts are allowed")
        self.name = name
        self._log = log
        self._handler = handler
        self._at_work = at_work
        self._events = events
        self._stopping = Flag()
        self._moved = Condition()
        self._done = -1
        self._unsaved: Bookmark | None = None
        self._events_unsaved = 0
        self._saved_at = 0.0
        self._rests = False
        self._hurry = Flag()
        self._retrying = Retrying(
            stop=stop_any(stop_after_attempt(attempts), stop_when_event_set(self._stopping)),
            wait=wait_exponential(multiplier=0.1, max=10),
            sleep=sleep_using_event(self._stopping),
            reraise=True,
        )
        self.stopped = Flag()
        """Set while the handler has given up on an event."""
        # Where a new one begins is settled now, not when the thread comes to it.
        with log.reading() as reading:
            is_new = reading.bookmark(name) is None
            head = reading.head() if start == "head" else 0
        if is_new:
            log.keep_bookmark(Bookmark(name, head), None)
        self._thread = Thread(target=self._run, name=f"reaction {name}", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs: at work, standing by, or waiting to be resumed."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Stop after the event at hand, and wait until that is done, unless its handler asks."""
        self._stopping.set()
        if current_thread() is self._thread:
            return
        while self._thread.is_alive():
            # More than once: it may have been about to wait when it was told.
            self._log.wake()
            self._thread.join(0.01)

    def caught_up(self, seconds: float) -> bool:
        """Wait until it was told of all that the log holds now, at most so many seconds.

        False where the time is over, and at once where nobody here will do it: it has stopped, or
        another process is at work.
        """
        with self._log.reading() as reading:
            head = reading.head()
        self._hurry.set()
        with self._moved:
            self._moved.wait_for(lambda: self._done >= head or self._rests, seconds)
            return self._done >= head and not self._rests

    def __enter__(self) -> Reaction:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._log.alone(self.name) as mine:
                    if mine:
                        self._take_up()
            except StoreError as error:
                _logger.warning("reaction %s: %s", self.name, error)
            self._rest()
            self._stopping.wait(LOOK)

    def _take_up(self) -> None:
        with ExitStack() as leaving:
            leaving.callback(self._save)
            entered = False
            while not self._stopping.is_set():
                place = self._place()
                if place.stopped_at is not None:
                    self._rest()
                    self.stopped.set()
                    self._stopping.wait(LOOK)
                    continue
                self.stopped.clear()
                if not entered:
                    # What it was told before, it may have to find again.
                    self._done, self._unsaved = -1, None
                self._rests = False
                if entered:
                    self._work(place)
                    continue
                try:
                    self._try(lambda: leaving.enter_context(self._at_work()))
                    entered = True
                except Exception as error:
                    if not self._stopping.is_set():
                        self._give_up(place, place.position, f"{type(error).__name__}: {error}")

    def _place(self) -> Bookmark:
        with self._log.reading() as reading:
            place = reading.bookmark(self.name)
        assert place is not None
        return place

    def _work(self, place: Bookmark) -> None:
        if self._unsaved is not None:
            place = self._unsaved
        with self._log.reading() as reading:
            events, last, stopped_by = reading.events_named(place.position, PAGE, self._events)
        if events:
            self._tell(place, events)
            if len(events) < PAGE:
                self._hurry.wait(BREATH)
                self._hurry.clear()
        elif stopped_by is not None:
            self._give_up(place, stopped_by.position, str(stopped_by))
        elif last > place.position:
            # Nothing that it is told of: refusals, or another application's events.
            self._came_to(replace(place, position=last), 1)
        else:
            self._reached(last)
            self._save_in_time()
            self._log.wait_past(place.position, LOOK)

    def _reached(self, position: int) -> None:
        with self._moved:
            self._done = position
            self._moved.notify_all()

    def _rest(self) -> None:
        with self._moved:
            self._rests = True
            self._moved.notify_all()

    def _tell(self, place: Bookmark, page: list[RecordedEvent]) -> None:
        for recorded in page:
            if self._stopping.is_set():
                return
            try:
                self._try(self._handler, Happened(recorded, self.name))
            except (Exception, SystemExit) as error:
                # Python ends a thread that wants to leave, without a word.
                if not self._stopping.is_set():
                    done = place if self._unsaved is None else self._unsaved
                    self._give_up(done, recorded.position, f"{type(error).__name__}: {error}")
                return
            self._came_to(replace(place, position=recorded.position), 1)
        self._reached(page[-1].position)

    def _came_to(self, done: Bookmark, events: int) -> None:
        if self._unsaved is None:
            self._saved_at = time.monotonic()
        self._unsaved = done
        self._events_unsaved += events
        self._save_in_time()

    def _save_in_time(self) -> None:
        """Save the place where `PAGE` events or a second have passed: a saving is a sync."""
        if self._events_unsaved >= PAGE or time.monotonic() - self._saved_at > 1:
            self._save()

    def _save(self) -> None:
        done, self._unsaved, self._events_unsaved = self._unsaved, None, 0
        if done is not None:
            self._keep(done)

    def _try(self, call: Callable[..., object], *told: Happened) -> None:
        try:
            call(*told)
        except Exception as error:
            failed: list[Exception] = [error]

            def again() -> None:
                if failed:
                    raise failed.pop()  # What was tried already is the first of the attempts.
                call(*told)

            self._retrying(again)

    def _give_up(self, done: Bookmark, position: int, why: str) -> None:
        _logger.warning(
            "reaction %s stopped at position %s: %s; look, skip or resume it with "
            "'serverdomain reactions'",
            self.name,
            position,
            why,
        )
        self._rest()
        self._unsaved, self._events_unsaved = None, 0
        self._keep(replace(done, stopped_at=position, why=why))

    def _keep(self, place: Bookmark) -> None:
        with self._log.reading() as reading:
            seen = reading.bookmark(self.name)
        self._log.keep_bookmark(place, seen)


def resume(log: Log, name: str) -> Bookmark:
    """Let a stopped reaction try its event again. Raises `NotFound` where there is none."""
    while True:
        place = _place(log, name)
        resumed = replace(place, stopped_at=None, why=None)
        if log.keep_bookmark(resumed, place):
            return resumed


def skip(log: Log, name: str) -> Bookmark:
    """Let a stopped reaction go on behind the event that stopped it. Raises `NotFound`."""
    while True:
        place = _place(log, name)
        position = place.position if place.stopped_at is None else place.stopped_at
        skipped = replace(place, position=position, stopped_at=None, why=None)
        if log.keep_bookmark(skipped, place):
            return skipped


def _place(log: Log, name: str) -> Bookmark:
    with log.reading() as reading:
        place = reading.bookmark(name)
        if place is None:
            known = ", ".join(one.name for one in reading.bookmarks()) or "none"
            raise NotFound(f"reaction {name!r} is not there, {known} is")
    return place
