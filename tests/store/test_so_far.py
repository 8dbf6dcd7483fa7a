"""A server goes on from where it was folded last: what was read is not read again, nor held."""

from __future__ import annotations

import sqlite3
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from serverdomain import RequestIdTaken, Servers, StoreDamaged
from serverdomain.domain.events import MetadataReplaced, ServerRenamed
from serverdomain.store.log import Reading
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.stored import PAGE_BYTES
from serverdomain.testing.store_contract import OTHER, SERVER, adopted, under
from tests.store.owner import spoil

FULL = {f"{number:0255}": "v" * 255 for number in range(128)}
"""The most metadata that a server may have: 64 KiB."""


@pytest.fixture
def servers(kept_url: str) -> Iterator[Servers]:
    with Servers.open(kept_url) as servers:
        servers.register(adopted())
        yield servers


def whole(servers: Servers) -> object:
    with servers._log.reading() as log:
        return log.history(SERVER).server


def so_far(servers: Servers) -> object:
    with servers._log.reading() as log:
        return log.so_far(SERVER).server


def recorded(servers: Servers) -> RecordedCommand:
    with servers._log.reading() as log:
        return log.recorded(SERVER)[-1].command


def damage(servers: Servers, position: int) -> None:
    spoil(servers._log, f"UPDATE stored_events SET state = 'damaged' WHERE position = {position}")


def test_what_was_folded_is_not_read_again(servers: Servers, kept_url: str) -> None:
    servers.rename(SERVER, "one")
    servers.rename(SERVER, "two")
    damage(servers, 2)
    assert servers.rename(SERVER, "three").server.name == "three"
    assert servers.get(SERVER).name == "three"
    servers.rename(SERVER, "four")
    with Servers.open(kept_url) as elsewhere, pytest.raises(StoreDamaged):
        elsewhere.get(SERVER)


def test_what_others_append_is_read(servers: Servers, kept_url: str) -> None:
    with Servers.open(kept_url) as elsewhere:
        for number in range(4):
            for one in (servers, elsewhere):
                one.rename(SERVER, f"name {number}")
                one.update_metadata(SERVER, {str(number): (one is servers and "here") or "there"})
                assert one.get(SERVER) == whole(servers) == so_far(servers)
        elsewhere.delete(SERVER)
        assert so_far(servers) == whole(servers)


def test_a_fact_that_comes_late_takes_its_place(servers: Servers) -> None:
    servers.rename(SERVER, "now")
    servers.get(SERVER)  # From here on it is gone on.
    early = servers.now() - timedelta(days=1)
    for name in ("late", "later"):
        given = servers.record(SERVER, [ServerRenamed(name)], occurred_at=early)
        assert given.server == whole(servers) == so_far(servers)
    assert servers.rename(SERVER, "again").server == whole(servers)


def test_what_a_caller_does_to_a_server_is_not_gone_on_from(servers: Servers) -> None:
    for ask in (
        lambda: servers.get(SERVER),
        lambda: servers.update_metadata(SERVER, {"a": "b"}).server,
        lambda: servers.get(SERVER),
        lambda: servers.rename(SERVER, "a").server,
    ):
        ask().metadata["of my own"] = "note"
    assert "of my own" not in servers.rename(SERVER, "b").server.metadata


def test_what_was_rolled_back_is_not_gone_on_from(servers: Servers) -> None:
    servers.rename(SERVER, "before")
    with suppress(ZeroDivisionError), servers._log.bulk() as log:
        command = replace(recorded(servers), request_id="req-bulk")
        log.append(command, 2, [ServerRenamed("rolled back")])
        assert log.so_far(SERVER).server.name == "rolled back"
        raise ZeroDivisionError
    servers.rename(SERVER, "after")
    assert servers.get(SERVER) == whole(servers)
    assert servers.get(SERVER).name == "after"


def test_a_log_that_was_put_back_is_gone_on_from_as_it_is_now(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    with (
        Servers.open(path) as servers,
        Servers.open(path) as elsewhere,
        closing(sqlite3.connect(path)) as log,
        closing(sqlite3.connect(tmp_path / "backup.db")) as backup,
    ):
        servers.register(adopted())
        log.backup(backup)
        servers.rename(SERVER, "lost")
        assert servers.get(SERVER).name == "lost"
        backup.backup(log)
        elsewhere.update_metadata(SERVER, {"other": "history"})
        assert servers.get(SERVER) == whole(servers)
        assert servers.rename(SERVER, "mine").server == whole(servers)


def test_a_retry_is_given_its_first_outcome_wherever_the_server_has_got(servers: Servers) -> None:
    firsts = [servers.rename(SERVER, f"name {number}", under(f"req-{number}")) for number in (1, 2)]
    for number, first in enumerate(firsts, start=1):
        again = servers.rename(SERVER, f"name {number}", under(f"req-{number}"))
        assert (again.server, again.replayed) == (first.server, True)
    with pytest.raises(RequestIdTaken):
        servers.rename(SERVER, "another", under("req-1"))


def test_of_what_happened_lately_no_more_is_read_than_was_asked_for(servers: Servers) -> None:
    for number in range(3):
        servers.stop(SERVER)
        servers.rename(SERVER, f"name {number}")
        servers.start(SERVER)
    names = ("ServerRegistered", "ServerStopped", "ServerStarted")
    with servers._log.reading() as log:
        for versions in (0, 1, 4, 100):
            found = log.lately(SERVER, names, versions)
            assert found == Reading.lately(log, SERVER, names, versions)
        assert [one.version for one in log.lately(SERVER, names, 4)] == [1, 7, 8, 10]
        assert log.lately(OTHER, names, 4) == []


def peak_of(question: Callable[[], object]) -> int:
    """The most bytes that Python held while it was answered."""
    tracemalloc.start()
    try:
        question()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def filled(servers: Servers) -> int:
    """Give the server five pages of events, each with all the metadata that it may have."""
    count = 5 * PAGE_BYTES // 65536
    command = recorded(servers)
    with servers._log.bulk() as log:
        log.append_many(
            (replace(command, request_id=f"req-{n}"), n, [MetadataReplaced(FULL | {"n": str(n)})])
            for n in range(1, count + 1)
        )
    return count


def test_of_a_long_history_and_of_a_page_only_a_part_is_held(
    servers: Servers, kept_url: str
) -> None:
    count = filled(servers)
    with Servers.open(kept_url) as cold:
        assert peak_of(lambda: whole(cold)) > 5 * PAGE_BYTES
        assert peak_of(lambda: so_far(cold)) < 3 * PAGE_BYTES
        assert so_far(cold) == whole(cold)
        with cold._log.reading() as log:
            for page in (
                lambda after: log.facts(after, 2000),
                lambda after: log.events(after, 2000),
                lambda after: log.events_named(after, 2000, ()),
            ):
                assert peak_of(lambda page=page: page(0)) < 3 * PAGE_BYTES
                seen, last = 0, 0
                while last < log.head():
                    part = page(last)
                    assert part.events
                    seen, last = seen + len(part.events), part.last
                assert seen == count + 1
            assert sum(len(rows) for rows in log.rows()) == count + 1
            assert len(next(log.rows())) < count
        assert cold.list()[0] == cold.get(SERVER)


def test_where_a_fact_came_late_only_a_part_is_held_as_well(
    servers: Servers, kept_url: str
) -> None:
    filled(servers)
    early = servers.get(SERVER).updated - timedelta(days=1)
    servers.record(SERVER, [ServerRenamed(name="late")], occurred_at=early)
    with Servers.open(kept_url) as cold:
        assert peak_of(lambda: so_far(cold)) < 4 * PAGE_BYTES
        assert so_far(cold) == whole(cold)
        assert peak_of(lambda: cold.stop(SERVER)) < 4 * PAGE_BYTES
        assert cold.list()[0] == cold.get(SERVER)


def test_an_event_that_is_followed_costs_nothing_of_what_came_before(servers: Servers) -> None:
    filled(servers)
    following = servers.follow(SERVER, 20)
    next(following)
    servers.stop(SERVER)
    servers.rename(SERVER, "web-2")
    assert peak_of(lambda: next(following)) < PAGE_BYTES
    assert next(following) == servers.get(SERVER)
