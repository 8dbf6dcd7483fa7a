"""What a handler is told, and the context of the commands that it causes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from serverdomain import Actor, Context, Servers
from serverdomain.domain.actor import SYSTEM
from serverdomain.domain.events import ServerRenamed
from serverdomain.projections.happened import Happened
from serverdomain.testing.store_contract import SERVER, adopted

OCCURRED = datetime(2013, 9, 12, 17, 20, 37, tzinfo=UTC)
RENAMED = Context(Actor("fake", "openstack"), request_id="req-1", correlation_id="ticket-7")


def told(context: Context = RENAMED) -> Happened:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        servers.rename(SERVER, "after", context, occurred_at=OCCURRED)
        return Happened(servers.history(SERVER)[-1].recorded, "billing", "log-1")


def test_a_handler_is_told_what_happened_to_what_when_and_by_whom() -> None:
    one = told()
    assert (one.name, one.event) == ("ServerRenamed", ServerRenamed("after"))
    assert (one.server_id, one.position, one.version) == (SERVER, 2, 2)
    assert one.occurred_at == OCCURRED < one.recorded_at
    assert (one.user_id, one.project_id) == ("fake", "openstack")
    assert (one.request_id, one.correlation_id, one.caused_by) == ("req-1", "ticket-7", None)


@pytest.mark.parametrize(
    ("step", "request_id"),
    [
        ("", "req-f96f5e61-0beb-5f96-afea-7a9cb8cb5388"),
        ("invoice", "req-c785b988-6f90-56d6-bda7-4c1faa6a0109"),
    ],
)
def test_the_request_ids_it_commands_under_are_those_of_every_release(
    step: str, request_id: str
) -> None:
    # Another one would command again what was commanded before an upgrade.
    context = told().context(step) if step else told().context()
    assert context.request_id == request_id


def test_what_it_commands_bears_its_actor_its_cause_and_what_it_belongs_to() -> None:
    assert told().context().actor == SYSTEM
    billing = Actor("billing", "openstack")
    context = told().context(actor=billing)
    assert (context.actor, context.caused_by) == (billing, "req-1")
    assert context.correlation_id == "ticket-7"


def test_what_it_commands_belongs_to_its_cause_where_that_belongs_to_nothing() -> None:
    assert told(Context(request_id="req-2")).context().correlation_id == "req-2"
