"""A server's life as a picture: when it was in which status, ran which image, and what happened.

It is drawn in shares of its width, so that it is as wide as its page, and of ten thousand events it
draws no more than can be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from serverdomain.adapters.audit_page.story import Moment, Story
from serverdomain.domain import moment
from serverdomain.domain.server import is_there

STEPS = 1_000
"""Into how many parts of its width the picture is divided: what falls into one is drawn once."""

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
    hues: dict[str, str] = {}
    for one in story.moments:
        if one.after is not None:
            hues.setdefault(one.after.image_id, f"hue-{len(hues) % _HUES}")
    stretches = _stretches(story, ((one, _status(one)) for one in story.moments))
    statuses = [
        Stretch(x, width, f"status-{status}", status) for x, width, status in stretches if status
    ]
    images = [
        Stretch(x, width, hues[image], image)
        for x, width, image in _stretches(story, ((one, _image(one)) for one in story.moments))
        if image
    ]
    seen = dict.fromkeys((round(share(story, one) * 10) / 10, _kind(one)) for one in story.moments)
    # What was refused lies on top.
    ticks = sorted((Tick(x, kind) for x, kind in seen), key=lambda one: one.kind == "refused")
    return Picture(statuses, images, ticks, list(_axis(story)))


def share(story: Story, one: Moment) -> float:
    """How far in the picture a moment lies, in percent."""
    first, last = story.moments[0].at, story.moments[-1].at
    return 100 * (one.at - first) / max(last - first, 1) if last > first else 50.0


def _stretches(
    story: Story, told: Iterable[tuple[Moment, str]]
) -> Iterator[tuple[float, float, str]]:
    """Neighbours that are alike as one; what is too short to be seen is left out."""
    starts: list[tuple[float, str]] = []
    for one, now in told:
        at = share(story, one)
        if starts and at - starts[-1][0] < 100 / STEPS:
            at, _ = starts.pop()
        if not starts or starts[-1][1] != now:
            starts.append((at, now))
    ends = [at for at, _ in starts[1:]] + [100.0]
    for (at, what), end in zip(starts, ends, strict=True):
        yield round(at, 2), round(max(end - at, 100 / STEPS), 2), what


def _status(one: Moment) -> str:
    return one.after.status if is_there(one.after) else ""


def _image(one: Moment) -> str:
    return one.after.image_id if is_there(one.after) else ""


def _kind(one: Moment) -> str:
    name = one.entry.name
    if one.entry.version is None:
        return "refused"
    if name in ("RebuildRequested", "RebuildCompleted", "RebuildProgressed"):
        return "rebuild"
    return "failed" if name == "RebuildFailed" else "change"


def _axis(story: Story) -> Iterator[Mark]:
    first, last = story.moments[0].at, story.moments[-1].at
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
