"""One server of very many events: a command where it is remembered, and where it is not."""

from __future__ import annotations

from functools import partial

from benchmarks.callers import Work, each_doing
from benchmarks.idiomatic import Cached, Idiomatic
from benchmarks.long import Cold, Short, cycles_of
from benchmarks.measure import Row
from benchmarks.ours import Ours
from benchmarks.rows.commands import rename
from benchmarks.scale import Scale


def rows(scale: Scale) -> list[Row]:
    of, cycles = f"a server of {scale.long:,} events", cycles_of(scale.long)
    return [
        Row(
            "long",
            f"rename {of}, warm",
            "command",
            # Idiomatic takes seconds for one.
            each_doing(Work(rename, 1, cycles, asked=(0, 0)), Ours, Idiomatic, Cached),
            min(scale.rounds, 3),
            times={Idiomatic.name: 200},
        ),
        Row(
            "long-beside-short",
            f"rename {of}, warm, beside one of 10",
            "command",
            each_doing(Work(rename, 1, cycles, asked=[0] * scale.servers), Ours, Short),
            scale.rounds,
            times={Short.name: round(1 / 1.3, 2)},
        ),
        Row(
            "cold",
            f"rename {of}, cold: opened, done, closed",
            "ms",
            [
                partial(Cold, Ours.name, scale.long),
                partial(Cold, Short.name, 10),
            ],
            scale.starts,
            most=50,
            less=True,
        ),
    ]
