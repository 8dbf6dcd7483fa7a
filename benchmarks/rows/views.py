"""A view from zero."""

from __future__ import annotations

from functools import partial

from benchmarks.by_hand import ByHand
from benchmarks.idiomatic import Batched, Idiomatic
from benchmarks.measure import Row
from benchmarks.ours import Ours
from benchmarks.rival import Rival
from benchmarks.scale import Scale
from benchmarks.views import FromZero


def view(rival: Rival, _: int, server: int) -> int:
    assert isinstance(rival, Ours)
    return rival.view()


def rows(scale: Scale) -> list[Row]:
    return [
        Row(
            "view",
            f"a view from zero, {scale.replayed:,} events (eventsourcing: {scale.few:,})",
            "event",
            [
                partial(FromZero, Ours, scale.replayed),
                partial(FromZero, ByHand, scale.replayed),
                partial(FromZero, Idiomatic, scale.few),
                partial(FromZero, Batched, scale.few),
            ],
            min(scale.rounds, 3),
            times={ByHand.name: 0.9},
            warm=False,
        )
    ]
