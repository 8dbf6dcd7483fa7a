"""Where a log was tampered with: the leaf hashes that were signed, laid beside today's.

A position is inside its leaf, so an event that was left alone is recognised by its hash. Of the
others it is asked whether they stood elsewhere; the rest is told by where it stands between those
that are known.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from serverdomain.audit.ledger.merkle import HASH_SIZE
from serverdomain.audit.ledger.problem import Problem, merged

Hashing = Callable[[int], Callable[[int], bytes]]
"""Of the row at a position: the leaf hash that it would have at another."""

_MOST_TRIES = 2_000_000
"""Hashes that are spent on finding where events came from: some seconds."""

_WIDEST = 1000
"""How many more places than events are looked at, where positions had gaps."""


class Today(NamedTuple):
    """The log's rows from the first rank on that is not as it was signed.

    ``before`` is the position of the row before, 0 where there is none.
    """

    rank: int
    before: int
    positions: array[int]
    run: bytearray


class _Gap(NamedTuple):
    """So many events stood between two known ones; behind the last ``before`` is ``None``."""

    events: int
    behind: int
    before: int | None


def locate(old: bytes, today: Today, hashing: Hashing) -> tuple[list[Problem], int]:
    """The problems in order of position, and how many events came after what was signed."""
    size = len(old) // HASH_SIZE
    missing = {
        old[rank * HASH_SIZE : (rank + 1) * HASH_SIZE]: rank for rank in range(today.rank, size)
    }
    known: dict[int, int] = {}
    strangers = []
    for at, position in enumerate(today.positions):
        rank = missing.pop(bytes(today.run[at * HASH_SIZE : (at + 1) * HASH_SIZE]), None)
        if rank is None:
            strangers.append(position)
        else:
            known[rank] = position
    gaps = list(_gaps(known, today, size))
    places = sorted(chain.from_iterable(_places(gap) for gap in gaps if gap.events))
    problems, strangers = _reordered(missing, known, strangers, places, hashing)
    begin = 0
    for gap in _gaps(known, today, size):
        if gap.before is not None:
            end = bisect_left(strangers, gap.before, begin)
            problems += _between(gap, strangers[begin:end])
            begin = end
    problems += _instead(gap, strangers[begin:])
    rest = strangers[bisect_right(strangers, gap.behind, begin) :]
    ended, later = _at_the_end(gap, rest, gapless=gap.behind == size - gap.events)
    return merged([*problems, *ended]), later


def _gaps(known: dict[int, int], today: Today, size: int) -> Iterator[_Gap]:
    rank, behind = today.rank - 1, today.before
    for next_rank in sorted(known):
        yield _Gap(next_rank - rank - 1, behind, known[next_rank])
        rank, behind = next_rank, known[next_rank]
    yield _Gap(size - rank - 1, behind, None)


def _places(gap: _Gap) -> range:
    """Where the events of a gap may have stood; of very many places the first."""
    end = gap.behind + 1 + gap.events
    return range(gap.behind + 1, end if gap.before is None else min(gap.before, end + _WIDEST))


def _reordered(
    missing: dict[bytes, int],
    known: dict[int, int],
    strangers: Sequence[int],
    places: Sequence[int],
    hashing: Hashing,
) -> tuple[list[Problem], list[int]]:
    """Whether today's strangers are events that stood elsewhere; and those that are not."""
    problems: list[Problem] = []
    left = []
    tries, shift = _MOST_TRIES, 0
    for position in strangers:
        hash_at = hashing(position) if missing and places else None
        # Beginning near where the one before came from: what was renumbered moved together.
        for was in _nearest(places, position - shift, max(tries, 1)) if hash_at else ():
            tries -= 1
            rank = missing.pop(hash_at(was), None) if hash_at and was != position else None
            if rank is not None:
                known[rank] = was
                shift = position - was
                problems.append(Problem("re-ordered", was, was, 1, position))
                break
        else:
            left.append(position)
    return problems, left


def _nearest(places: Sequence[int], target: int, most: int) -> Iterator[int]:
    """At most so many places, the nearest first."""
    right = bisect_left(places, target)
    left = right - 1
    for _ in range(min(most, len(places))):
        if left < 0 or (right < len(places) and places[right] - target <= target - places[left]):
            yield places[right]
            right += 1
        else:
            yield places[left]
            left -= 1


def _between(gap: _Gap, strangers: Sequence[int]) -> Iterator[Problem]:
    """What happened between two known events, ``strangers`` being what stands there today."""
    assert gap.before is not None
    places = range(gap.behind + 1, gap.before)
    yield from _instead(gap, strangers)
    inside = strangers[bisect_right(strangers, gap.behind) :]
    if gap.events == len(places):
        yield from _in_place(places, inside)
        return
    # Positions had gaps here: how many events stood there is known, and not where each did.
    if len(inside) <= gap.events:
        for position in inside:
            yield Problem("altered", position, position, 1)
        if len(inside) < gap.events:
            yield Problem("removed", places[0], places[-1], gap.events - len(inside))
        return
    if gap.events:
        yield Problem("altered", inside[0], inside[-1], gap.events)
        yield Problem("inserted", inside[0], inside[-1], len(inside) - gap.events)
        return
    for position in inside:
        yield Problem("inserted", position, position, 1)


def _instead(gap: _Gap, strangers: Sequence[int]) -> Iterator[Problem]:
    """What stands where an event stood that was moved away, or below any position there was."""
    for position in strangers[: bisect_right(strangers, gap.behind)]:
        yield Problem("inserted", position, position, 1)


def _at_the_end(gap: _Gap, strangers: Sequence[int], *, gapless: bool) -> tuple[list[Problem], int]:
    """What happened behind the last known event, and how many events came later."""
    places = range(gap.behind + 1, gap.behind + 1 + gap.events)
    if gapless:
        # Until there each position was one more than the one before, so the others were, too.
        inside = strangers[: bisect_right(strangers, places[-1])] if places else []
        return list(_in_place(places, inside)), len(strangers) - len(inside)
    inside = strangers[: gap.events]
    problems = [Problem("altered", position, position, 1) for position in inside]
    gone = gap.events - len(inside)
    if gone:
        begin = inside[-1] + 1 if inside else places[0]
        problems.append(Problem("removed", begin, begin + gone - 1, gone))
    return problems, len(strangers) - len(inside)


def _in_place(places: range, strangers: Sequence[int]) -> Iterator[Problem]:
    """Where an event stood at each place: it is another today, or none."""
    begin = places.start
    for position in (*strangers, places.stop):
        if begin < position:
            yield Problem("removed", begin, position - 1, position - begin)
        if position < places.stop:
            yield Problem("altered", position, position, 1)
        begin = position + 1
