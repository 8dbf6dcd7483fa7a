"""Which id is whose: a call's own, a client's key, a client's global id."""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5

import pytest

from serverdomain import Actor, Context, RebuildServer
from tests.adapters.http.client import (
    IMAGE,
    OTHER_IMAGE,
    SERVER,
    Client,
    Endpoint,
    fault_of,
)

REBUILD = {"rebuild": {"imageRef": IMAGE}}
KEY = {"Idempotency-Key": '"k"'}


def ids(answer) -> set[str]:
    return {answer.headers["x-compute-request-id"], answer.headers["x-openstack-request-id"]}


def test_every_call_has_an_id_of_its_own_in_both_headers(ask: Client) -> None:
    paths = ["/", "/v2.1/", "/nowhere", "/v2.1/servers", f"/v2.1/servers/{SERVER}", "/v2.1/servers"]
    seen = [ids(ask.get(path)) for path in paths] + [ids(ask("GET", "/v2.1/servers", user="x"))]

    assert all(len(both) == 1 for both in seen)
    assert len(set().union(*seen)) == len(seen)
    assert all(re.fullmatch(r"req-[0-9a-f-]{36}", next(iter(both))) for both in seen)


def test_the_log_bears_the_id_that_the_answer_carried(endpoint: Endpoint) -> None:
    answer = endpoint.ask.act(REBUILD)

    assert ids(answer) == {endpoint.servers.history(SERVER)[-1].request_id}


@pytest.mark.parametrize("key", ['"k"', "k", ' "k" '])
def test_a_key_makes_the_id_of_the_project_and_the_key(ask: Client, key: str) -> None:
    answer = ask.act(REBUILD, headers={"Idempotency-Key": key})

    assert ids(answer) == {f"req-{uuid5(NAMESPACE_URL, 'serverdomain:openstack:k')}"}


def test_an_escaped_quote_in_a_key_is_a_quote(ask: Client) -> None:
    answer = ask.act(REBUILD, headers={"Idempotency-Key": r'"a\"b\\c"'})

    expected = uuid5(NAMESPACE_URL, 'serverdomain:openstack:a"b\\c')
    assert ids(answer) == {f"req-{expected}"}


def test_a_retry_happens_once_and_gets_the_first_status_and_state(endpoint: Endpoint) -> None:
    ask, servers = endpoint.ask, endpoint.servers
    first = ask.act(REBUILD, headers=KEY)
    servers.complete_rebuild(SERVER)
    servers.rename(SERVER, "since")

    again = ask.act(REBUILD, headers=KEY)

    assert (first.status_code, again.status_code) == (202, 202)
    assert ids(first) == ids(again)
    then, now = first.json()["server"], again.json()["server"]
    assert then.pop("adminPass")
    assert now == then, "no password, and nothing of what came later"
    assert servers.get(SERVER).status == "ACTIVE"


def test_a_retry_is_rendered_for_its_own_path_and_host(endpoint: Endpoint) -> None:
    endpoint.ask.act(REBUILD, headers=KEY)
    there = Client(endpoint.app, base_url="https://cloud.example.com", user="member")

    again = there("POST", f"/v2/openstack/servers/{SERVER}/action", json=REBUILD, headers=KEY)

    url = f"https://cloud.example.com/v2/openstack/servers/{SERVER}"
    assert again.headers["location"] == url
    assert again.json()["server"]["links"][0]["href"] == url
    assert "OS-DCF:diskConfig" not in again.json()["server"]
    there.close()


def test_a_create_is_retried_as_well(endpoint: Endpoint) -> None:
    body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1"}}
    first = endpoint.ask("POST", "/v2.1/servers", json=body, headers=KEY)
    endpoint.servers.delete(first.json()["server"]["id"])

    again = endpoint.ask("POST", "/v2.1/servers", json=body, headers=KEY)

    assert (first.status_code, again.status_code) == (202, 202)
    then = first.json()["server"]
    assert then.pop("adminPass")
    assert again.json()["server"] == then
    assert len(endpoint.servers.list()) == 1


def test_a_delete_is_retried_though_the_server_is_gone(ask: Client) -> None:
    answers = [ask("DELETE", f"/v2.1/servers/{SERVER}", headers=KEY) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert fault_of(ask("DELETE", f"/v2.1/servers/{SERVER}")) == (404, "itemNotFound")


@pytest.mark.parametrize(
    ("action", "server_id"),
    [
        ({"rebuild": {"imageRef": OTHER_IMAGE}}, SERVER),
        ({"lock": None}, SERVER),
        (REBUILD, "00000000-0000-4000-8000-000000000001"),
    ],
)
def test_another_command_under_a_used_key_is_422(
    endpoint: Endpoint, action: dict, server_id: str
) -> None:
    endpoint.register("00000000-0000-4000-8000-000000000001")
    endpoint.ask.act(REBUILD, headers=KEY)

    answer = endpoint.ask.act(action, server_id, headers=KEY)

    assert fault_of(answer) == (422, "computeFault")


def test_one_key_is_another_in_another_project(endpoint: Endpoint) -> None:
    body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1"}}

    answers = [
        endpoint.ask("POST", "/v2.1/servers", json=body, headers=KEY, user=user)
        for user in ("member", "stranger")
    ]

    assert answers[0].json()["server"]["id"] != answers[1].json()["server"]["id"]


def test_a_key_may_hold_a_space_as_the_drafts_strings_do(endpoint: Endpoint) -> None:
    answers = [
        endpoint.ask.act(REBUILD, headers={"Idempotency-Key": key}) for key in ('"a b"', "a b")
    ]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert ids(answers[0]) == ids(answers[1])


@pytest.mark.parametrize("key", ["", '""', '" "', "a\tb", "k" * 256, "\u00e9"])
def test_a_key_that_is_none_is_400_by_name(endpoint: Endpoint, key: str) -> None:
    answer = endpoint.ask.act(REBUILD, headers={"Idempotency-Key": key.encode("latin-1")})

    assert fault_of(answer) == (400, "badRequest")
    assert answer.json()["badRequest"]["message"].startswith("Idempotency-Key: ")
    assert endpoint.servers.get(SERVER).version == 1


def test_a_global_id_groups_calls_and_is_never_a_key(endpoint: Endpoint) -> None:
    group = {"X-OpenStack-Request-ID": "req-global"}
    first = endpoint.ask.act(REBUILD, headers=group)
    endpoint.servers.complete_rebuild(SERVER)
    second = endpoint.ask.act(REBUILD, headers=group)

    assert ids(first) != ids(second)
    rebuilds = [e for e in endpoint.servers.history(SERVER) if e.name == "RebuildRequested"]
    assert [e.correlation_id for e in rebuilds] == ["req-global", "req-global"]


@pytest.mark.parametrize("malformed", ["", "a b", "k" * 256])
def test_a_malformed_global_id_is_overlooked(endpoint: Endpoint, malformed: str) -> None:
    answer = endpoint.ask.act(REBUILD, headers={"X-OpenStack-Request-ID": malformed})

    assert answer.status_code == 202
    assert endpoint.servers.history(SERVER)[-1].correlation_id is None


def test_a_refused_call_bears_the_id_of_its_key(ask: Client) -> None:
    answers = [
        ask.act({"rebuild": {}}, headers=KEY),
        ask.act(REBUILD, headers={**KEY, "OpenStack-API-Version": "compute 2.90"}),
    ]

    assert [answer.status_code for answer in answers] == [400, 406]
    assert ids(answers[0]) == ids(answers[1])
    assert ids(answers[0]) == {f"req-{uuid5(NAMESPACE_URL, 'serverdomain:openstack:k')}"}


def test_under_an_id_that_another_project_used_nothing_is_told_of_it() -> None:
    body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1"}}
    actor = Actor("fake", "b")
    with Endpoint(authenticate=None) as endpoint:
        server_id = endpoint.register(OTHER_IMAGE, project_id="b")
        servers = endpoint.servers
        rebuild = RebuildServer(image_id=IMAGE)
        servers.rebuild(server_id, rebuild, Context(actor, request_id=made_of("c")))
        servers.rename(server_id, "other", Context(actor, request_id=made_of("d")))
        for key, path, asked in (
            ("c", f"/servers/{server_id}/action", REBUILD),
            ("d", "/servers", body),
        ):
            headers = {"Idempotency-Key": key}
            answer = endpoint.ask("POST", f"/v2.1/a{path}", json=asked, headers=headers)
            assert ids(answer) == {made_of(key)}
            assert answer.status_code == 422
            assert "of server" not in answer.text


def made_of(key: str) -> str:
    return f"req-{uuid5(NAMESPACE_URL, f'serverdomain:a:{key}')}"
