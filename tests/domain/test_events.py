"""The facts: frozen, compared by what they say, and named for good."""

import pytest
from hypothesis import given as for_any
from msgspec import UNSET
from msgspec.structs import fields

from serverdomain.domain import events
from serverdomain.domain.events import (
    EVENTS,
    AccessAddressesChanged,
    Address,
    Event,
    Fault,
    RebuildCompleted,
    ServerObserved,
    ServerRegistered,
)
from serverdomain.testing import registered, strategies

# Permanent: a name in a log keeps its meaning for good. Add here, never change.
NAMES = {
    "AccessAddressesChanged": ("access_ipv4", "access_ipv6"),
    "CallReported": ("action", "outcome", "code", "address"),
    "CommandRefused": ("server_id", "kind", "members", "rule", "why"),
    "DiskConfigChanged": ("disk_config",),
    "ImageChanged": ("image_id",),
    "MetadataReplaced": ("metadata",),
    "RebuildCompleted": ("rebuild_id", "progress"),
    "RebuildFailed": ("rebuild_id", "stage", "reason"),
    "RebuildProgressed": ("rebuild_id", "percent"),
    "RebuildRequested": ("rebuild_id", "image_id", "password"),
    "ServerBuilt": (),
    "ServerDeleted": (),
    "ServerLocked": ("locked_by",),
    "ServerObserved": (
        "server_id",
        "name",
        "project_id",
        "user_id",
        "image_id",
        "flavor_id",
        "state",
        "metadata",
        "addresses",
        "access_ipv4",
        "access_ipv6",
        "host_id",
        "progress",
        "disk_config",
        "created",
        "fault",
    ),
    "ServerRegistered": (
        "server_id",
        "name",
        "project_id",
        "user_id",
        "image_id",
        "flavor_id",
        "state",
        "metadata",
        "addresses",
        "access_ipv4",
        "access_ipv6",
        "host_id",
        "progress",
        "disk_config",
        "created",
        "fault",
    ),
    "ServerRenamed": ("name",),
    "ServerStarted": (),
    "ServerStopped": (),
    "ServerUnlocked": (),
    "StateReset": ("state",),
}


def test_the_events_have_these_names_and_members_for_good() -> None:
    assert {
        name: tuple(member.name for member in fields(event)) for name, event in EVENTS.items()
    } == NAMES


def test_every_event_of_the_module_has_a_name() -> None:
    made = {
        thing
        for thing in vars(events).values()
        if isinstance(thing, type) and issubclass(thing, Event) and thing is not Event
    }
    assert set(EVENTS.values()) == made


@for_any(strategies.events())
def test_no_event_can_be_changed(event: Event) -> None:
    for member in fields(event):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(event, member.name, None)


def test_no_address_and_no_fault_can_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        Address("192.168.0.3", 4).addr = "192.168.0.4"
    with pytest.raises(AttributeError, match="immutable"):
        Fault(500, 0, "disk full").message = "no"


def test_events_are_equal_when_they_say_the_same() -> None:
    assert registered() == registered()
    assert registered() != registered(name="another")


def test_what_a_registration_does_not_say() -> None:
    event = registered()
    assert (event.progress, event.disk_config, event.created, event.fault) == (
        0,
        "MANUAL",
        None,
        None,
    )


def test_a_rebuild_is_done_to_the_full_unless_it_says_otherwise() -> None:
    assert RebuildCompleted("req-1").progress == 100


def test_what_is_not_said_is_absent_rather_than_empty() -> None:
    assert AccessAddressesChanged(access_ipv4="").access_ipv6 is UNSET
    seen = ServerObserved(server_id=registered().server_id)
    unsaid = [member.name for member in fields(seen) if getattr(seen, member.name) is UNSET]
    assert unsaid == [name for name in NAMES["ServerObserved"] if name != "server_id"]


def test_a_beginning_names_its_members_so_that_none_is_mistaken_for_another() -> None:
    with pytest.raises(TypeError):
        ServerRegistered(registered().server_id, "foobar")
    with pytest.raises(TypeError):
        ServerObserved(registered().server_id)


def test_no_event_holds_a_password() -> None:
    names = {member for members in NAMES.values() for member in members}
    assert not {name for name in names if "pass" in name} - {"password"}
    assert [name for name, members in NAMES.items() if "password" in members] == [
        "RebuildRequested"
    ]
