"""What was folded is remembered, and follows the log: never behind it, never ahead of a commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread, get_ident
from uuid import uuid4

import msgspec
import pytest
from msgspec.structs import replace

from serverdomain import Actor, AsOf, Context, NotFound, Servers, StoreDamaged, StoreError
from serverdomain.domain.events import ServerRenamed
from serverdomain.store import remembered
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.remembered import MOST_BYTES, Remembered
from serverdomain.store.weighed import weight
from serverdomain.testing.store_contract import OTHER, SERVER, adopted
from tests.store.test_so_far import damage


def recorded_of(servers: Servers) -> RecordedCommand:
    with servers._log.reading() as log:
        return log.recorded(SERVER)[-1].command


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


def test_what_is_committed_is_folded_into_it(servers: Servers) -> None:
    servers.get(SERVER)
    servers.rename(SERVER, "after")
    assert servers.get_at_once(SERVER) is None, "whether others committed is not known at once"
    assert servers.get(SERVER).name == "after"
    assert servers.get_at_once(SERVER) == servers.get(SERVER)
    servers.register(adopted(server_id=OTHER))
    assert servers.get_at_once(SERVER) is None
    assert servers.get(OTHER) == servers.get_at_once(OTHER)


def test_a_server_as_of_a_moment_is_not_the_one_that_is_remembered(
    servers: Servers,
) -> None:
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


def test_what_another_process_commits_is_folded_in_too(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    # Other connections are to this one what another process's are.
    with Servers.open(path) as here, Servers.open(path) as there:
        here.register(adopted())
        here.get(SERVER)
        there.rename(SERVER, "after")
        assert here.get_at_once(SERVER) is None
        assert here.get(SERVER).name == "after"
        assert here.get_at_once(SERVER) == there.get(SERVER)


def test_another_projects_server_is_not_there_at_once_either(servers: Servers) -> None:
    servers.get(SERVER)
    with pytest.raises(NotFound):
        servers.get_at_once(SERVER, project_id="another")


def test_a_deleted_server_is_not_there_at_once(servers: Servers) -> None:
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


def test_no_more_than_so_many_bytes_are_remembered(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = {f"{number:0255}": "v" * 255 for number in range(128)}
    heavy = weight(replace(servers.get(SERVER), metadata=full))
    assert heavy > 128 * 2 * 255
    assert MOST_BYTES == 64 * 1024 * 1024
    monkeypatch.setattr(remembered, "MOST_BYTES", 3 * heavy)
    known = Remembered(servers._log)
    ids = [SERVER, OTHER, *(str(uuid4()) for _ in range(2))]
    for server_id in ids[1:]:
        servers.register(adopted(server_id=server_id))
    for server_id in ids:
        servers.replace_metadata(server_id, full)
        assert known.server(server_id) == servers.get(server_id)
    assert len(known._servers) == 3
    assert known._servers.weight <= 3 * heavy
    assert known.server_at_once(SERVER, servers.mark()) is None
    assert known.server_at_once(ids[-1], servers.mark()) == servers.get(ids[-1])


def test_where_the_log_has_no_mark_nothing_is_known_at_once_but_all_is_remembered(
    tmp_path: Path,
) -> None:
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        servers.register(adopted())
        servers._log._watcher.close()
        damage(servers, 1)
        assert servers.get(SERVER).name == "foobar"
        assert servers.get_at_once(SERVER) is None
        servers.rename(SERVER, "after")
        assert servers.get(SERVER).name == "after"


def test_what_is_far_behind_the_log_is_forgotten(
    kept_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered, "MOST_NEW", 2)
    with Servers.open(kept_url) as here, Servers.open(kept_url) as there:
        here.register(adopted())
        for names in (["one", "two"], ["three", "four", "five"]):
            for name in names:
                there.rename(SERVER, name)
            assert here.get(SERVER) == there.get(SERVER)
        assert here.rename(SERVER, "six").server == there.get(SERVER)


def test_what_came_late_from_elsewhere_or_cannot_be_read_is_read_anew(kept_url: str) -> None:
    with Servers.open(kept_url) as here, Servers.open(kept_url) as there:
        here.register(adopted())
        here.register(adopted(OTHER))
        early = here.now() - timedelta(days=1)
        there.rename(SERVER, "now")
        there.record(SERVER, [ServerRenamed("late")], occurred_at=early)
        there.rename(OTHER, "damaged")
        damage(there, 5)
        assert here.get(SERVER) == there.get(SERVER)
        assert here.get(SERVER).name == "now"
        with pytest.raises(StoreDamaged):
            here.get(OTHER)
        assert here.rename(SERVER, "again").server.name == "again"


def test_a_command_is_decided_on_what_is_remembered_and_reads_no_history(kept_url: str) -> None:
    with Servers.open(kept_url) as servers, Servers.open(kept_url) as elsewhere:
        servers.register(adopted())
        servers.rename(SERVER, "one")
        damage(servers, 2)
        assert servers.rename(SERVER, "two").server.name == "two"
        with pytest.raises(StoreDamaged):
            elsewhere.get(SERVER)


def test_what_was_not_committed_is_not_remembered(servers: Servers) -> None:
    before = servers.get(SERVER)
    log = servers._log
    with suppress(ZeroDivisionError), log.writing() as writing:
        command = msgspec.structs.replace(recorded_of(servers), request_id="req-lost")
        writing.so_far(SERVER)
        (position,) = writing.append(command, 1, [ServerRenamed("lost")])
        assert writing.so_far(SERVER).server.name == "lost"
        assert position == 2
        raise ZeroDivisionError
    assert servers.get(SERVER) == before
    after = servers.rename(SERVER, "after")
    assert (after.position, servers.get(SERVER).name) == (2, "after")


def test_what_was_read_before_others_went_on_is_not_remembered(servers: Servers) -> None:
    kept = Remembered(servers._log)
    with servers._log.reading() as log:
        tip = log.tip()
    before = kept.server(SERVER)
    assert before is not None
    servers.rename(SERVER, "after")
    for _ in range(2):
        after = kept.server(SERVER)
        assert after is not None
        assert after.name == "after"
        assert not kept.keep(before, tip)


def test_threads_that_read_while_others_write_never_go_back(servers: Servers) -> None:
    count, wrong, threads = 30, [], []

    def write() -> None:
        for number in range(count):
            version = servers.rename(SERVER, f"{get_ident()} {number}").server.version
            if servers.get(SERVER).version < version:
                wrong.append(version)

    def read() -> None:
        seen = 0
        while seen <= 2 * count:
            version = servers.get(SERVER).version
            if version < seen:
                wrong.append(version)
            seen = version

    for work in (write, write, read, read):
        threads.append(Thread(target=work, daemon=True))
        threads[-1].start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert wrong == []


def test_a_closed_store_knows_nothing(tmp_path: Path) -> None:
    servers = Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}")
    servers.register(adopted())
    servers.get(SERVER)
    servers.close()
    with pytest.raises(StoreError, match="closed"):
        servers.get_at_once(SERVER)
