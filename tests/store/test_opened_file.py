"""A file that was opened is the one in its place, under one name, or it is used no more."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import (
    Actor,
    Context,
    NotFound,
    OutcomeUnknown,
    Servers,
    StoreError,
    StoreMissing,
)
from serverdomain.testing.store_contract import OTHER, SERVER, adopted

QUESTIONS: dict[str, Callable[[Servers], object]] = {
    "get": lambda servers: servers.get(SERVER),
    "get_at_once": lambda servers: servers.get_at_once(SERVER) or servers.get(SERVER),
    "history": lambda servers: servers.history(SERVER),
    "list": lambda servers: servers.list(),
    "diff": lambda servers: servers.diff(SERVER),
    "timeline": lambda servers: servers.timeline.search(),
    "follow": lambda servers: next(servers.follow(SERVER, 0)),
    "reactions": lambda servers: servers.reactions(),
    "latest": lambda servers: servers.latest(),
    "fleet": lambda servers: servers.fleet().__enter__(),
    "rename": lambda servers: servers.rename(SERVER, "x"),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.db"


@pytest.fixture
def servers(path: Path) -> Iterator[Servers]:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        servers.backup(path.with_name("backup.db"))
        servers.register(adopted(OTHER))
        for ask in list(QUESTIONS.values())[:-1]:
            ask(servers)
        yield servers


def remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("put_back", [False, True])
def test_a_removed_or_replaced_log_answers_nothing(
    servers: Servers, path: Path, question: str, put_back: bool
) -> None:
    remove(path)
    if put_back:
        shutil.copy(path.with_name("backup.db"), path)
    for _ in range(2):
        with pytest.raises(StoreMissing, match="open it anew" if put_back else "is gone"):
            QUESTIONS[question](servers)


def test_what_is_opened_anew_is_what_was_put_back(servers: Servers, path: Path) -> None:
    path.with_name("backup.db").replace(path)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()
    with Servers.open(f"sqlite:///{path}") as anew:
        assert [server.id for server in anew.list()] == [SERVER]
        with pytest.raises(NotFound):
            anew.get(OTHER)
        with pytest.raises(StoreMissing):
            servers.get(OTHER)
        assert anew.rename(SERVER, "goes on").server.name == "goes on"


@pytest.mark.parametrize("beside", ["wal", "shm"])
def test_nothing_is_acknowledged_where_a_file_beside_it_was_removed(
    servers: Servers, path: Path, beside: str
) -> None:
    path.with_name(f"cloud.db-{beside}").unlink()
    with pytest.raises(StoreMissing, match=rf"cloud\.db-{beside} was removed or replaced while"):
        servers.rename(SERVER, "lost")
    servers.close()
    with Servers.open(f"sqlite:///{path}") as anew:
        assert anew.get(SERVER).name == "foobar"
        assert anew.get(OTHER).name == "foobar", "closing brought it home"


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_what_was_committed_into_a_file_that_went_meanwhile_is_not_acknowledged(
    servers: Servers, path: Path, suffix: str
) -> None:
    """Between the look that each transaction begins with, and its commit."""
    went = path.with_name("went.db")
    with servers._log.connections.writing():
        pass
    writer = servers._log.connections.open.writer
    assert writer is not None

    def move(statement: str) -> None:
        if statement == "COMMIT":
            path.with_name(f"cloud.db{suffix}").rename(went)

    writer.set_trace_callback(move)
    with pytest.raises(OutcomeUnknown, match=rf"cloud\.db{suffix} (is gone|was removed)"):
        servers.rename(SERVER, "in doubt", Context(Actor("ann", "openstack"), "req-1"))
    writer.set_trace_callback(None)
    went.rename(path.with_name(f"cloud.db{suffix}"))
    again = servers.rename(SERVER, "in doubt", Context(Actor("ann", "openstack"), "req-1"))
    assert again.server.name == "in doubt"
    assert len(servers.history(SERVER)) == 2, "it happened once"
    assert servers.rename(SERVER, "goes on").server.name == "goes on"


def test_a_file_replaced_while_it_is_opened_is_not_taken_for_the_first(
    servers: Servers, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between SQLite's opening and our look."""
    connections = servers._log.connections
    really = sqlite3.connect

    def swapped(*given: object, **options: object) -> sqlite3.Connection:
        connection = really(*given, **options)  # type: ignore[call-overload]
        shutil.copy(path, path.with_name("swapped.db"))
        path.with_name("swapped.db").replace(path)
        assert isinstance(connection, sqlite3.Connection)
        return connection

    fresh = type(connections)(connections.place)
    monkeypatch.setattr(sqlite3, "connect", swapped)
    with pytest.raises(StoreMissing, match="open it anew"), fresh.reading():
        pass


def test_a_file_with_two_names_may_be_read_alone(servers: Servers, path: Path) -> None:
    servers.close()
    second = path.with_name("second.db")
    os.link(path, second)
    for name in (path, second):
        with Servers.open(f"sqlite:///{name}", view=path.with_name("view.db")) as both:
            assert both.get(SERVER).name == "foobar"
            assert len(both.list()) == 2
            with pytest.raises(StoreError, match=rf"{name.name} has 2 names \(hard links\)"):
                both.rename(SERVER, "lost")
            assert both.get(SERVER).name == "foobar"
    second.unlink()
    with Servers.open(f"sqlite:///{path}") as one:
        assert one.rename(SERVER, "kept").server.name == "kept"


def test_a_name_that_comes_later_is_noticed_too(servers: Servers, path: Path) -> None:
    second = path.with_name("second.db")
    os.link(path, second)
    with pytest.raises(StoreError, match="hard links"):
        servers.rename(SERVER, "lost")
    second.unlink()
    assert servers.rename(SERVER, "kept").server.name == "kept"


def test_a_log_in_rollback_mode_with_two_names_is_read_as_it_is(
    path: Path, servers: Servers
) -> None:
    backup = path.with_name("backup.db")
    os.link(backup, path.with_name("second.db"))
    whole = backup.read_bytes()
    with Servers.open(f"sqlite:///{backup}", view=path.with_name("view.db")) as copied:
        assert copied.get(SERVER).name == "foobar"
    assert backup.read_bytes() == whole


def test_a_symbolic_link_is_the_file_that_it_leads_to(servers: Servers, path: Path) -> None:
    folder = path.parent / "elsewhere"
    folder.mkdir()
    link = folder / "link.db"
    link.symlink_to(path)
    with Servers.open(f"sqlite:///{link}") as linked:
        linked.rename(SERVER, "by the link")
        assert servers.get(SERVER).name == "by the link"
        assert [server.id for server in linked.list()] == [server.id for server in servers.list()]
        assert linked.view.path == servers.view.path == path.with_name("cloud.view.db")
    assert [*folder.iterdir()] == [link]
    link.unlink()
    link.symlink_to(path.with_name("none.db"))
    with Servers.open(f"sqlite:///{link}") as made:
        made.register(adopted())
    assert path.with_name("none.db").exists()


def test_a_reading_sees_one_state_whatever_happens_to_its_name(
    servers: Servers, path: Path
) -> None:
    with servers._log.reading() as reading:
        remove(path)
        assert reading.head() == 2
        assert reading.history(SERVER).server is not None
    with closing(sqlite3.connect(path)), pytest.raises(StoreMissing):
        servers.get(SERVER)
