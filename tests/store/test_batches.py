"""Callers who wait together share a commit, and each of them is told what is its own."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import (
    Accepted,
    Conflict,
    NotFound,
    OutcomeUnknown,
    RebuildServer,
    Refused,
    RequestIdTaken,
    Servers,
    StoreError,
)
from serverdomain.domain.events import ServerRenamed
from serverdomain.testing.store_contract import NEW_IMAGE, OTHER, SERVER, adopted, under
from tests.linear.points import Points
from tests.store.together import together

TOGETHER = 64

BADLY = RebuildServer(image_id=NEW_IMAGE, name="bad")
"""Of three events, the name is in the last."""

RENAMED_ONCE = (ServerRenamed("once"),)

Work = Callable[[], Accepted]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.db"


@pytest.fixture
def servers(path: Path) -> Iterator[Servers]:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted(), under("req-register"))
        servers.register(adopted(OTHER), under("req-other"))
        yield servers


def renames(servers: Servers, count: int = TOGETHER) -> list[Work]:
    """Of two servers by turns, each under a request id and with a name of its own."""

    def rename(number: int) -> Work:
        server_id = (SERVER, OTHER)[number % 2]
        return lambda: servers.rename(server_id, f"name {number}", under(f"req-{number}"))

    return [rename(number) for number in range(count)]


def others_succeed(servers: Servers, came: Sequence[object], but: Collection[int] = ()) -> None:
    """All but some are told of their own place in a sound log."""
    points = Points.of(servers)
    assert points.wrong == []
    assert servers.check() == []
    for number, accepted in enumerate(came):
        if number in but:
            continue
        assert isinstance(accepted, Accepted), accepted
        written = points.recorded[f"req-{number}"]
        assert (accepted.events, accepted.position) == (written.events, written.last)
        assert accepted.server == points.at(written.server_id, written.point).server
        assert (accepted.server.name, accepted.replayed) == (f"name {number}", False)
    for server_id in (SERVER, OTHER):
        assert servers.get(server_id) == points.at(server_id, len(points.written)).server
    assert servers.list() == list(points.there(len(points.written)))


def sql(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)


@pytest.mark.parametrize(("how", "callers"), [("ABORT", TOGETHER), ("ROLLBACK", 8), ("FAIL", 8)])
def test_one_that_the_database_does_not_take_fails_alone_and_whole(
    servers: Servers, path: Path, how: str, callers: int
) -> None:
    one = callers // 3
    works = renames(servers, callers)
    works[one] = lambda: servers.rebuild(SERVER, BADLY, under(f"req-{one}"))
    # Two of its events are written when the third is not taken.
    sql(
        path,
        "CREATE TRIGGER poison BEFORE INSERT ON stored_events"
        f" WHEN NEW.state LIKE '%bad%' BEGIN SELECT RAISE({how}, 'no such name'); END",
    )
    came = together(path, works)
    sql(path, "DROP TRIGGER poison")

    others_succeed(servers, came, but=[one])
    no = came[one]
    assert isinstance(no, StoreError)
    assert not isinstance(no, OutcomeUnknown)
    assert "no such name" in str(no)
    assert "\n" not in str(no)
    assert f"req-{one}" not in Points.of(servers).recorded
    assert works[one]().replayed is False


def test_those_that_are_not_accepted_leave_the_others_theirs(servers: Servers, path: Path) -> None:
    works = renames(servers)
    no: dict[int, tuple[Work, type[Exception]]] = {
        8: (lambda: servers.start(SERVER, under("req-refused")), Refused),
        20: (lambda: servers.complete_rebuild(SERVER, under("req-conflict")), Conflict),
        31: (lambda: servers.stop(SERVER, under("req-old"), expected_version=1), Conflict),
        32: (lambda: servers.stop(SERVER[:-1] + "0", under("req-none")), NotFound),
        63: (lambda: servers.stop(SERVER, under("req-0")), RequestIdTaken),
    }
    for number, (work, _) in no.items():
        works[number] = work
    came = together(path, works)

    others_succeed(servers, came, but=no)
    assert {number: type(came[number]) for number in no} == {
        number: kind for number, (_, kind) in no.items()
    }
    assert list(Points.of(servers).refusals) == ["req-refused"]


def test_of_many_who_send_one_request_id_at_once_one_is_recorded_and_all_told_the_same(
    servers: Servers, path: Path
) -> None:
    came = together(path, [lambda: servers.rename(SERVER, "once", under("req-once"))] * 16)

    accepted = [one for one in came if isinstance(one, Accepted)]
    assert Counter(one.replayed for one in accepted) == {False: 1, True: 15}
    for one in accepted:
        assert (one.server, one.events, one.position) == (servers.get(SERVER), RENAMED_ONCE, 3)
    assert servers.check() == []


def test_what_was_decided_for_a_commit_that_failed_is_remembered_by_nobody(
    servers: Servers, path: Path
) -> None:
    # A constraint that is looked at when the transaction ends.
    with servers._log.connections.writing() as writer:
        writer.execute(
            "CREATE TABLE never (id REFERENCES commands (command_id) DEFERRABLE INITIALLY DEFERRED)"
        )
        writer.execute(
            "CREATE TRIGGER no_commit AFTER INSERT ON commands BEGIN"
            " INSERT INTO never VALUES (-5); END"
        )
    idle = servers._log.connections.open.writer
    assert idle is not None
    idle.execute("PRAGMA foreign_keys = ON")

    def update() -> Accepted:
        return servers.update_metadata(SERVER, {"b": "b"}, under("req-b"))

    rename = renames(servers, 1)[0]
    came = together(path, [rename, update, lambda: servers.start(SERVER)])
    assert [type(one) for one in came] == [OutcomeUnknown] * 3

    sql(path, "DROP TRIGGER no_commit")
    with Servers.open(f"sqlite:///{path}") as other:
        # It takes the row that the lost one had, and then the other stands where it stood.
        other.stop(SERVER, under("req-stop"))
        other.update_metadata(SERVER, {"b": "b"}, under("req-b"))
        assert servers.get(SERVER) == other.get(SERVER)
    assert update().replayed
    assert servers.get(SERVER).name == "foobar"
    assert servers.rename(SERVER, "after", under("req-after")).server.status == "SHUTOFF"
