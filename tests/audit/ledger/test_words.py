"""Beside a proof stand words for a reader; a request's events are found, and proved one by one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serverdomain import Actor, Conflict, Context, NotFound, RebuildServer, Refused, Servers
from serverdomain.audit.ledger import check_proof, check_proofs
from serverdomain.audit.ledger.proof import Included
from serverdomain.audit.ledger.words import told_of_leaf
from serverdomain.domain import moment
from serverdomain.domain.events import CommandRefused
from serverdomain.testing.store_contract import NEW_IMAGE
from tests.audit.ledger.conftest import SERVERS, edit, opened

pytestmark = pytest.mark.core


@pytest.fixture
def servers(folder: Path) -> Iterator[Servers]:
    with opened(folder) as servers:
        yield servers


def said_of(servers: Servers, folder: Path, *positions: int) -> list[tuple[str, ...]]:
    """The words beside the proofs of events, under a checkpoint of their own."""
    (folder / "now").unlink(missing_ok=True)
    servers.ledger.checkpoint(folder / "key", folder / "now")
    proofs = b"".join(servers.ledger.proofs(positions, folder / "now"))
    checked = check_proofs(proofs, [folder / "key.pub"])
    assert [one.event["position"] for one in checked if isinstance(one, Included)] == [*positions]
    return [one.said for one in checked if isinstance(one, Included)]


def test_the_words_say_what_changed_from_what_to_what_who_asked_and_when(
    servers: Servers, folder: Path
) -> None:
    by = Actor("al\nice", "a b")
    servers.rename(SERVERS[0], 'é "1"', Context(by, "req-1"))
    done = servers.delete_metadata(SERVERS[0], "round", Context(by, "req-2"))
    entry = servers.history(SERVERS[0])[-1]
    renamed, dropped = said_of(servers, folder, done.position - 1, done.position)
    assert renamed[3:] == ('/name: "name 2" -> "\\u00e9 \\"1\\""',)
    assert dropped == (
        f"position {done.position}: MetadataReplaced of server {SERVERS[0]}",
        "by al\\nice in a b, under req-2",
        f"occurred {entry.as_json()['occurred_at']}, recorded {entry.as_json()['recorded_at']}",
        '/metadata/round: "2" -> absent',
    )


def test_of_a_refusal_they_say_which_rule_it_was_and_why(servers: Servers, folder: Path) -> None:
    with pytest.raises(Refused):
        servers.start(SERVERS[0], Context(request_id="req-no"))
    (position,) = servers.ledger.positions_of("req-no")
    (said,) = said_of(servers, folder, position)
    assert said[0] == f"position {position}: CommandRefused of server {SERVERS[0]}"
    (refused,) = [one.event for one in servers.history(SERVERS[0]) if one.position == position]
    assert isinstance(refused, CommandRefused)
    assert said[3:] == (f"start refused by the rule of state: {refused.why}",)


def test_nothing_is_said_of_an_event_of_no_server_or_of_a_damaged_history(
    servers: Servers, folder: Path
) -> None:
    (theirs, ours) = said_of(servers, folder, 65, 64)
    assert theirs == ()
    assert ours[0].startswith("position 64: ")
    edit(folder, "UPDATE stored_events SET state = '{' WHERE position = 64")
    assert said_of(servers, folder, 64) == [()]


def test_a_proof_alone_has_no_words(servers: Servers, folder: Path) -> None:
    included = check_proof(servers.ledger.prove(64, folder / "signed"), [folder / "key.pub"])
    assert isinstance(included, Included)
    assert included.said == ()


def test_each_of_a_servers_events_is_proved_with_its_own_words(
    servers: Servers, folder: Path
) -> None:
    positions = [entry.position for entry in servers.history(SERVERS[1])]
    said = said_of(servers, folder, *positions)
    assert [words[0].split(":")[0] for words in said] == [f"position {one}" for one in positions]


def test_of_many_events_those_that_came_later_are_left_out_unless_all_did(
    servers: Servers, folder: Path
) -> None:
    servers.rename(SERVERS[0], "another")
    assert len(servers.ledger.proofs([1, 66, 64], folder / "signed")) == 2
    with pytest.raises(Conflict, match="position 66 came after the checkpoint"):
        servers.ledger.proofs([66], folder / "signed")


def test_a_requests_events_are_found_and_so_is_all_that_was_refused_under_its_id(
    servers: Servers,
) -> None:
    asked = RebuildServer(image_id=NEW_IMAGE, name="another")
    done = servers.rebuild(SERVERS[0], asked, Context(request_id="req-1"))
    assert len(done.events) == 3
    assert servers.ledger.positions_of("req-1") == [66, 67, 68]
    for server_id in SERVERS[1:3]:
        with pytest.raises(Refused):
            servers.start(server_id, Context(request_id="req-no"))
    first = done.position + 1
    assert servers.ledger.positions_of("req-no") == [first, first + 1]
    with pytest.raises(NotFound, match="no command was recorded under the request id 'req-none'"):
        servers.ledger.positions_of("req-none")


LEAF = {
    "topic": "serverdomain:ServerLocked:1",
    "server_id": SERVERS[0],
    "user_id": "alice",
    "project_id": "openstack",
    "request_id": "req-1",
    "occurred_at": 0,
    "recorded_at": 1_500_000,
}


def test_a_leaf_says_which_event_of_which_server_who_asked_and_when() -> None:
    assert list(told_of_leaf(LEAF)) == [
        f"ServerLocked of server {SERVERS[0]}",
        "by alice in openstack, under req-1",
        "occurred 1970-01-01T00:00:00.000000Z, recorded 1970-01-01T00:00:01.500000Z",
    ]


@pytest.mark.parametrize("at", [None, "x", 1.5, moment.EARLIEST - 1, moment.LATEST + 1])
def test_a_leaf_says_nothing_of_what_is_no_time(at: object) -> None:
    assert len(list(told_of_leaf(LEAF | {"occurred_at": at}))) == 2
    assert len(list(told_of_leaf(LEAF | {"recorded_at": at}))) == 2
    for edge in (moment.EARLIEST, moment.LATEST):
        assert len(list(told_of_leaf(LEAF | {"occurred_at": edge, "recorded_at": edge}))) == 3


@pytest.mark.parametrize(
    "other", [{"topic": "theirs:X"}, {"topic": b"serverdomain:X"}, {"server_id": None}]
)
def test_a_leaf_of_another_application_says_nothing(other: dict[str, object]) -> None:
    assert list(told_of_leaf(LEAF | other)) == []
