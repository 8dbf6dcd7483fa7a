"""Pages of a log in PostgreSQL: near behind a position, as heavy as one may be, and over gaps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from serverdomain.domain import commands as c
from serverdomain.domain.history import Fact
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.store.stored import PAGE_BYTES
from serverdomain.testing.contract import adopted, ask


@pytest.fixture
def log(log_url: str) -> Iterator[PostgreSQLLog]:
    with closing(PostgreSQLLog(Address(log_url))) as log:
        ask(log, adopted(), "req-1")
        for number in range(2, 8):
            ask(log, c.RenameServer(name=f"{number}"), f"req-{number}", at=number)
        yield log


@pytest.fixture
def damage(server_url: str, log: PostgreSQLLog) -> Iterator[psycopg.Connection[tuple[object]]]:
    with psycopg.connect(server_url, autocommit=True) as owner:
        owner.execute(f"SET session_replication_role = replica; SET search_path = {schema(log)}")
        yield owner


def schema(log: PostgreSQLLog) -> str:
    return log.address.schema


def followed(log: PostgreSQLLog, limit: int) -> list[list[Fact]]:
    """The pages of whoever follows to the end."""
    pages, last = list[list[Fact]](), 0
    with log.reading() as reading:
        while (page := reading.facts(last, limit)).last > last:
            pages.append(page.events)
            last = page.last
    return pages


def positions(pages: list[list[Fact]]) -> list[list[int]]:
    return [[fact.position for fact in page] for page in pages]


def test_a_page_is_as_near_as_it_is_long(log: PostgreSQLLog) -> None:
    assert positions(followed(log, 3)) == [[1, 2, 3], [4, 5, 6], [7]]


def test_who_follows_comes_over_a_gap_that_is_longer_than_a_page(
    log: PostgreSQLLog, damage: psycopg.Connection[tuple[object]]
) -> None:
    damage.execute("DELETE FROM stored_events WHERE position BETWEEN 3 AND 6")
    assert positions(followed(log, 2)) == [[1, 2], [7]]
    with log.reading() as reading:
        assert [event.position for event in reading.events(2, 2).events] == [7]
        assert [row[0] for rows in reading.rows() for row in rows] == [1, 2, 7]


def test_what_is_heavy_comes_in_pages_that_are_not(
    log: PostgreSQLLog, damage: psycopg.Connection[tuple[object]]
) -> None:
    damage.execute(
        "UPDATE stored_events SET state = state || repeat(' ', %s) WHERE position > 1",
        (PAGE_BYTES // 2,),
    )
    assert positions(followed(log, 7)) == [[1, 2, 3], [4, 5], [6, 7]]


def test_numbers_of_commands_that_lie_far_apart_do_not_lead_to_all_commands(
    log: PostgreSQLLog, damage: psycopg.Connection[tuple[object]]
) -> None:
    damage.execute("UPDATE stored_events SET command_id = 1000000 WHERE position = 7")
    damage.execute("UPDATE commands SET command_id = 1000000 WHERE command_id = 7")
    assert positions(followed(log, 7)) == [[1, 2, 3, 4, 5, 6, 7]]
