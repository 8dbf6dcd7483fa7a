"""Many servers written at once."""

from __future__ import annotations

from functools import partial

from benchmarks.bulk import InBulk, OneByOne, RowsInserted, SavedWhole
from benchmarks.measure import Row, rate_of
from benchmarks.scale import Scale


def rows(scale: Scale) -> list[Row]:
    servers, tenth = scale.imported, max(1, scale.imported // 10)
    return [
        Row(
            "bulk",
            f"{servers:,} servers of ten events, in bulk (eventsourcing: {tenth:,})",
            "event",
            [
                partial(InBulk, servers),
                partial(OneByOne, tenth),
                partial(SavedWhole, servers),
                partial(RowsInserted, servers),
            ],
            min(scale.rounds, 5),
            times={OneByOne.name: 5},
            limit=rate_of(RowsInserted.name),
        )
    ]
