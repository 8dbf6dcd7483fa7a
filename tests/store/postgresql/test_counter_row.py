"""The counter row is found at once, however many of its older versions a long reading keeps."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from serverdomain.domain import commands as c
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.ending import HEAD, HEAD_AND_TIP
from serverdomain.store.postgresql.log import _LAST, PostgreSQLLog
from serverdomain.store.postgresql.making import init
from serverdomain.store.postgresql.numbered import PUT
from serverdomain.store.postgresql.recorder import INSERT
from serverdomain.store.postgresql.sent import TOUCH
from serverdomain.store.postgresql.writing import WRITE, WRITE_THERE
from serverdomain.testing.contract import adopted, ask


@pytest.mark.parametrize("is_vacuumed", [False, True])
def test_it_is_looked_for_by_its_index_from_the_first_plan_on(url: str, is_vacuumed: bool) -> None:
    address = Address(url)
    init(address)
    with psycopg.connect(**address.parameters(), autocommit=True) as owner:  # type: ignore[arg-type]
        if is_vacuumed:
            owner.execute(f"VACUUM ANALYZE {address.schema}.head")
        for query in (HEAD, HEAD_AND_TIP, _LAST, WRITE, WRITE_THERE, TOUCH, INSERT, PUT):
            parts = query.format(schema=address.schema).split("%s")
            asked = "".join(f"${n}{part}" if n else part for n, part in enumerate(parts))
            plan = owner.execute(f"EXPLAIN (GENERIC_PLAN) {asked}").fetchall()
            told = "\n".join(line for (line,) in plan)
            assert "head_by_position" in told, told
            assert "Seq Scan on head" not in told, told


def test_beside_a_reading_that_lasts_a_write_passes_over_none_of_them(
    url: str, server_url: str
) -> None:
    address = Address(url)
    init(address)
    with (
        closing(PostgreSQLLog(address)) as log,
        psycopg.connect(server_url, autocommit=True) as owner,
    ):
        ask(log, adopted(), "req-1")
        with log.reading() as held:
            held.head()
            for number in range(300):
                ask(log, c.RenameServer(name=f"{number}"), f"req-{number + 2}", at=60)
            told = owner.execute(
                "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + HEAD.format(schema=address.schema)
            ).fetchone()
        assert told is not None
        plan = told[0][0]["Plan"]
        # The index, down from its root, and the row: not the 300 versions before it.
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 10
