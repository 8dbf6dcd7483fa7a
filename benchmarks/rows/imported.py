"""A cloud's notifications taken in."""

from __future__ import annotations

from functools import partial

from benchmarks.imported import Imported, Parsed
from benchmarks.measure import Row, rate_of
from benchmarks.scale import Scale


def rows(scale: Scale) -> list[Row]:
    messages = scale.imported * 10
    return [
        Row(
            "import-nova",
            f"{messages:,} notifications of Nova's, imported from a file",
            "message",
            [partial(Imported, messages), partial(Parsed, messages)],
            min(scale.rounds, 5),
            times={Parsed.name: 0.3},
            limit=rate_of(Parsed.name),
        )
    ]
