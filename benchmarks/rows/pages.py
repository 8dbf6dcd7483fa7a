"""The audit page: how long it is waited for."""

from __future__ import annotations

from functools import partial

from benchmarks.looked_at import Opened, Paged, Scrubbed
from benchmarks.measure import Row
from benchmarks.scale import Scale


def rows(scale: Scale) -> list[Row]:
    events, servers = scale.long // 10, scale.fleet * 25
    return [
        Row(
            "page-server",
            f"open the page of a server of {events:,} events",
            "ms",
            [partial(Opened, 1, events)],
            scale.rounds,
            most=1_000,
            less=True,
        ),
        Row(
            "page-scrub",
            "the slowest step of its slider",
            "ms",
            [partial(Scrubbed, 1, events)],
            scale.rounds,
            most=100,
            less=True,
        ),
        Row(
            "page-fleet",
            f"the slowest page of a fleet of {servers:,}, searched and sorted",
            "ms",
            [partial(Paged, servers, 10)],
            scale.rounds,
            most=200,
            less=True,
        ),
    ]
