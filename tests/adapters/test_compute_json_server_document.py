"""Adopting a server from the document that shows it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from serverdomain.adapters.compute_json import read_server, render
from serverdomain.domain import moment
from serverdomain.domain.actor import SYSTEM
from serverdomain.domain.commands import RegisterServer
from serverdomain.domain.decisions import decide
from serverdomain.domain.events import Address, Fault
from serverdomain.domain.server import fold
from serverdomain.errors import InvalidBody
from tests.adapters.recorded import DATA

DOCUMENTED: dict[str, Any] = json.loads((DATA / "rebuild-answer.json").read_text())


def with_server(**members: object) -> str:
    document = copy.deepcopy(DOCUMENTED)
    document["server"].update(members)
    return json.dumps(document)


def test_the_documented_answer_is_adopted_whole() -> None:
    assert read_server(json.dumps(DOCUMENTED)) == RegisterServer(
        server_id="075e40fe-9f03-4652-ba8e-5f8e2547899a",
        name="foobar",
        project_id="openstack",
        user_id="fake",
        image_id="70a599e0-31e7-49b7-b260-868f441e862b",
        flavor_id="1",
        created=moment.parse("2012-09-12T17:20:36Z"),
        updated=moment.parse("2012-09-12T17:20:37Z"),
        status="ACTIVE",
        metadata={"meta var": "meta val"},
        addresses={"private": (Address("192.168.0.3", 4),)},
        access_ipv4="1.2.3.4",
        access_ipv6="fe80::100",
        host_id="1e3da81662354c25560b7e5ea6d8123031f67168b6992f20bb84df69",
    )


def test_what_is_adopted_is_shown_again_as_it_came() -> None:
    command = read_server(json.dumps(DOCUMENTED))
    events = decide(None, command, SYSTEM, "req-1")
    server = fold((event, command.updated) for event in events)
    assert server is not None

    shown = render(
        server,
        endpoint="http://openstack.example.com",
        project="openstack",
        admin_pass=DOCUMENTED["server"]["adminPass"],
    )

    assert {"server": shown} == DOCUMENTED


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(DOCUMENTED, id="as one server is shown"),
        pytest.param(DOCUMENTED["server"], id="bare"),
        pytest.param({"servers": [DOCUMENTED["server"]]}, id="a list of one"),
    ],
)
def test_each_form_of_one_server_is_read_alike(document: object) -> None:
    assert read_server(json.dumps(document)) == read_server(json.dumps(DOCUMENTED))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"servers": []}, "servers: an array of 0 came, an array of one server is allowed"),
        ({"servers": [{}, {}]}, "servers: an array of 2 came, an array of one server is allowed"),
        ({"servers": {}}, "servers: an object came, an array of one server is allowed"),
        ({"server": []}, "server: an array came, an object is allowed"),
        ([], "body: an array came, an object with a server is allowed"),
        (None, "body: null came, an object with a server is allowed"),
    ],
)
def test_any_other_form_is_refused(document: object, message: str) -> None:
    with pytest.raises(InvalidBody) as refusal:
        read_server(json.dumps(document))

    assert str(refusal.value) == message


def documented_members(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for key in value:
        if isinstance(key, str):
            found.append((*at, key))
        inner = value[key] if isinstance(key, str) else key
        if isinstance(inner, dict) and key != "metadata":
            found += documented_members(inner, (*at, key))
    return found


MAY_BE_ABSENT = [("adminPass",), ("progress",), ("addresses", "private")]
REQUIRED = [
    member for member in documented_members(DOCUMENTED["server"]) if member not in MAY_BE_ABSENT
]


@pytest.mark.parametrize("member", REQUIRED, ids=".".join)
def test_a_document_that_lacks_a_documented_member_is_refused(member: tuple[str, ...]) -> None:
    document = copy.deepcopy(DOCUMENTED)
    holder = document["server"]
    for key in member[:-1]:
        holder = holder[key]
    del holder[member[-1]]

    with pytest.raises(InvalidBody) as refusal:
        read_server(json.dumps(document))

    assert str(refusal.value) == f"server.{'.'.join(member)}: nothing came, it is required"


def test_all_that_a_document_lacks_is_named_at_once() -> None:
    document = copy.deepcopy(DOCUMENTED)
    del document["server"]["tenant_id"], document["server"]["flavor"]["id"]
    document["server"]["name"] = 7

    with pytest.raises(InvalidBody) as refusal:
        read_server(json.dumps(document))

    assert str(refusal.value) == "server: flavor.id, tenant_id did not come, they are required"
    with pytest.raises(InvalidBody) as refusal:
        read_server("{}")
    for member in REQUIRED:
        assert member[0] in str(refusal.value)


@pytest.mark.parametrize("member", ["addr", "version"])
def test_an_address_without_its_members_is_refused(member: str) -> None:
    address = {"addr": "192.168.0.3", "version": 4}
    del address[member]

    with pytest.raises(InvalidBody, match=f"server.addresses.private.0.{member}: nothing came"):
        read_server(with_server(addresses={"private": [address]}))


def test_progress_and_disk_config_have_their_defaults() -> None:
    document = copy.deepcopy(DOCUMENTED)
    del document["server"]["progress"]
    del document["server"]["adminPass"]

    command = read_server(json.dumps(document))

    assert (command.progress, command.disk_config, command.fault) == (0, "MANUAL", None)


def test_progress_disk_config_and_fault_are_kept() -> None:
    command = read_server(
        with_server(
            **{
                "status": "ERROR",
                "progress": 40,
                "OS-DCF:diskConfig": "AUTO",
                "fault": {
                    "code": 500,
                    "created": "2012-09-12T17:20:37Z",
                    "message": "No valid host",
                    "details": "…",
                },
            }
        )
    )

    assert (command.status, command.progress, command.disk_config) == ("ERROR", 40, "AUTO")
    assert command.fault == Fault(500, moment.parse("2012-09-12T17:20:37Z"), "No valid host")


def test_what_the_documentation_does_not_have_is_overlooked() -> None:
    command = read_server(with_server(**{"OS-EXT-STS:vm_state": "active", "key_name": None}))

    assert command == read_server(json.dumps(DOCUMENTED))


@pytest.mark.parametrize("status", ["ACTIVE", "SHUTOFF", "ERROR", "BUILD"])
def test_a_server_of_a_known_status_is_adopted(status: str) -> None:
    assert read_server(with_server(status=status)).status == status


@pytest.mark.parametrize("status", ["REBUILD", "PAUSED", "active", "", None, 1])
def test_a_server_of_another_status_is_refused_by_name(status: object) -> None:
    with pytest.raises(InvalidBody, match=r"^server\.status: .*'ACTIVE', 'SHUTOFF', 'ERROR'"):
        read_server(with_server(status=status))


def test_adopted_metadata_need_not_keep_the_limits_of_a_request() -> None:
    metadata = {"": "", "a/b": "v" * 1000, **{f"k{n}": "v" for n in range(200)}}

    assert read_server(with_server(metadata=metadata)).metadata == metadata


@pytest.mark.parametrize("member", ["created", "updated"])
@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("2012-09-12T17:20:36", "naive"),
        ("2012-09-12T17:20:60Z", "second 60"),
        ("2012-09-31T17:20:36Z", "not a time"),
        ("yesterday", "not a time"),
        ("9" * 10_000, "not a time"),
        (1347470436, "1347470436 came"),
        (None, "null came"),
    ],
)
def test_a_time_without_a_zone_or_of_another_form_is_refused_by_name(
    member: str, time: object, why: str
) -> None:
    with pytest.raises(InvalidBody) as refusal:
        read_server(with_server(**{member: time}))

    assert str(refusal.value).startswith(f"server.{member}: ")
    assert why in str(refusal.value)
    assert len(str(refusal.value)) < 300


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    command = read_server(with_server(created="2012-09-12T19:20:36.5+02:00"))

    assert command.created == moment.parse("2012-09-12T17:20:36.500000Z")


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"id": "x"}, "server.id"),
        ({"image": ""}, "server.image"),
        ({"image": {"id": "x", "links": []}}, "server.image.id"),
        ({"flavor": {"id": "", "links": []}}, "server.flavor.id"),
        ({"accessIPv4": "fe80::100"}, "server.accessIPv4"),
        ({"accessIPv6": "1.2.3.4"}, "server.accessIPv6"),
        ({"addresses": {"n": [{"addr": "1.2.3.4", "version": 6}]}}, "server.addresses.n"),
        ({"progress": 101}, "server.progress"),
        ({"progress": 1.0}, "server.progress"),
        ({"metadata": {"k": 1}}, "server.metadata.k"),
        ({"OS-DCF:diskConfig": "auto"}, "server.OS-DCF:diskConfig"),
        ({"fault": {"code": 10**30, "created": "", "message": ""}}, "server.fault.code"),
    ],
)
def test_a_wrong_member_is_named_as_the_document_names_it(
    members: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidBody) as refusal:
        read_server(with_server(**members))

    assert refusal.value.field == field
    assert (refusal.value.status, refusal.value.fault) == (400, "badRequest")
