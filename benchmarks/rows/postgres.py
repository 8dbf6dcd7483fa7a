"""Commands, an import and a view of a log in PostgreSQL. No rows where no PostgreSQL is installed.

Streams begin at ten events and stay below fifty.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmarks.batches import Batch, Counted
from benchmarks.bulk import InBulk, OneByOne, RowsInserted
from benchmarks.by_psycopg import Psycopg, PsycopgInBatches
from benchmarks.callers import Work, each_doing
from benchmarks.idiomatic import Idiomatic
from benchmarks.measure import Row, rate_of
from benchmarks.postgres import IdiomaticInPostgreSQL, InPostgreSQL
from benchmarks.rows.commands import pair
from benchmarks.scale import Scale
from benchmarks.views import FromZero
from tests.store.postgresql import server


class _InBulk(InBulk):
    def _open(self, folder: Path) -> InPostgreSQL:
        return InPostgreSQL(folder)


class _OneByOne(OneByOne):
    def _open(self, folder: Path) -> Idiomatic:
        return IdiomaticInPostgreSQL(folder)


class _RowsInserted(RowsInserted):
    name = "psycopg by hand, 2,000 commands a statement"

    def _open(self, folder: Path) -> Psycopg:
        return Psycopg(folder)


def rows(scale: Scale) -> list[Row]:
    if server.programs() is None:
        return []
    what = "in PostgreSQL, a rebuild and its completion"
    servers, tenth = scale.imported, max(1, scale.imported // 10)
    alone, many, batch = Work(pair, scale.servers), Work(pair, scale.servers, callers=16), Batch()
    return [
        Row(
            "postgres-pairs-1",
            f"{what}, 1 caller",
            "pair",
            each_doing(alone, InPostgreSQL, IdiomaticInPostgreSQL, Psycopg),
            scale.rounds,
            times={Idiomatic.name: 3},
            limit=rate_of(Psycopg.name),
        ),
        Row(
            "postgres-pairs-16",
            f"{what}, 16 callers",
            "pair",
            [
                partial(Counted, batch, many._replace(commands=2), of=InPostgreSQL),
                *each_doing(many, IdiomaticInPostgreSQL, Psycopg, partial(PsycopgInBatches, batch)),
            ],
            scale.rounds,
            times={Idiomatic.name: 8},
            limit=rate_of(PsycopgInBatches.name),
        ),
        Row(
            "postgres-bulk",
            f"in PostgreSQL, {servers:,} servers of ten events, in bulk (eventsourcing: {tenth:,})",
            "event",
            [partial(_InBulk, servers), partial(_OneByOne, tenth), partial(_RowsInserted, servers)],
            min(scale.rounds, 5),
            times={Idiomatic.name: 6},
            limit=rate_of(_RowsInserted.name),
        ),
        Row(
            "postgres-view",
            f"in PostgreSQL, a view from zero, {scale.replayed:,} events"
            f" (eventsourcing: {scale.few:,})",
            "event",
            [
                partial(FromZero, InPostgreSQL, scale.replayed),
                partial(FromZero, Psycopg, scale.replayed),
                partial(FromZero, IdiomaticInPostgreSQL, scale.few),
            ],
            min(scale.rounds, 3),
            times={Psycopg.name: 0.9},
            warm=False,
        ),
    ]
