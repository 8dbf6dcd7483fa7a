"""Files of messages, read side by side: what they tell comes in order of time.

Each is read on from where it is, so no more is held than a message of each. A file that is not in
order itself is passed on as it is.
"""

from __future__ import annotations

import heapq
import math
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from typing import IO, NamedTuple

from serverdomain.adapters.incoming.message import PassedOver, Read, Reported
from serverdomain.adapters.incoming.parts import parts
from serverdomain.adapters.incoming.sources import STDIN, require_stdin, source
from serverdomain.errors import InvalidInput

MOST_OPEN = 64
"""Files that are read side by side; where more overlap, the next one waits for the end of one."""

_LOOKED_AT = 1_000  # Parts of a file that are asked when it begins.


class Told(NamedTuple):
    """A part of a stream, which ``place`` and ``raw`` say: what it became, or what is wrong."""

    place: str
    raw: bytes
    messages: Sequence[Reported | PassedOver]
    wrong: str | None = None

    @property
    def at(self) -> int | None:
        """When the first of what it reports occurred, in microseconds since 1970 UTC."""
        return min(
            (one.occurred_at for one in self.messages if type(one) is Reported), default=None
        )


def told(stream: IO[bytes], name: str, read: Read) -> Iterator[Told]:
    """What a stream tells, in its order."""
    for part in parts(stream):
        place = f"{name}:{part.line}"
        if part.wrong is not None:
            yield Told(place, part.raw, (), part.wrong)
            continue
        messages: list[Reported | PassedOver] = []
        wrong = None
        try:
            for one in read(part.raw):
                messages.append(one)  # What came before it was wrong is kept.
        except InvalidInput as error:
            wrong = str(error)
        yield Told(place, part.raw, messages, wrong)


class Files:
    """What files tell, in order of time; what bears the same time, in the order of the files.

    Stdin and pipes come last. Raises `OSError` for a file that cannot be read, before anything of
    any file is told.
    """

    def __init__(self, names: Sequence[str], read: Read) -> None:
        self._read = read
        self._coming = deque(
            sorted((_begins(name, read), number, name) for number, name in enumerate(names))
        )
        self._open: list[_Open] = []
        self._closed = 0

    @property
    def read_so_far(self) -> int:
        """The bytes of the files that were read, as they are on disk."""
        return self._closed + sum(one.read_so_far for one in self._open)

    def __iter__(self) -> Iterator[Told]:
        try:
            while self._coming or self._open:
                while self._may_open():
                    _, number, name = self._coming.popleft()
                    heapq.heappush(self._open, _Open(name, number, self._read))
                first = self._open[0]
                if first.head is not None:
                    yield first.head
                if first.go_on():
                    heapq.heapreplace(self._open, first)
                else:
                    self._closed += first.read_so_far
                    heapq.heappop(self._open).close()
        finally:
            for one in self._open:
                one.close()

    def _may_open(self) -> bool:
        if not self._coming or len(self._open) >= MOST_OPEN:
            return False
        return not self._open or self._coming[0][0] <= self._open[0].at


class _Open:
    """A file that is read, and what of it comes next."""

    def __init__(self, name: str, number: int, read: Read) -> None:
        self._number = number
        self._is_file = os.path.isfile(name)
        self._opened = ExitStack()
        stream, self._file = self._opened.enter_context(source(name))
        self._told = told(stream, name, read)
        self.head: Told | None = None
        self.at: float = -math.inf
        """What cannot be read, or bears no time, comes with what stands before it."""

    @property
    def read_so_far(self) -> int:
        return self._file.tell() if self._is_file else 0

    def go_on(self) -> bool:
        """Come to what is next; whether there is something."""
        self.head = next(self._told, None)
        if self.head is None:
            return False
        at = self.head.at
        self.at = self.at if at is None else at
        return True

    def __lt__(self, other: _Open) -> bool:
        return (self.at, self._number) < (other.at, other._number)

    def close(self) -> None:
        self._opened.close()


def _begins(name: str, read: Read) -> float:
    if name == STDIN or not (os.path.isfile(name) or os.path.isdir(name)):
        if name == STDIN:
            require_stdin()
        else:
            os.stat(name)
        return math.inf  # What is read of a pipe or a device is not there to be read again.
    with source(name) as (stream, _):
        for one in islice(told(stream, name, read), _LOOKED_AT):
            if one.at is not None:
                return one.at
    return math.inf
