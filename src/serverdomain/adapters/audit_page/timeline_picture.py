"""A server's life as a picture: when it was in which status, ran which image, and what happened.

It is drawn in shares of its width, so that it is as wide as its page, and of ten thousand events it
draws no more than can be seen.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from serverdomain.adapters.audit_page.story import Story
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.server import Server, is_there

STEPS = 1_000
"""Into how many parts of its width the picture is divided: what falls into one is drawn once."""

_KINDS: dict[type, str] = {
    e.RebuildRequested: "rebuild",
    e.RebuildProgressed: "rebuild",
    e.RebuildCompleted: "rebuild",
    e.RebuildFailed: "failed",
    e.CommandRefused: "refused",
}
_HUES = 5
_TICKS = 5


class Stretch(NamedTuple):
    """A time in which something stayed the same: where it begins, how wide it is, in percent."""

    x: float
    width: float
    kind: str
    says: str


class Tick(NamedTuple):
    """Where something happened, in percent."""

    x: float
    kind: str


class Mark(NamedTuple):
    """A time on the axis; ``edge`` says which end of its label stands there."""

    x: float
    says: str
    edge: str


class Picture(NamedTuple):
    """What is drawn, lane by lane."""

    statuses: list[Stretch]
    images: list[Stretch]
    ticks: list[Tick]
    axis: list[Mark]


def picture(story: Story) -> Picture:
    """The picture of a story."""
    seen = _seen(story)
    hues: dict[str, str] = {}
    images = []
    for x, width, image in _stretches(seen, [_image(one.after) for one in seen]):
        hue = hues.setdefault(image, f"hue-{len(hues) % _HUES}")
        images.append(Stretch(x, width, hue, image))
    statuses = [
        Stretch(x, width, f"status-{status}", status)
        for x, width, status in _stretches(seen, [_status(one.after) for one in seen])
    ]
    ticks = [Tick(round(one.x, 1), kind) for one in seen for kind in one.kinds]
    # What was refused lies on top.
    ticks.sort(key=lambda one: one.kind == "refused")
    return Picture(statuses, images, ticks, list(_axis(story)))


def share(story: Story, row: int) -> float:
    """How far in the picture the moment at a place from 1 lies, in percent."""
    first, last = story.times[0], story.times[-1]
    return 100 * (story.times[row - 1] - first) / (last - first) if last > first else 50.0


class _Seen(NamedTuple):
    """Moments so near to each other that they are seen as one."""

    x: float
    after: Server | None
    kinds: list[str]


def _seen(story: Story) -> list[_Seen]:
    """The moments that can be told apart, of however many."""
    times, apart = story.times, max((story.times[-1] - story.times[0]) // STEPS, 1)
    seen = []
    at = 0
    while at < len(times):
        until = bisect_left(times, times[at] + apart, at)
        events = {type(one.event) for one in story.recorded[at:until]}
        kinds = sorted({_KINDS.get(one, "change") for one in events})
        seen.append(_Seen(share(story, at + 1), story.after[until - 1], kinds))
        at = until
    return seen


def _stretches(seen: list[_Seen], values: list[str]) -> Iterator[tuple[float, float, str]]:
    """Neighbours that are alike as one, those without a value left out."""
    ends = [one.x for one in seen[1:]] + [100.0]
    for value, alike in groupby(zip(seen, ends, values, strict=True), key=itemgetter(2)):
        (first, end, _), *others = alike
        if others:
            end = others[-1][1]
        if value:
            yield round(first.x, 2), round(max(end - first.x, 100 / STEPS), 2), value


def _status(after: Server | None) -> str:
    return after.status if is_there(after) else ""


def _image(after: Server | None) -> str:
    return after.image_id if is_there(after) else ""


def _axis(story: Story) -> Iterator[Mark]:
    first, last = story.times[0], story.times[-1]
    if first == last:
        yield Mark(50.0, _told(first, timedelta(0)), "middle")
        return
    span = timedelta(microseconds=last - first)
    for number in range(_TICKS):
        at = first + (last - first) * number // (_TICKS - 1)
        edge = "start" if number == 0 else "end" if number == _TICKS - 1 else "middle"
        yield Mark(100 * number / (_TICKS - 1), _told(at, span), edge)


def _told(micros: int, span: timedelta) -> str:
    at: datetime = moment.to_datetime(micros).astimezone(UTC)
    if span > timedelta(days=30):
        return f"{at:%Y-%m-%d}"
    return f"{at:%m-%d %H:%M}" if span > timedelta(days=1) else f"{at:%H:%M:%S}"
