"""The endpoint: how often it answers, and how soon it first does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from benchmarks.endpoint.mimic import MimicGet
from benchmarks.endpoint.rivals import (
    BarePost,
    EndpointGet,
    EndpointRebuild,
    Hello,
    StoreAlone,
)
from benchmarks.endpoint.starts import Fixture, endpoint, hello, mimic
from benchmarks.measure import Limit, Row
from benchmarks.scale import Scale


def rows(scale: Scale) -> list[Row]:
    calls, rounds = scale.calls, scale.rounds
    return [
        Row(
            "http-get",
            "GET a server of 10 events",
            "call",
            [partial(EndpointGet, calls), partial(Hello, calls), partial(MimicGet, calls)],
            rounds,
            times={Hello.name: 0.45, MimicGet.name: 5},
        ),
        Row(
            "http-rebuild",
            "POST a rebuild, durable",
            "call",
            [
                partial(EndpointRebuild, calls, rounds),
                partial(StoreAlone, calls, rounds),
                partial(BarePost, calls),
            ],
            rounds,
            limit=Limit("1/(1/store alone + 1/bare POST)", _both),
        ),
        Row(
            "start",
            "from the start to the first answer",
            "ms",
            [endpoint, hello, mimic, Fixture],
            min(scale.starts, 5),
            less=True,
        ),
    ]


def _both(values: Mapping[str, Sequence[float]]) -> list[float]:
    """What a core could answer that had nothing to do but this store and such a POST."""
    stores, posts = values[StoreAlone.name], values[BarePost.name]
    return [1 / (1 / store + 1 / post) for store, post in zip(stores, posts, strict=True)]
