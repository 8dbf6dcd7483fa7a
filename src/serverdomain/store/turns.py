"""A queue of callers, of whom one at a time is at work, for all who wait.

Whoever comes while nobody is at work leads at once. Whoever leads takes what waits, in the order in
which it came, and hands the lead to the first who still waits. A caller who goes away, at whatever
moment, leaves no other behind.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from threading import Condition, Lock

import msgspec

from serverdomain.errors import StoreLocked
from serverdomain.store.lock_timeout import LOCK_TIMEOUT
from serverdomain.store.log import Answer
from serverdomain.store.real_time import monotonic
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.request import Request

MOST_TOGETHER = 128
"""Commands of several callers that share a commit, at most: the first waits for the last."""

MOST_BYTES = 4 * 1024 * 1024
"""What they weigh together, at most, as JSON; what is asked at once and weighs more goes alone."""

MOST_WAITING = 10_000
"""Callers that may wait; whoever comes then waits for room, as long as for a lock."""

Answers = list[Answer | RecordedCommand]
"""What came of commands; of one that is in the log already, that one."""

_encode = msgspec.json.Encoder().encode


class Call:
    """What a caller asks at once, and the answers once they are there.

    It waits for so many ``seconds`` in all: for its turn and, as the leader, for the log's lock.
    """

    __slots__ = ("_until", "answers", "is_left", "requests", "turn")

    def __init__(self, requests: Sequence[Request], seconds: float) -> None:
        self.requests = requests
        self._until = monotonic() + seconds
        self.answers: Answers = []
        self.turn: Lock | None = None
        """What its thread waits for, if it waits: its turn to lead, or the answers."""
        self.is_left = False
        """Whether nobody waits for it any more."""

    def wake(self) -> None:
        """Let its thread go on; not for the second time, if whoever woke it was interrupted."""
        if self.turn is not None and self.turn.locked():
            self.turn.release()

    @property
    def seconds_left(self) -> float:
        """How long it may still wait."""
        return max(0.0, self._until - monotonic())

    @property
    def weight(self) -> int:
        """What it weighs as JSON, in bytes."""
        return sum(weight(request) for request in self.requests)


class Turns:
    """Whose turn it is in ``place``; shared between threads.

    So many commands are taken ``together``, and so many callers may be ``waiting``, each for so
    many ``seconds``.
    """

    def __init__(self, place: object, seconds: float, together: int, waiting: int) -> None:
        self._place = place
        self._seconds = seconds
        self._together = together
        self._most_waiting = waiting
        self._begin()

    def _begin(self) -> None:
        self._pid = os.getpid()
        self._lock = Lock()
        self._room = Condition(self._lock)
        self._waiting: deque[Call] = deque()
        self._leader: Call | None = None
        """Whose turn it is, the first that waits or was taken; nobody's while nobody waits."""
        self.taken: list[Call] = []
        """Whom the leader is at work for."""

    def come(self, call: Call) -> bool:
        """Let a caller wait in its place; whether its turn has come already."""
        if self._pid != os.getpid():
            self._begin()  # The lock may be held, or the lead had, by a thread of the parent.
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                self._wait_for_room(call)
            self._waiting.append(call)
            if self._leader is None:
                self._leader = call
                return True
            call.turn = Lock()
            call.turn.acquire()
            return False

    def _wait_for_room(self, call: Call) -> None:
        def has_room() -> bool:
            return len(self._waiting) < self._most_waiting

        if not self._room.wait_for(has_room, call.seconds_left):
            raise StoreLocked(
                f"{self._place} is locked: {self._most_waiting} callers wait for it already, "
                f"waited {self._seconds:g} s for room ({LOCK_TIMEOUT})"
            )

    def waits(self, call: Call) -> bool:
        """Wait for a caller's answers, or for its turn; whether that has come."""
        assert call.turn is not None
        if not call.turn.acquire(timeout=call.seconds_left):
            with self._lock:
                if self._leader is call:
                    return True
                if call in self._waiting:
                    self._waiting.remove(call)
                    raise StoreLocked(
                        f"{self._place} is locked by another thread, "
                        f"waited {self._seconds:g} s for it ({LOCK_TIMEOUT})"
                    )
            call.turn.acquire()  # It was taken, and comes to an end one way or the other.
        return not call.answers

    def take(self, alone: Call | None = None) -> list[Request]:
        """What is written together: what the first asks, with as much as there may be."""
        with self._lock:
            was_full = len(self._waiting) >= self._most_waiting
            first = self._waiting.popleft()
            self.taken = taken = [first]
            if alone is None and self._waiting:
                self._take_more(taken)
            if was_full:
                self._room.notify_all()
        return [request for one in taken for request in one.requests]

    def _take_more(self, taken: list[Call]) -> None:
        (first,) = taken
        commands, weight = len(first.requests), first.weight
        while self._waiting:
            following = self._waiting[0]
            commands += len(following.requests)
            weight += following.weight
            if commands > self._together or weight > MOST_BYTES:
                return
            taken.append(self._waiting.popleft())

    def hand_on(self) -> None:
        """Let those go who are answered, and the first who still waits lead."""
        for one in self.taken:
            one.wake()
        with self._lock:
            self.taken = []
            first = self._waiting[0] if self._waiting else None
            if first is not None:
                first.wake()
            self._leader = first

    def leave(self, call: Call) -> None:
        """Let the others go on where who waited, or led for them, is gone."""
        with self._lock:
            call.is_left = True
            with suppress(ValueError):
                self._waiting.remove(call)
            if self._leader is not call:
                return
            # What is named by its request id may be written again.
            for one in reversed(self.taken):
                if not (one.answers or one.is_left):
                    self._waiting.appendleft(one)
            self.taken = [one for one in self.taken if one.answers]
        self.hand_on()


def weight(request: Request) -> int:
    """What a command weighs as JSON, in bytes."""
    try:
        return len(_encode(request.command))
    except (UnicodeEncodeError, TypeError):
        return 0  # It cannot be kept, and is told so.
