"""Bodies that are too long, too deep, broken, of the wrong type, or never finished."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from serverdomain.adapters.http.calls.admission import MOST, read_body
from tests.adapters.http.client import IMAGE, SERVER, Client, Endpoint, chunks, fault_of

ACTION = f"/v2.1/servers/{SERVER}/action"
JSON = {"Content-Type": "application/json"}


def padded(size: int) -> bytes:
    """A rebuild's body of so many bytes."""
    body = json.dumps({"rebuild": {"imageRef": IMAGE}}).encode()
    return body + b" " * (size - len(body))


def test_a_body_of_112_kib_is_taken_and_one_byte_more_is_413(endpoint: Endpoint) -> None:
    ask = endpoint.ask

    too_long = ask("POST", ACTION, content=padded(MOST + 1), headers=JSON)

    assert fault_of(too_long) == (413, "overLimit")
    assert too_long.headers["connection"] == "close"
    assert endpoint.servers.get(SERVER).version == 1
    assert ask("POST", ACTION, content=padded(MOST), headers=JSON).status_code == 202


class Sender:
    """The client's side of an ASGI call, which counts what was read of it."""

    path = ACTION

    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)
        self.read = 0
        self.answer: dict[str, Any] = {}

    async def receive(self) -> dict[str, Any]:
        if not self._parts:
            return {"type": "http.disconnect"}
        self.read += 1
        return {"type": "http.request", "body": self._parts.pop(0), "more_body": True}

    async def send(self, message: dict[str, Any]) -> None:
        self.answer |= message

    def ask(self, endpoint: Endpoint, method: str = "POST", **headers: str) -> None:
        scope = {
            "type": "http",
            "method": method,
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("localhost", 8774),
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in {
                    "host": "localhost",
                    "x_auth_token": "member",
                    **headers,
                }.items()
            ],
        }
        endpoint.ask.run(endpoint.app(scope, self.receive, self.send))


def test_an_announced_length_is_refused_before_anything_is_read(endpoint: Endpoint) -> None:
    sender = Sender(b"x" * 100)

    sender.ask(endpoint, content_length="99999999999999999999999")

    assert sender.answer["status"] == 413
    assert sender.read == 0


def test_so_is_one_with_a_call_that_takes_no_body(endpoint: Endpoint) -> None:
    sender = Sender()
    sender.path = f"/v2.1/servers/{SERVER}"

    sender.ask(endpoint, "GET", content_length=str(MOST + 1))

    assert sender.answer["status"] == 413


def test_head_has_no_body(endpoint: Endpoint) -> None:
    sender = Sender()
    sender.path = f"/v2.1/servers/{SERVER}"

    sender.ask(endpoint, "HEAD")

    assert (sender.answer["status"], sender.answer["body"]) == (200, b"")


def test_without_an_announcement_no_more_is_read_than_shows_it(endpoint: Endpoint) -> None:
    sender = Sender(*[b" " * 64 * 1024] * 100)

    sender.ask(endpoint)

    assert sender.answer["status"] == 413
    assert sender.read == 2


def test_a_client_that_goes_away_gets_nothing_and_nothing_happens(endpoint: Endpoint) -> None:
    sender = Sender(b'{"lock": null}')

    sender.ask(endpoint)

    assert sender.answer == {}
    assert endpoint.servers.get(SERVER).version == 1


def test_a_message_that_says_nothing_of_a_body_is_an_empty_one() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    assert asyncio.run(read_body(receive, None)) == b""


def test_an_action_that_is_none_is_told_with_those_that_there_are(ask: Client) -> None:
    answer = ask("POST", ACTION, json={"reboot": {}})

    said = answer.json()["badRequest"]["message"]
    assert said.startswith("body: there is no action 'reboot', ")
    assert {"rebuild", "lock", "os-stop"} <= set(said.replace(" are allowed", "").split(", "))


def test_a_body_in_chunks_is_one_body(ask: Client) -> None:
    answer = ask("POST", ACTION, content=chunks(b'{"lo', b"", b'ck": null}'), headers=JSON)

    assert answer.status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"\xef\xbb\xbf{}",
        b'{"lock": "\xe9"}',
        b'{"lock": "\\ud800"}',
        b"[" * 50_000,
        b'{"a":' * 20_000,
        b'{"lock": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
        b'{"lock": 1e999999}x',
        b"null x",
        b"\x00",
        b'{"lock": null, "unlock": null}',
        b"{}",
    ],
)
@pytest.mark.parametrize("path", [ACTION, f"/v2/openstack/servers/{SERVER}/action"])
def test_what_is_no_json_with_one_action_is_400(endpoint: Endpoint, path: str, body: bytes) -> None:
    answer = endpoint.ask("POST", path, content=body, headers=JSON)

    assert fault_of(answer) == (400, "badRequest")
    assert endpoint.servers.get(SERVER).version == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "servers"),
        ("PUT", f"servers/{SERVER}"),
        ("POST", f"servers/{SERVER}/metadata"),
        ("PUT", f"servers/{SERVER}/metadata"),
        ("PUT", f"servers/{SERVER}/metadata/a"),
    ],
)
def test_every_body_is_asked_for_its_type_and_its_form(ask: Client, method: str, path: str) -> None:
    def answered(content: bytes, kind: str) -> tuple[int, str]:
        headers = {"Content-Type": kind}
        return fault_of(ask(method, f"/v2.1/{path}", content=content, headers=headers))

    assert answered(b"{}", "application/xml") == (415, "badMediaType")
    assert answered(b"{", "application/json; charset=utf-8") == (400, "badRequest")
    assert answered(b"[" * 5000, "text/plain") == (400, "badRequest")
    assert answered(b"9" * 5000, "application/json") == (400, "badRequest")


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/vnd.openstack.compute+json", ""]
)
def test_a_missing_type_and_plain_text_count_as_json(ask: Client, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}

    assert ask("POST", ACTION, content=b'{"lock": null}', headers=headers).status_code == 202


def test_accept_is_not_asked(ask: Client) -> None:
    for accept in ("", "application/xml", "*/*;q=0"):
        answer = ask.get(f"/v2.1/servers/{SERVER}", headers={"Accept": accept})
        assert answer.headers["content-type"] == "application/json"
