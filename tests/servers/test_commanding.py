"""The one way of a command: `Servers.command`, which every named method is short for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from serverdomain import Conflict, Context, CreateServer, InvalidInput, NotFound, Outcome, Servers
from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.testing import OWNER, READER, ManualClock, registered
from serverdomain.testing.store_contract import IMAGE, OTHER, SERVER, adopted, under


@pytest.fixture
def servers() -> Iterator[Servers]:
    with Servers.open("memory:", clock=ManualClock()) as servers:
        servers.register(adopted(), under("req-register"))
        yield servers


def test_a_named_method_is_a_retry_of_the_same_command(servers: Servers) -> None:
    first = servers.command(SERVER, c.RenameServer(name="new"), under("req-1"))
    again = servers.rename(SERVER, "new", under("req-1"))

    assert (first.replayed, again.replayed) == (False, True)
    assert (again.server, again.events, again.position) == (
        first.server,
        first.events,
        first.position,
    )


def test_a_command_that_names_its_server_needs_no_other_id(servers: Servers) -> None:
    assert servers.command(None, adopted(OTHER)).server.id == OTHER
    with pytest.raises(InvalidInput, match="server_id"):
        servers.command(SERVER, adopted("d5f1a1f2-3b0c-4b8e-9a5d-6a1de3f0c001"))


def test_an_id_that_was_left_out_is_generated_and_not_compared(servers: Servers) -> None:
    creation = CreateServer(name="web", image_id=IMAGE, flavor_id="1")
    first = servers.command(None, creation, under("req-1"))
    again = servers.command(None, creation, under("req-1"))

    assert first.server.id not in (SERVER, OTHER)
    assert (again.server.id, again.replayed) == (first.server.id, True)


def test_what_every_command_may_be_told_goes_along(servers: Servers) -> None:
    stop = c.StopServer()
    with pytest.raises(Conflict, match="version 7 was expected"):
        servers.command(SERVER, stop, expected_version=7)
    with pytest.raises(NotFound):
        servers.command(SERVER, stop, project_id="another")
    at = servers.now() + timedelta(seconds=30)
    servers.command(SERVER, stop, occurred_at=at)
    assert servers.history(SERVER)[-1].occurred_at == at


def test_facts_are_told_by_anybody_of_any_server(servers: Servers) -> None:
    facts = c.RecordFacts(events=(e.ServerStopped(),))

    assert servers.command(SERVER, facts, Context(READER)).server.status == "SHUTOFF"
    outcome = servers.command(OTHER, facts, Context(READER))
    assert isinstance(outcome, Outcome)
    assert (outcome.server, outcome.events) == (None, facts.events)
    begun = servers.record(OTHER, [registered(server_id=OTHER)], Context(READER))
    assert begun.server is not None


def test_facts_are_asked_for_by_their_hash(servers: Servers) -> None:
    facts = c.RecordFacts(events=(e.ServerStopped(),))
    servers.command(SERVER, facts, Context(OWNER, "req-facts"))
    with servers._log.reading() as log:
        recorded = log.command("req-facts")

    assert recorded is not None
    assert (recorded.kind, recorded.members[:11]) == ("record", '{"sha256":"')
