"""Showing a server: the documented answer byte for byte, and what each path departs from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from freezegun import freeze_time
from msgspec.structs import replace

from serverdomain.adapters.compute_json import location, read_rebuild, render
from serverdomain.domain import moment
from serverdomain.domain.actor import Actor
from serverdomain.domain.commands import Command, CompleteRebuild, RegisterServer
from serverdomain.domain.decisions import decide
from serverdomain.domain.events import Address, Event, Fault
from serverdomain.domain.server import Server, fold
from tests.adapters.recorded import DATA

ENDPOINT = "http://openstack.example.com"
ACTOR = Actor("fake", "openstack")


def now() -> int:
    return moment.to_micros(datetime.now(UTC))


def documented_before() -> RegisterServer:
    """The documented server as it was: another name and image, other metadata and addresses."""
    return RegisterServer(
        server_id="075e40fe-9f03-4652-ba8e-5f8e2547899a",
        name="before",
        project_id="openstack",
        user_id="fake",
        image_id="155d900f-4e14-4e4c-a73d-069cbf4541e6",
        flavor_id="1",
        created=now(),
        updated=now(),
        metadata={"old": "value"},
        addresses={"private": (Address("192.168.0.3", 4),)},
        host_id="1e3da81662354c25560b7e5ea6d8123031f67168b6992f20bb84df69",
    )


def after(history: list[tuple[Event, int]], command: Command) -> list[tuple[Event, int]]:
    events = decide(fold(history), command, ACTOR, "req-1")
    return [*history, *((event, now()) for event in events)]


def test_the_documented_answer_comes_out_of_events_byte_for_byte() -> None:
    request = (DATA / "rebuild-request.json").read_bytes()
    with freeze_time("2012-09-12T17:20:36Z"):
        history = after([], documented_before())
    with freeze_time("2012-09-12T17:20:37Z"):
        rebuild = read_rebuild(request)
        history = after(history, rebuild)
        history = after(history, CompleteRebuild(progress=0))
    server = fold(history)
    assert server is not None

    answer = render(
        server, endpoint=ENDPOINT, project=server.project_id, admin_pass=rebuild.admin_pass
    )

    documented = (DATA / "rebuild-answer.json").read_text()
    assert json.dumps({"server": answer}, indent=0) == documented


@pytest.fixture
def server() -> Server:
    with freeze_time("2012-09-12T17:20:36Z"):
        folded = fold(after([], documented_before()))
    assert folded is not None
    return folded


DOCUMENTED_ORDER: list[str] = list(json.loads((DATA / "rebuild-answer.json").read_text())["server"])


def documented_without(*absent: str) -> list[str]:
    return [name for name in DOCUMENTED_ORDER if name not in absent]


def test_without_a_password_passed_in_there_is_none(server: Server) -> None:
    answer = render(server, endpoint=ENDPOINT, project="openstack")

    assert list(answer) == documented_without("adminPass")


def test_an_empty_password_is_a_password(server: Server) -> None:
    answer = render(server, endpoint=ENDPOINT, project="openstack", admin_pass="")

    assert list(answer) == DOCUMENTED_ORDER
    assert answer["adminPass"] == ""


def test_v2_1_adds_the_disk_config(server: Server) -> None:
    answer = render(server, endpoint=ENDPOINT, path="v2.1", project="openstack")

    assert list(answer) == [*documented_without("adminPass"), "OS-DCF:diskConfig"]
    assert answer["OS-DCF:diskConfig"] == "MANUAL"


@pytest.mark.parametrize(
    ("path", "before_the_fault"), [("v2", "user_id"), ("v2.1", "OS-DCF:diskConfig")]
)
def test_a_fault_stands_last_of_all(server: Server, path: Any, before_the_fault: str) -> None:
    failed = replace(
        server, state="ERROR", fault=Fault(500, server.created_micros, "No valid host")
    )

    answer = render(failed, endpoint=ENDPOINT, path=path, project="openstack")

    assert list(answer)[-2:] == [before_the_fault, "fault"]
    assert answer["fault"] == {
        "code": 500,
        "created": "2012-09-12T17:20:36Z",
        "message": "No valid host",
    }
    assert "progress" not in answer


def hrefs(value: object) -> list[str]:
    if isinstance(value, dict):
        return [value["href"]] if "href" in value else hrefs(list(value.values()))
    if isinstance(value, list):
        return [href for member in value for href in hrefs(member)]
    return []


def test_links_have_no_project_where_the_url_had_none(server: Server) -> None:
    assert hrefs(render(server, endpoint=ENDPOINT, path="v2.1")) == [
        f"{ENDPOINT}/flavors/1",
        f"{ENDPOINT}/images/{server.image_id}",
        f"{ENDPOINT}/v2.1/servers/{server.id}",
        f"{ENDPOINT}/servers/{server.id}",
    ]


def test_a_project_or_flavor_of_any_text_stays_one_segment(server: Server) -> None:
    odd = replace(server, flavor_id="m1/tiny #2")

    links = hrefs(render(odd, endpoint=ENDPOINT, project="a/b c?d%é"))

    assert links == [
        f"{ENDPOINT}/a%2Fb%20c%3Fd%25%C3%A9/flavors/m1%2Ftiny%20%232",
        f"{ENDPOINT}/a%2Fb%20c%3Fd%25%C3%A9/images/{server.image_id}",
        f"{ENDPOINT}/v2/a%2Fb%20c%3Fd%25%C3%A9/servers/{server.id}",
        f"{ENDPOINT}/a%2Fb%20c%3Fd%25%C3%A9/servers/{server.id}",
    ]


@pytest.mark.parametrize("endpoint", [ENDPOINT, f"{ENDPOINT}/"])
def test_an_endpoint_may_end_in_a_slash(server: Server, endpoint: str) -> None:
    assert render(server, endpoint=endpoint) == render(server, endpoint=ENDPOINT)


def test_an_endpoint_may_have_a_path_of_its_own(server: Server) -> None:
    where = location(server.id, endpoint="https://cloud.example.com/compute", project="p")

    assert where == f"https://cloud.example.com/compute/v2/p/servers/{server.id}"


@pytest.mark.parametrize("path", ["v2", "v2.1"])
@pytest.mark.parametrize("project", [None, "openstack"])
def test_the_location_is_the_self_link(server: Server, path: Any, project: str | None) -> None:
    answer = render(server, endpoint=ENDPOINT, path=path, project=project)

    where = location(server.id, endpoint=ENDPOINT, path=path, project=project)

    assert answer["links"][0] == {"href": where, "rel": "self"}


def test_what_is_shown_can_be_changed_without_changing_the_server(server: Server) -> None:
    answer = render(server, endpoint=ENDPOINT)
    answer["metadata"]["x"] = "y"
    answer["addresses"].clear()

    assert server.metadata == {"old": "value"}
    assert server.addresses != {}
