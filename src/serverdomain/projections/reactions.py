"""Your code, run when something happens: at least once, in the order of the log, durably.

A reaction runs in a thread of its own. Of all processes that run one under a name, the holder of a
lock works and the others stand by; the lock goes with its process, or, between machines, while that
sleeps. A handler that
keeps failing stops its reaction, which says why and waits to be resumed. What a handler needs
besides (a schedule, a connection) lives only while this process is ``at_work``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from threading import Condition, Thread, current_thread
from threading import Event as Flag
from typing import Any, Literal

from serverdomain.domain.events import EVENTS, CommandRefused
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput
from serverdomain.projections.attempts import Recurring, failure_of, in_words, warn
from serverdomain.projections.happened import Happened
from serverdomain.projections.saved_bookmark import PAGE, SavedBookmark, require_name
from serverdomain.store.log import Log
from serverdomain.store.recorded import RecordedEvent

Handler = Callable[[Happened], None]

AtWork = Callable[[], AbstractContextManager[Any]]
"""Makes what is entered before the first event in this process, and left after the last."""

ATTEMPTS = 5
"""How often a handler is tried with an event before its reaction stops."""

BREATH = 0.02
"""Seconds that a reaction waits after events, so that the next ones come together.

If each command woke it, commands would run at half their rate meanwhile.
"""

LOOK = 0.2
"""Seconds between two looks for events of other processes, or for the lock."""


class Reaction:
    """A handler that is told of events, until `stop` or until the process ends.

    ``stopped`` is set while it has given up on an event and waits to be resumed.
    """

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
        require_name(name)
        if start not in ("head", "beginning"):
            raise InvalidInput("start", f"{start!r} came, head or beginning is allowed")
        if attempts < 1:
            raise InvalidInput("attempts", f"{attempts} came, at least one is allowed")
        for event in events:
            if event not in EVENTS or event == CommandRefused.__name__:
                raise InvalidInput("events", f"{event!r} came, names of facts are allowed")
        self.name = name
        self.stopped = Flag()
        self._log = log
        self._log_id: str | None = None
        # Where the commands begin whose events are being told.
        self._firsts: dict[int, int] = {}
        self._handler = handler
        self._attempts = attempts
        self._at_work = at_work
        self._events = events
        # Where a new one begins is decided now, not when the thread gets there.
        self._bookmark = SavedBookmark(log, name, start)
        self._trouble = Recurring(LOOK)
        self._stopping = Flag()
        self._hurry = Flag()
        # The position up to which all was told; -1 if unknown, None while nobody here works.
        self._told: int | None = -1
        self._telling = Condition()
        self._thread = Thread(target=self._run, name=f"reaction {name}", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs: at work, standing by, or waiting to be resumed."""
        return self._thread.is_alive()

    def let_end(self) -> None:
        """Stop after the current event; waits for nobody."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop after the current event, and wait for that unless the handler itself calls this."""
        self.let_end()
        if current_thread() is self._thread:
            return
        while self._thread.is_alive():
            # More than once: it may have been just about to wait.
            self._log.wake()
            self._thread.join(0.01)

    @typed
    def caught_up(self, seconds: float) -> bool:
        """Wait until it was told of everything that the log holds now, for at most ``seconds``.

        False once the time is over, and at once if nobody here will do it: it has stopped, or
        another process is at work.
        """
        with self._log.reading() as reading:
            head = reading.head()
        self._hurry.set()
        with self._telling:
            self._telling.wait_for(lambda: self._told is None or self._told >= head, seconds)
            return self._told is not None and self._told >= head

    def __repr__(self) -> str:
        return f"<Reaction {self.name} to {self._log}>"

    def __enter__(self) -> Reaction:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = LOOK
            try:
                with self._log.alone(self.name) as mine:
                    if mine:
                        self._take_up()
                    else:
                        self._bookmark.look_back()
            # The log cannot be used, or leaving `at_work` failed.
            except BaseException as error:
                is_news, pause = self._trouble.met(in_words(error))
                if is_news:
                    warn("reaction %s: %s", self.name, in_words(error))
            self._say_told(None)
            self._stopping.wait(pause)

    def _take_up(self) -> None:
        with ExitStack() as leaving:
            leaving.callback(self._bookmark.save)
            at_work = False
            while not self._stopping.is_set() and self._log.still_alone(self.name):
                bookmark = self._bookmark.look()
                if bookmark.stopped_at is not None:
                    self._say_told(None)
                    self.stopped.set()
                    self._stopping.wait(LOOK)
                    continue
                self.stopped.clear()
                if self._told is None:
                    self._say_told(-1)
                if at_work:
                    self._go_on(bookmark.position)
                    if self._trouble.over():
                        warn("reaction %s is at work again", self.name)
                else:
                    at_work = self._succeeds(
                        lambda: leaving.enter_context(self._at_work()), bookmark.position
                    )

    def _go_on(self, after: int) -> None:
        with self._log.reading() as reading:
            if not self._bookmark.stands(reading):
                return
            page = reading.events_named(after, PAGE, self._events)
            self._firsts = reading.first_positions({one.command for one in page.events})
            tip = reading.tip(page.last)
        # After these, the page may pass over others: refusals, or events of other names.
        if not all(map(self._tell, page.events)) or not self._bookmark.move(page.last, tip):
            return
        if page.stopped_by is not None:
            self._give_up(page.last + 1, str(page.stopped_by))
        elif len(page.events) < PAGE:
            self._say_told(page.last)
            if page.events:
                self._hurry.wait(BREATH)
                self._hurry.clear()
            else:
                self._log.wait_past(page.last, LOOK)

    def _tell(self, recorded: RecordedEvent) -> bool:
        """Tell the handler of an event; true if it may go on with the next."""
        tell = partial(self._tell_once, recorded)
        told = self._succeeds(tell, recorded.position) and self._bookmark.told(recorded)
        return told and not self._stopping.is_set() and self._log.still_alone(self.name)

    def _tell_once(self, recorded: RecordedEvent) -> None:
        # A log whose id somebody has damaged stops the reaction, as any damage does.
        if self._log_id is None:
            with self._log.reading() as reading:
                self._log_id = reading.log_id()
        number = recorded.position - self._firsts[recorded.command.command_id] + 1
        self._handler(Happened(recorded, self.name, self._log_id, number))

    def _succeeds(self, call: Callable[[], object], position: int) -> bool:
        why = failure_of(call, self._attempts, self._stopping)
        if why is not None:
            self._give_up(position, why)
        return why is None

    def _give_up(self, position: int, why: str) -> None:
        # While it is being stopped, it leaves the event to whoever works next.
        if not self._stopping.is_set() and self._bookmark.stop(position, why):
            warn(
                "reaction %s stopped at position %s: %s; look, skip or resume it with "
                "'serverdomain reactions'",
                self.name,
                position,
                why,
            )

    def _say_told(self, position: int | None) -> None:
        with self._telling:
            self._told = position
            self._telling.notify_all()
