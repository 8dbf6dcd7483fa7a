"""Callers who wait together are written in the order in which they came, with one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serverdomain import Accepted, Conflict, OutcomeUnknown, RebuildServer, Servers
from serverdomain.testing.store_contract import NEW_IMAGE, SERVER, adopted, under
from tests.linear.points import Points
from tests.store.together import together

REBUILD = RebuildServer(image_id=NEW_IMAGE, name="rebuilt")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.db"


@pytest.fixture
def servers(path: Path) -> Iterator[Servers]:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted(), under("req-register"))
        yield servers


def test_those_who_wait_share_a_commit_in_the_order_in_which_they_came(
    servers: Servers, path: Path
) -> None:
    before = servers._log.connections.commits
    came = together(
        path, [lambda name=f"{number}": servers.rename(SERVER, name) for number in range(64)]
    )

    # The first found nobody writing, and may have begun before the others came.
    assert servers._log.connections.commits - before <= 2
    positions = [one.position for one in came if isinstance(one, Accepted)]
    assert positions == list(range(2, 66))


def test_whom_a_rule_refuses_or_a_conflict_meets_shares_it(servers: Servers, path: Path) -> None:
    before = servers._log.connections.commits
    together(
        path,
        [
            lambda: servers.rename(SERVER, "first"),
            lambda: servers.rename(SERVER, "second"),
            lambda: servers.start(SERVER, under("req-refused")),
            lambda: servers.complete_rebuild(SERVER),
            lambda: servers.rename(SERVER, "third"),
        ],
    )

    assert servers._log.connections.commits - before <= 2
    points = Points.of(servers)
    assert [one.kind for one in points.written[1:]] == ["rename", "rename", "start", "rename"]
    assert points.refusals["req-refused"][0].first == 4


def test_a_command_meets_what_those_before_it_in_the_same_commit_did(
    servers: Servers, path: Path
) -> None:
    def rebuild() -> Accepted:
        return servers.rebuild(SERVER, REBUILD, under("req-rebuild"))

    def complete() -> Accepted:
        return servers.complete_rebuild(SERVER)

    came = together(path, [rebuild, complete, complete, rebuild])

    assert [type(one) for one in came] == [Accepted, Accepted, Conflict, Accepted]
    first, completed, _, again = came
    assert isinstance(first, Accepted)
    assert isinstance(completed, Accepted)
    assert isinstance(again, Accepted)
    assert [one.server.status for one in (first, completed, again)] == [
        "REBUILD",
        "ACTIVE",
        "REBUILD",
    ]
    assert (again.server, again.events, again.replayed) == (first.server, first.events, True)
    assert first.admin_pass is not None
    assert again.admin_pass is None


def test_where_the_commit_fails_the_outcome_is_unknown_to_all_of_it(
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

    def rename(name: str, request_id: str) -> Callable[[], Accepted]:
        return lambda: servers.rename(SERVER, name, under(request_id))

    # What comes behind the first two is answered by what they did, which is not there.
    came = together(
        path,
        [
            rename("alone", "req-0"),
            rename("a", "req-1"),
            rename("a", "req-2"),
            rename("a", "req-1"),
            lambda: servers.rebuild(SERVER, REBUILD, under("req-3")),
            lambda: servers.rebuild(SERVER, REBUILD, under("req-4")),
            lambda: servers.complete_rebuild(SERVER, under("req-5")),
            lambda: servers.stop(SERVER, under("req-1")),
        ],
    )

    assert [type(one) for one in came] == [OutcomeUnknown] * 8
    assert [one.request_id for one in came if isinstance(one, OutcomeUnknown)] == [
        f"req-{number}" for number in (0, 1, 2, 1, 3, 4, 5, 1)
    ]
    assert len(Points.of(servers).written) == 1
