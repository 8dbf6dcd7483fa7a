"""Of all processes on all nodes one works under a name; who slept too long keeps nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.postgresql import leases
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog

_HOLDER = """\
import sys
from serverdomain.store.postgresql import leases
from serverdomain.store.postgresql import leases
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
leases.LEASE_SECONDS = 1
log = PostgreSQLLog(Address(sys.argv[1]))
with log.alone("billing") as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def nodes(log_url: str) -> Iterator[tuple[PostgreSQLLog, PostgreSQLLog]]:
    with (
        closing(PostgreSQLLog(Address(log_url))) as one,
        closing(PostgreSQLLog(Address(log_url))) as other,
    ):
        yield one, other


def test_of_two_nodes_one_works(nodes: tuple[PostgreSQLLog, PostgreSQLLog]) -> None:
    one, other = nodes
    with one.alone("billing") as mine, other.alone("billing") as theirs:
        assert (mine, theirs) == (True, False)
    with other.alone("billing") as theirs:
        assert theirs


def test_each_node_makes_files_of_its_own(nodes: tuple[PostgreSQLLog, PostgreSQLLog]) -> None:
    one, _ = nodes
    with one.alone("_view") as mine:
        assert mine
    assert one.caches is not None
    assert (one.caches.parent / f"{one.caches.name}._view.lock").exists()


def test_a_name_goes_to_another_once_its_process_is_gone(
    log_url: str, nodes: tuple[PostgreSQLLog, PostgreSQLLog]
) -> None:
    one, _ = nodes
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, log_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    with one.alone("billing") as mine:
        assert not mine
    holder.kill()
    holder.communicate()
    with one.alone("billing", 60) as mine:
        assert mine


def test_who_slept_past_its_time_keeps_no_place(
    nodes: tuple[PostgreSQLLog, PostgreSQLLog], server_url: str
) -> None:
    one, other = nodes
    first = Bookmark("billing", 1)
    with one.alone("billing") as mine:
        assert mine
        assert one.keep_bookmark(first, None)
        with psycopg.connect(server_url, autocommit=True) as owner:
            owner.execute(
                f"UPDATE {one.address.schema}.leases SET held_until = now() - interval '1 second'"
            )
        with other.alone("billing") as theirs:
            assert theirs
            assert not one.keep_bookmark(Bookmark("billing", 2), first)
            assert other.keep_bookmark(Bookmark("billing", 3), first)
    with one.reading() as reading:
        assert reading.bookmark("billing") == Bookmark("billing", 3)


def test_a_lease_whose_number_was_given_again_is_told_by_its_holder(
    nodes: tuple[PostgreSQLLog, PostgreSQLLog], server_url: str
) -> None:
    one, other = nodes
    with one.alone("billing") as mine:
        assert mine
        # As a replica has it that took over before it heard of the lease.
        with psycopg.connect(server_url, autocommit=True) as owner:
            owner.execute(f"DELETE FROM {one.address.schema}.leases")
        with other.alone("billing") as theirs:
            assert theirs
            assert not one.keep_bookmark(Bookmark("billing", 1), None)
            assert other.keep_bookmark(Bookmark("billing", 2), None)


def test_who_slept_past_its_time_knows_it_by_its_own_clock(
    nodes: tuple[PostgreSQLLog, PostgreSQLLog], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = nodes
    now = [100.0]
    monkeypatch.setattr(leases, "monotonic", lambda: now[0])
    with one.alone("billing"):
        assert one.still_alone("billing")
        now[0] += leases.LEASE_SECONDS - 1
        assert one.still_alone("billing")
        now[0] += 1
        assert not one.still_alone("billing")
    assert not other.still_alone("billing")
    assert one.still_alone("_view")
