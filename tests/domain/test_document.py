"""The documented members, and what changed in them."""

import pytest
from hypothesis import given as for_any

from serverdomain.domain.document import Change, changes, document
from serverdomain.domain.events import (
    Address,
    Event,
    Fault,
    MetadataReplaced,
    RebuildCompleted,
    RebuildFailed,
    RebuildProgressed,
    RebuildRequested,
    ServerDeleted,
    ServerLocked,
    ServerRenamed,
    ServerStopped,
)
from serverdomain.domain.server import Server, fold
from serverdomain.testing import given, registered, strategies
from tests.domain.table import IMAGE

SERVER_ID = registered().server_id


def server(*facts: Event) -> Server:
    there = given(*facts).server
    assert there is not None
    return there


def test_a_document_has_the_documented_members_in_their_order() -> None:
    assert list(document(server(registered(), ServerRenamed("foobar"))).items()) == [
        ("accessIPv4", "1.2.3.4"),
        ("accessIPv6", "fe80::100"),
        ("addresses", {"private": [{"addr": "192.168.0.3", "version": 4}]}),
        ("created", "2012-09-12T17:20:36Z"),
        ("flavor", {"id": "1"}),
        ("hostId", "1e3da81662354c25560b7e5ea6d8123031f67168b6992f20bb84df69"),
        ("id", "075e40fe-9f03-4652-ba8e-5f8e2547899a"),
        ("image", {"id": "70a599e0-31e7-49b7-b260-868f441e862b"}),
        ("metadata", {"meta var": "meta val"}),
        ("name", "foobar"),
        ("progress", 0),
        ("status", "ACTIVE"),
        ("tenant_id", "openstack"),
        ("updated", "2012-09-12T17:20:37Z"),
        ("user_id", "fake"),
    ]


@pytest.mark.parametrize(
    ("facts", "shows"),
    [
        ((registered(state="ACTIVE", progress=7),), 7),
        ((registered(state="BUILD", progress=7),), 7),
        ((registered(state="SHUTOFF", progress=7),), None),
        ((registered(state="ERROR", progress=7),), None),
        (
            (
                registered(state="SHUTOFF"),
                RebuildRequested("req-1", IMAGE, "given"),
                RebuildProgressed("req-1", 7),
            ),
            7,
        ),
    ],
    ids=["ACTIVE", "BUILD", "SHUTOFF", "ERROR", "REBUILD"],
)
def test_progress_stands_where_it_means_something(facts, shows: int | None) -> None:
    assert document(server(*facts)).get("progress") == shows


def test_a_server_in_error_shows_its_fault_last_of_all() -> None:
    failed = document(
        server(
            registered(),
            RebuildRequested("req-1", IMAGE, "given"),
            RebuildFailed("req-1", "hypervisor", "disk full"),
        )
    )
    assert list(failed)[-1] == "fault"
    assert failed["fault"] == {
        "code": 500,
        "created": "2012-09-12T17:20:38Z",
        "message": "disk full",
    }


@pytest.mark.parametrize(
    "facts",
    [
        (registered(state="ERROR"),),
        (registered(fault=Fault(500, 0, "disk full")),),
        (registered(state="ERROR", fault=Fault(500, 0, "disk full")), ServerStopped()),
        (
            registered(state="ERROR", fault=Fault(500, 0, "disk full")),
            RebuildRequested("req-1", IMAGE, "given"),
        ),
    ],
    ids=["without one", "ACTIVE", "SHUTOFF", "REBUILD"],
)
def test_no_other_server_shows_a_fault(facts) -> None:
    assert "fault" not in document(server(*facts))


def test_a_document_shows_neither_lock_nor_disk_config() -> None:
    assert set(document(server(registered(disk_config="AUTO"), ServerLocked("admin")))) == set(
        document(server(registered()))
    )


def test_a_document_changed_by_its_reader_changes_no_server() -> None:
    there = server(registered())
    shown = document(there)
    shown["metadata"]["meta var"] = "another"
    shown["addresses"]["private"].clear()
    assert document(there) == document(server(registered()))


# Changes


def test_a_rename_changes_the_name_and_nothing_else() -> None:
    before = server(registered())
    after = server(registered(), ServerRenamed("another"))
    assert changes(before, after) == (Change("/name", "foobar", "another"),)


def test_what_nobody_sees_changes_nothing() -> None:
    assert changes(server(registered()), server(registered(), ServerLocked("owner"))) == ()
    assert changes(None, None) == ()


def test_metadata_changes_by_the_item() -> None:
    before = server(registered(metadata={"kept": "1", "gone": "2", "other": "3"}))
    after = server(registered(metadata={"kept": "1", "other": "4", "new": "5"}))
    assert set(changes(before, after)) == {
        Change("/metadata/gone", "2", None),
        Change("/metadata/other", "3", "4"),
        Change("/metadata/new", None, "5"),
    }


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("meta var", "/metadata/meta var"),
        ("a/b", "/metadata/a~1b"),
        ("a~b", "/metadata/a~0b"),
        ("~1", "/metadata/~01"),
        ("", "/metadata/"),
        ("größe", "/metadata/größe"),
    ],
)
def test_a_path_is_a_json_pointer(key: str, path: str) -> None:
    before, after = server(registered(metadata={})), server(registered(metadata={key: "v"}))
    assert changes(before, after) == (Change(path, None, "v"),)


def test_an_address_changes_by_its_place() -> None:
    before = server(registered(addresses={"private": (Address("10.0.0.1", 4),)}))
    after = server(
        registered(addresses={"private": (Address("10.0.0.2", 4), Address("fe80::1", 6))})
    )
    assert changes(before, after) == (
        Change("/addresses/private/0/addr", "10.0.0.1", "10.0.0.2"),
        Change("/addresses/private/1/addr", None, "fe80::1"),
        Change("/addresses/private/1/version", None, 6),
    )


def test_a_beginning_changes_every_leaf_from_nothing_but_when_it_was_updated() -> None:
    begun = changes(None, server(registered()))
    assert [(change.path, change.after) for change in begun] == [
        ("/accessIPv4", "1.2.3.4"),
        ("/accessIPv6", "fe80::100"),
        ("/addresses/private/0/addr", "192.168.0.3"),
        ("/addresses/private/0/version", 4),
        ("/created", "2012-09-12T17:20:36Z"),
        ("/flavor/id", "1"),
        ("/hostId", "1e3da81662354c25560b7e5ea6d8123031f67168b6992f20bb84df69"),
        ("/id", "075e40fe-9f03-4652-ba8e-5f8e2547899a"),
        ("/image/id", "70a599e0-31e7-49b7-b260-868f441e862b"),
        ("/metadata/meta var", "meta val"),
        ("/name", "foobar"),
        ("/progress", 0),
        ("/status", "ACTIVE"),
        ("/tenant_id", "openstack"),
        ("/user_id", "fake"),
    ]
    assert {change.before for change in begun} == {None}


def test_a_deletion_changes_every_leaf_to_nothing() -> None:
    before = server(registered())
    gone = changes(before, server(registered(), ServerDeleted()))
    assert gone == tuple(Change(path, was, None) for path, _, was in changes(None, before))


def test_a_fault_comes_and_goes_with_the_error() -> None:
    rebuilding = (registered(), RebuildRequested("req-1", IMAGE, "given"))
    failed = server(*rebuilding, RebuildFailed("req-1", "hypervisor", "disk full"))
    assert set(changes(server(*rebuilding), failed)) == {
        Change("/progress", 0, None),
        Change("/status", "REBUILD", "ERROR"),
        Change("/fault/code", None, 500),
        Change("/fault/created", None, "2012-09-12T17:20:38Z"),
        Change("/fault/message", None, "disk full"),
    }


def test_progress_is_a_change_of_its_own() -> None:
    before = server(registered(), RebuildRequested("req-1", IMAGE, "given"))
    after = server(
        registered(), RebuildRequested("req-1", IMAGE, "given"), RebuildCompleted("req-1", 100)
    )
    assert set(changes(before, after)) == {
        Change("/progress", 0, 100),
        Change("/status", "REBUILD", "ACTIVE"),
    }


def test_metadata_that_becomes_empty_leaves_no_leaf() -> None:
    assert changes(server(registered()), server(registered(), MetadataReplaced({}))) == (
        Change("/metadata/meta var", "meta val", None),
    )


@for_any(strategies.histories(), strategies.histories())
def test_changes_told_backwards_are_the_changes_back(one, other) -> None:
    before, after = fold(one), fold(other)
    there = {(change.path, change.before, change.after) for change in changes(before, after)}
    back = {(change.path, change.after, change.before) for change in changes(after, before)}
    assert there == back
    assert changes(before, before) == ()
    assert all(was != now for _, was, now in there)


@for_any(strategies.histories())
def test_every_server_that_may_be_has_a_document(history) -> None:
    there = fold(history)
    assert there is not None
    shown = document(there)
    assert shown["status"] == there.status
    assert ("progress" in shown) == (there.status in ("ACTIVE", "BUILD", "REBUILD"))
    assert ("fault" in shown) == (there.status == "ERROR" and there.fault is not None)
