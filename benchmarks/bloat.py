"""What a reader that holds a snapshot costs the writers of a log in PostgreSQL, minute by minute.

``python -m benchmarks.bloat URL --minutes 10`` writes into the log at a URL, which `store init` has
made for this: first alone, then beside a transaction that stays open, as that of pg_dump does, and
once more when it is gone. While it is open, no older version of the counter row can be removed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import psycopg

from serverdomain import Context, Servers
from serverdomain.domain import commands as c
from serverdomain.store.postgresql.address import Address
from serverdomain.testing.contract import adopted

STEP = 10.0
"""Seconds between two points of the curve."""


class Writers:
    """Threads that each rename a server of its own; ``count`` says how often."""

    def __init__(self, servers: Servers, many: int) -> None:
        self._servers = servers
        self._counts = [0] * many
        self._over = Event()
        self._threads = [Thread(target=self._write, args=(number,)) for number in range(many)]
        for thread in self._threads:
            thread.start()

    def _write(self, number: int) -> None:
        web = self._servers.create(
            c.CreateServer(name="web", image_id=adopted().image_id, flavor_id="1")
        ).id
        while not self._over.is_set():
            for name in ("one", "other"):
                self._servers.rename(web, f"{name} {self._counts[number]}", Context())
                self._counts[number] += 1

    @property
    def count(self) -> int:
        return sum(self._counts)

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def held(address: Address) -> Iterator[None]:
    """A transaction that sees the log as it is now, as long as it is open."""
    with psycopg.connect(**address.parameters()) as connection:  # type: ignore[arg-type]
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute(f'SELECT COUNT(*) FROM "{address.schema}".head')
        yield


def point(watching: psycopg.Connection[tuple[object, ...]], schema: str) -> dict[str, object]:
    """How the counter row lies now."""
    found = watching.execute(
        "SELECT n_tup_upd, n_tup_hot_upd, n_dead_tup, pg_relation_size(relid),"
        " pg_indexes_size(relid) FROM pg_stat_user_tables"
        " WHERE schemaname = %s AND relname = 'head'",
        (schema,),
    ).fetchone() or (0, 0, 0, 0, 0)
    return dict(zip(("updates", "hot", "dead", "bytes", "index bytes"), found, strict=True))


def measure(url: str, minutes: float, writers: int, step: float = STEP) -> list[dict[str, object]]:
    """The curve: a minute's tenth alone, the ``minutes`` beside a snapshot, and a tenth again."""
    address = Address(url)
    curve: list[dict[str, object]] = []
    with (
        Servers.open(url) as servers,
        closing(
            psycopg.connect(**address.parameters(), autocommit=True)  # type: ignore[arg-type]
        ) as watching,
    ):
        working = Writers(servers, writers)

        def follow(what: str, seconds: float) -> None:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                began, before = time.monotonic(), working.count
                time.sleep(min(step, max(end - began, 0.01)))
                rate = (working.count - before) / (time.monotonic() - began)
                curve.append({"what": what, "rate": round(rate), **point(watching, address.schema)})
                print(json.dumps(curve[-1]), flush=True)

        try:
            follow("alone", max(minutes * 6, step))
            with held(address):
                follow("beside a snapshot", minutes * 60)
            follow("alone again", max(minutes * 6, step))
        finally:
            working.stop()
    return curve


def main() -> None:
    """Measure, print each point, and keep the curve where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="a log for this alone, which store init has made")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--json", type=Path, help="where the curve is kept")
    given = parser.parse_args()
    curve = measure(given.url, given.minutes, given.writers)
    if given.json is not None:
        given.json.write_text(json.dumps(curve, indent=1), "utf-8")


if __name__ == "__main__":
    main()
