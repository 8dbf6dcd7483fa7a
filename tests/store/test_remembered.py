"""What was folded is remembered until anything is committed, and never longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from serverdomain import Actor, AsOf, Context, NotFound, Servers, StoreError
from serverdomain.domain.events import ServerRenamed
from serverdomain.domain.server import Server
from serverdomain.store.remembered import MOST_BYTES, Bases, Remembered, weight
from serverdomain.testing.store_contract import OTHER, SERVER, adopted


@pytest.fixture(params=["file", "memory"])
def servers(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Servers]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'cloud.db'}"
    with Servers.open(url) as servers:
        servers.register(adopted())
        yield servers


def test_nothing_is_known_at_once_before_it_was_read(servers: Servers) -> None:
    assert servers.get_at_once(SERVER) is None
    read = servers.get(SERVER)
    assert servers.get_at_once(SERVER) == read


def test_what_somebody_does_to_a_server_is_not_what_others_are_given(servers: Servers) -> None:
    for ask in (servers.get, servers.get, servers.get_at_once, servers.get):
        given = ask(SERVER)
        assert given is not None
        assert "of my own" not in given.metadata | given.addresses
        given.metadata["of my own"] = "note"
        given.addresses["of my own"] = ()


def test_whatever_is_committed_ends_it(servers: Servers) -> None:
    servers.get(SERVER)
    servers.rename(SERVER, "after")
    assert servers.get_at_once(SERVER) is None
    assert servers.get(SERVER).name == "after"
    servers.register(adopted(server_id=OTHER))
    assert servers.get_at_once(SERVER) is None


def test_so_it_is_with_a_server_as_of_a_moment(servers: Servers) -> None:
    servers.rename(SERVER, "after")
    then = AsOf(version=1)
    read = servers.get(SERVER, as_of=then)
    assert servers.get(SERVER, as_of=AsOf(version=1)) == read
    assert servers.get(SERVER).name == "after"
    assert servers.get(SERVER, as_of=AsOf(version=2)).name == "after"
    late = Context(Actor("fake", "openstack"))
    servers.record(SERVER, [ServerRenamed("late")], late, occurred_at=servers.now())
    assert servers.get(SERVER, as_of=then) == read


def test_what_is_not_committed_does_not(servers: Servers) -> None:
    read = servers.get(SERVER)
    with suppress(ZeroDivisionError), servers._log.connections.writing() as connection:
        connection.execute("INSERT INTO reactions (name, position) VALUES ('billing', 0)")
        assert servers.get_at_once(SERVER) == read
        raise ZeroDivisionError
    assert servers.get_at_once(SERVER) == read


def test_another_process_ends_it_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cloud.db'}"
    # Other connections are to this one what another process's are.
    with Servers.open(url) as here, Servers.open(url) as there:
        here.register(adopted())
        here.get(SERVER)
        there.rename(SERVER, "after")
        assert here.get_at_once(SERVER) is None
        assert here.get(SERVER).name == "after"


def test_another_projects_server_is_not_there_at_once_either(servers: Servers) -> None:
    servers.get(SERVER)
    with pytest.raises(NotFound):
        servers.get_at_once(SERVER, project_id="another")


def test_a_deleted_server_is_not_remembered(servers: Servers) -> None:
    servers.get(SERVER)
    servers.delete(SERVER, Context(Actor("fake", "openstack")))
    with pytest.raises(NotFound):
        servers.get(SERVER)
    assert servers.get_at_once(SERVER) is None


def test_a_log_that_is_forgotten_takes_it_along() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        servers.get(SERVER)
        servers.forget()
        assert servers.get_at_once(SERVER) is None
        with pytest.raises(NotFound):
            servers.get(SERVER)


def test_no_more_than_so_many_bytes_are_remembered(servers: Servers) -> None:
    full = {f"{number:0255}": "v" * 255 for number in range(128)}
    server = replace(servers.get(SERVER), metadata=full)
    assert weight(server) > 128 * 2 * 255
    most = MOST_BYTES // weight(server)
    remembered, bases = Remembered(servers._log), Bases()
    for number in range(most + 1):
        remembered.keep(number, server, remembered.mark())
        bases.keep(replace(server, id=str(number)), 1, "req-1")
    assert remembered.find(0) is None
    assert bases.get("0") is None
    assert remembered.find(1) == server
    assert bases.weight <= MOST_BYTES
    assert len(bases) == most


def test_where_no_mark_could_be_taken_nothing_is_kept(tmp_path: Path) -> None:
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        servers.register(adopted())
        remembered, server = Remembered(servers._log), servers.get(SERVER)
        servers._log._watcher.close()
        assert remembered.mark() is None
        remembered.keep(SERVER, server, None)
        assert remembered.find(SERVER) is None


def test_what_is_committed_while_a_server_is_read_is_not_missed(servers: Servers) -> None:
    read = servers._read

    def disturbed(server_id: str, as_of: AsOf | None) -> Server:
        server = read(server_id, as_of)
        servers.rename(SERVER, "meanwhile")
        return server

    servers._read = disturbed
    assert servers.get(SERVER).name == "foobar"
    assert servers.get_at_once(SERVER) is None


def test_what_was_read_before_a_commit_is_not_kept_for_what_comes_after(servers: Servers) -> None:
    server = servers.get(SERVER)
    remembered = Remembered(servers._log)
    mark = remembered.mark()
    servers.rename(SERVER, "after")
    remembered.keep(SERVER, server, mark)
    assert remembered.find(SERVER) is None


def test_a_closed_store_knows_nothing(tmp_path: Path) -> None:
    servers = Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}")
    servers.register(adopted())
    servers.get(SERVER)
    servers.close()
    with pytest.raises(StoreError, match="closed"):
        servers.get_at_once(SERVER)
