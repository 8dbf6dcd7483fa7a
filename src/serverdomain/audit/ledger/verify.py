"""Whether a log still holds what a checkpoint covers: one pass over its rows, in order.

Where the leaf hashes that were signed are at hand, today's are compared with them as they come, and
what differs is located; without them only the roots are compared.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from serverdomain.audit.ledger.checkpoint import Checkpoint
from serverdomain.audit.ledger.leaf import Row, hashed, hashed_at
from serverdomain.audit.ledger.locate import Today, locate
from serverdomain.audit.ledger.merkle import HASH_SIZE, Tree
from serverdomain.audit.ledger.problem import Problem
from serverdomain.domain.progress import Progress
from serverdomain.errors import StoreDamaged

if TYPE_CHECKING:
    from serverdomain.store.log import Reading


class Verdict(NamedTuple):
    """What `verify` found: ``problems``, or that the checkpoint's events begin today's ``events``.

    ``uncovered`` of them came later. ``unlocated`` says why problems could not be located, where
    they could not.
    """

    checkpoint: Checkpoint
    events: int
    uncovered: int
    problems: tuple[Problem, ...]
    unlocated: str | None = None


def compare(
    log: Reading,
    checkpoint: Checkpoint,
    leaves: bytes | None,
    progress: Progress,
) -> tuple[list[Problem], int]:
    """The problems of a log's events, and how many came later than what was signed.

    ``leaves`` are those that the checkpoint vouches for, if they are at hand.
    """
    events, size = log.count(), checkpoint.size
    reading = told_pages(log, size, min(events, size), progress)
    if leaves is None:
        return _by_root(reading, checkpoint, events)
    same, before = 0, 0
    while same < size:
        some = next(reading, [])
        run = hashed(some)
        if not some or run != leaves[same * HASH_SIZE : same * HASH_SIZE + len(run)]:
            today = _today(same, before, some, reading)
            return locate(leaves, today, lambda position: _hashing(log, position))
        same += len(some)
        before = some[-1][0]
    return [], events - same


def _by_root(
    reading: Iterator[list[Row]], checkpoint: Checkpoint, events: int
) -> tuple[list[Problem], int]:
    size = left = checkpoint.size
    tree = Tree()
    first = last = None
    while left and (some := next(reading, [])):
        tree.add(hashed(some))
        first = some[0][0] if first is None else first
        last = some[-1][0]
        left -= len(some)
    if left:
        return [Problem("removed", first, last, note=f"at least {left} of {size} events")], 0
    if tree.root() != checkpoint.root:
        return [Problem("altered", first, last)], events - size
    return [], events - size


def _today(rank: int, before: int, some: list[Row], reading: Iterator[list[Row]]) -> Today:
    """All rows from the first that differ on."""
    today = Today(rank, before, array("q"), bytearray())
    while some:
        try:
            today.positions.extend(row[0] for row in some)
        except TypeError:
            raise StoreDamaged("a position in stored_events is no number any more") from None
        today.run.extend(hashed(some))
        some = next(reading, [])
    return today


def _hashing(log: Reading, position: int) -> Callable[[int], bytes]:
    row = log.row(position)
    if row is None:
        raise StoreDamaged(f"the event at position {position} cannot be found by it")
    return hashed_at(row)


def told_pages(log: Reading, size: int, events: int, progress: Progress) -> Iterator[list[Row]]:
    """The log's rows in order of position, many at a time; a page ends behind ``size`` of them.

    ``progress`` is told how many of so many ``events`` were read.
    """
    done = 0
    for some in log.rows():
        covered = max(size - done, 0)
        done += len(some)
        progress(min(done, events), events)
        yield from filter(None, (some[:covered], some[covered:]))
