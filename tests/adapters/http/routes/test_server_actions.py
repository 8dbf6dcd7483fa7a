"""The actions: what each does, and what it is refused for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from serverdomain import Servers
from serverdomain.adapters.http import compute_app
from serverdomain.testing import ManualClock
from tests.adapters.http.client import IMAGE, SERVER, Client, Endpoint, by_name, fault_of
from tests.adapters.recorded import DATA

REBUILD = {"rebuild": {"imageRef": IMAGE}}


def status(ask: Client) -> str:
    return str(ask.get(f"/v2.1/servers/{SERVER}").json()["server"]["status"])


def test_a_rebuild_answers_202_with_the_server_its_password_and_its_url(ask: Client) -> None:
    answer = ask.act(REBUILD)

    server = answer.json()["server"]
    assert answer.status_code == 202
    assert (server["status"], server["progress"]) == ("REBUILD", 0)
    assert len(server["adminPass"]) == 12
    assert answer.headers["location"] == f"http://localhost:8774/v2.1/servers/{SERVER}"
    assert "adminPass" not in ask.get(f"/v2.1/servers/{SERVER}").json()["server"]


def test_the_documented_request_gets_the_documented_members_in_their_order(
    endpoint: Endpoint,
) -> None:
    documented = json.loads((DATA / "rebuild-answer.json").read_text("utf-8"))["server"]

    answer = endpoint.ask(
        "POST",
        f"/v2/openstack/servers/{SERVER}/action",
        content=(DATA / "rebuild-request.json").read_bytes(),
        headers={"Content-Type": "application/json"},
    )

    server = answer.json()["server"]
    assert list(server) == list(documented)
    differing = {name for name in server if server[name] != documented[name]}
    # The 202 says REBUILD, links name this endpoint, and the times are today's.
    assert differing <= {"status", "links", "flavor", "image", "created", "updated"}


@pytest.mark.parametrize("value", [None, {}, [], "x", 1])
def test_a_lock_takes_any_value(ask: Client, value: Any) -> None:
    locked, unlocked = ask.act({"lock": value}), ask.act({"unlock": value})

    assert (locked.status_code, locked.content) == (202, b"")
    assert (unlocked.status_code, unlocked.content) == (202, b"")


def test_a_locked_server_is_its_administrators(ask: Client) -> None:
    ask.act({"lock": None})

    assert fault_of(ask.act(REBUILD)) == (409, "conflictingRequest")
    assert fault_of(ask.act({"os-stop": None})) == (409, "conflictingRequest")
    assert ask.act(REBUILD, user="admin").status_code == 202


def test_a_server_is_stopped_and_started(ask: Client) -> None:
    assert ask.act({"os-stop": None}).status_code == 202
    assert status(ask) == "SHUTOFF"
    assert fault_of(ask.act({"os-stop": None})) == (409, "conflictingRequest")
    assert ask.act({"os-start": None}).status_code == 202
    assert status(ask) == "ACTIVE"
    assert fault_of(ask.act({"os-start": None})) == (409, "conflictingRequest")


def test_a_rebuild_under_way_refuses_another_and_a_reset_ends_it(ask: Client) -> None:
    ask.act(REBUILD)

    assert fault_of(ask.act(REBUILD)) == (409, "conflictingRequest")
    assert fault_of(ask.act({"os-stop": None})) == (409, "conflictingRequest")
    reset = {"os-resetState": {"state": "active"}}
    assert ask.act(reset, user="admin").status_code == 202
    assert status(ask) == "ACTIVE"


@pytest.mark.parametrize(
    "value", [None, {}, {"state": "ACTIVE"}, {"state": None}, {"state": "active", "x": 1}, "error"]
)
def test_another_reset_is_400(ask: Client, value: Any) -> None:
    assert fault_of(ask.act({"os-resetState": value}, user="admin")) == (400, "badRequest")


def test_v2_overlooks_what_else_a_reset_says(ask: Client) -> None:
    action = {"os-resetState": {"state": "error", "x": 1}}

    answer = ask("POST", f"/v2/openstack/servers/{SERVER}/action", json=action, user="admin")

    assert answer.status_code == 202


def test_an_action_that_is_none_here_is_400(ask: Client) -> None:
    answer = ask.act({"reboot": {"type": "SOFT"}})

    assert fault_of(answer) == (400, "badRequest")
    assert "'reboot'" in answer.text


def test_what_the_clock_says_is_when_it_happened() -> None:
    clock = ManualClock(datetime(2012, 9, 12, 17, 20, 37, tzinfo=UTC))
    with Servers.open("memory:", clock=clock) as servers:
        ask = Client(compute_app(servers, authenticate=by_name, hypervisor=None), user="member")
        body = {"server": {"name": "a", "imageRef": IMAGE, "flavorRef": "1"}}
        server_id = ask("POST", "/v2.1/servers", json=body).json()["server"]["id"]
        shown = ask.get(f"/v2.1/servers/{server_id}").json()["server"]
        ask.close()

    assert shown["created"] == shown["updated"] == "2012-09-12T17:20:37Z"
