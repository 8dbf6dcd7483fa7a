"""Many commands in few transactions, each counted once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serverdomain import (
    Context,
    CreateServer,
    InvalidInput,
    NotFound,
    RebuildServer,
    Refused,
    Servers,
    StoreReadOnly,
)
from serverdomain.domain import events as e
from serverdomain.errors import Conflict, RequestIdTaken, ServerdomainError
from serverdomain.servers import bulk as bulks
from serverdomain.servers.bulk import Bulk
from serverdomain.servers.commands import Commands
from serverdomain.testing import ADMIN, OWNER, ManualClock
from serverdomain.testing.store_contract import IMAGE, OTHER, SERVER, adopted, under

EARLY, LATE = (datetime(2012, month, 1, tzinfo=UTC) for month in (1, 2))


@pytest.fixture
def servers(any_url: str) -> Iterator[Servers]:
    with Servers.open(any_url, clock=ManualClock()) as servers:
        yield servers


def counts(bulk: Bulk) -> tuple[int, int, int, int]:
    return bulk.recorded, bulk.repeated, bulk.unchanged, bulk.refused


def a_story(bulk: Bulk) -> None:
    bulk.register(adopted(), under("req-1"))
    bulk.rename(SERVER, "a", under("req-2"))
    bulk.rename(SERVER, "a", under("req-3"))
    bulk.record(SERVER, [e.ServerStopped()], under("req-4"))


def test_commands_and_facts_are_in_the_log_at_the_end_and_counted(servers: Servers) -> None:
    with servers.bulk() as bulk:
        a_story(bulk)
        assert counts(bulk) == (0, 0, 0, 0)

    assert counts(bulk) == (3, 0, 1, 0)
    assert servers.get(SERVER).name == "a"
    assert servers.get(SERVER).status == "SHUTOFF"


def test_all_of_it_again_happens_once(servers: Servers) -> None:
    with servers.bulk() as bulk:
        a_story(bulk)
        a_story(bulk)
    assert counts(bulk) == (3, 3, 2, 0)
    with servers.bulk() as again:
        a_story(again)

    assert counts(again) == (0, 3, 1, 0)
    assert len(servers.history(SERVER)) == 3


def test_it_is_the_log_that_commands_one_by_one_would_make(servers: Servers) -> None:
    with Servers.open("memory:", clock=ManualClock()) as other:
        other.register(adopted(), under("req-1"))
        other.rebuild(SERVER, RebuildServer(image_id=IMAGE, name="b"), under("req-2"))
        other.complete_rebuild(SERVER, under("req-3"))
        with servers.bulk() as bulk:
            bulk.register(adopted(), under("req-1"))
            bulk.rebuild(SERVER, RebuildServer(image_id=IMAGE, name="b"), under("req-2"))
            bulk.complete_rebuild(SERVER, under("req-3"))

        assert servers.history(SERVER) == other.history(SERVER)


def test_late_facts_among_commands_are_what_the_next_ones_are_decided_on(servers: Servers) -> None:
    with servers.bulk() as bulk:
        bulk.register(adopted(), under("req-1"), occurred_at=LATE)
        bulk.record(SERVER, [e.ServerRenamed("late")], under("req-2"), occurred_at=EARLY)
        bulk.rename(SERVER, "a", under("req-3"), occurred_at=LATE)
        bulk.record(SERVER, [e.ServerStopped()], under("req-4"), occurred_at=LATE)
        bulk.start(SERVER, under("req-5"), occurred_at=LATE)
        bulk.record(OTHER, [e.ServerStopped()], under("req-6"), occurred_at=EARLY)
    assert counts(bulk) == (6, 0, 0, 0)
    history = servers.history(SERVER)
    assert [entry.version for entry in history] == [2, 1, 3, 4, 5]
    assert (servers.get(SERVER).name, servers.get(SERVER).status) == ("a", "ACTIVE")
    assert servers.get(SERVER).version == 5


def test_facts_that_are_asked_again_are_the_same_or_refused(servers: Servers) -> None:
    with servers.bulk() as bulk:
        bulk.record(SERVER, [e.ServerStopped()], under("req-1"), occurred_at=EARLY)
        bulk.record(SERVER, [e.ServerStopped()], under("req-1"), occurred_at=EARLY)
    failed: list[ServerdomainError] = []
    with servers.bulk(lambda request_id, error: failed.append(error)) as again:
        again.record(SERVER, [e.ServerStopped()], under("req-1"), occurred_at=EARLY)
        again.record(SERVER, [e.ServerStopped()], under("req-1"), occurred_at=LATE)
        again.record(SERVER, [e.ServerStarted()], under("req-1"), occurred_at=EARLY)
        again.record(OTHER, [e.ServerStopped()], under("req-1"), occurred_at=EARLY)
    assert (counts(bulk), counts(again)) == ((1, 1, 0, 0), (0, 1, 0, 3))
    assert {type(error) for error in failed} == {RequestIdTaken}


def test_facts_with_a_version_that_is_not_met_do_not_happen(servers: Servers) -> None:
    with pytest.raises(Conflict), servers.bulk() as bulk:
        bulk.record(SERVER, [e.ServerStopped()], under("r"), occurred_at=EARLY, expected_version=3)


def test_each_command_gives_its_servers_id_so_that_the_next_can_name_it(servers: Servers) -> None:
    with servers.bulk() as bulk:
        made = bulk.create(CreateServer(name="web", image_id=IMAGE, flavor_id="1"), under("req-1"))
        bulk.report_built(made)

    assert servers.get(made).status == "ACTIVE"


def test_nothing_is_written_and_no_lock_is_held_until_it_is_time(servers: Servers) -> None:
    with servers.bulk() as bulk:
        bulk.register(adopted())
        assert SERVER not in servers
        servers.register(adopted(OTHER))
        bulk.write()
        assert SERVER in servers


def test_a_transaction_is_full_with_so_many_commands(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulks, "MOST_COMMANDS", 3)
    with servers.bulk() as bulk:
        bulk.register(adopted())
        bulk.rename(SERVER, "a")
        assert SERVER not in servers
        bulk.rename(SERVER, "b")
        assert servers.get(SERVER).name == "b"


def test_a_transaction_is_full_with_what_weighs_so_much(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulks, "MOST_BYTES", 2_000)
    with servers.bulk() as bulk:
        bulk.register(adopted())
        assert SERVER not in servers
        bulk.replace_metadata(SERVER, {f"{key}": "x" * 255 for key in range(8)})
        assert SERVER in servers


def test_one_that_is_refused_is_raised_with_its_request_id_and_the_others_are_written(
    servers: Servers,
) -> None:
    bulk = servers.bulk()
    bulk.register(adopted())
    bulk.lock(SERVER, Context(ADMIN))
    bulk.stop(SERVER, Context(request_id="req-no", actor=OWNER))
    bulk.rename(SERVER, "b")
    with pytest.raises(Refused, match="locked") as raised:
        bulk.write()

    assert any("req-no" in note for note in raised.value.__notes__)
    assert servers.get(SERVER).name == "b"
    assert counts(bulk) == (3, 0, 0, 1)
    assert [one.name for one in servers.history(SERVER)].count("CommandRefused") == 1


def test_a_function_is_told_of_what_did_not_happen_and_all_goes_on(servers: Servers) -> None:
    told: list[tuple[str, ServerdomainError]] = []
    with servers.bulk(lambda request_id, error: told.append((request_id, error))) as bulk:
        bulk.rename(SERVER, "a", under("req-1"))
        bulk.register(adopted())
        bulk.complete_rebuild(SERVER, under("req-2"))

    assert [(request_id, type(error).__name__) for request_id, error in told] == [
        ("req-1", "NotFound"),
        ("req-2", "Conflict"),
    ]
    assert counts(bulk) == (1, 0, 0, 2)


def test_words_that_mean_nothing_are_refused_where_they_are_said(servers: Servers) -> None:
    with servers.bulk() as bulk:
        bulk.register(adopted())
        with pytest.raises(InvalidInput, match="name"):
            bulk.rename(SERVER, "")
        with pytest.raises(NotFound):
            bulk.rename("no id", "a")

    assert counts(bulk) == (1, 0, 0, 0)


def test_a_block_that_raises_leaves_what_waited_unwritten(servers: Servers) -> None:
    bulk = servers.bulk()

    def broken() -> None:
        with bulk:
            bulk.register(adopted())
            bulk.write()
            bulk.rename(SERVER, "a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()

    assert counts(bulk) == (1, 0, 0, 0)
    assert servers.get(SERVER).name != "a"


def test_what_is_only_read_takes_nothing_in(tmp_path: Path) -> None:
    Servers.open(tmp_path / "cloud.db").close()
    with (
        Servers.open(tmp_path / "cloud.db", read_only=True) as servers,
        pytest.raises(StoreReadOnly),
    ):
        servers.bulk()


def test_it_has_every_command_with_its_parameters() -> None:
    def named(kind: type) -> dict[str, list[str]]:
        return {
            name: list(inspect.signature(found).parameters)
            for name, found in inspect.getmembers(kind, inspect.isfunction)
            if not name.startswith("_")
        }

    besides = {"write", "take_in"}
    assert {name: takes for name, takes in named(Bulk).items() if name not in besides} == named(
        Commands
    )
    assert besides <= named(Bulk).keys()
