"""What was found of an edit: where, and what happened there."""

from __future__ import annotations

from typing import Literal, NamedTuple

What = Literal["altered", "removed", "inserted", "re-ordered"]


class Problem(NamedTuple):
    """What happened to ``events`` events at the positions ``first`` to ``last``.

    Positions are those that were signed, of what was inserted today's; ``now`` is where the first
    re-ordered event stands today. ``events`` is smaller than the range where only the range is
    known, and ``None`` where nothing is. What has no position is said by ``note`` alone.
    """

    what: What
    first: int | None = None
    last: int | None = None
    events: int | None = None
    now: int | None = None
    note: str | None = None

    def __str__(self) -> str:
        line = f"{_numbers(self.first, self.last)} {self.what}"
        said = []
        if self.now is not None and self.first is not None and self.last is not None:
            said.append(f"now at {_numbers(self.now, self.now + self.last - self.first)}")
        if self.first is not None and self.last is not None and self.events is not None:
            span = self.last - self.first + 1
            if self.events != span:
                said.append(f"{self.events} of these positions")
        if self.note is not None:
            said.append(self.note)
        return f"{line}: {', '.join(said)}" if said else line


def merged(problems: list[Problem]) -> list[Problem]:
    """Problems in order of position, neighbours of one kind as one."""
    together: list[Problem] = []
    for problem in sorted(problems, key=lambda one: (one.what, one.first or 0)):
        before = together[-1] if together else None
        if before is not None and _go_together(before, problem):
            together[-1] = before._replace(
                last=problem.last, events=(before.events or 0) + (problem.events or 0)
            )
        else:
            together.append(problem)
    return sorted(together, key=lambda one: (one.first or 0, one.what))


def _go_together(one: Problem, other: Problem) -> bool:
    assert one.first is not None
    assert one.last is not None
    assert other.first is not None
    assert other.last is not None
    if one.what != other.what or other.first != one.last + 1:
        return False
    if one.events != one.last - one.first + 1 or other.events != other.last - other.first + 1:
        return False
    if one.now is None or other.now is None:
        return True
    return one.now - one.first == other.now - other.first


def _numbers(first: int | None, last: int | None) -> str:
    if first is None:
        return "-"
    return str(first) if first == last else f"{first}-{last}"
