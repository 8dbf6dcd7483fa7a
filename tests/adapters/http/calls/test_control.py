"""A control stands around every call: it sees, waits, answers instead, or lets nothing out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from serverdomain.adapters.http import Call, Dropped, NoAuthentication
from tests.adapters.http.client import IMAGE, SERVER, Endpoint, fault_of

ACTION = f"/v2.1/servers/{SERVER}/action"
REBUILD = {
    "rebuild": {
        "imageRef": IMAGE,
        "adminPass": "s3cret",
        "personality": [{"path": "/a", "contents": "czNjcmV0"}],
    }
}


class Recorder:
    """Keeps the calls and what came of them; ``does`` stands around each."""

    def __init__(self) -> None:
        self.calls: list[tuple[Call, int]] = []
        self.does: Callable[[Call, Any], Awaitable[Response]] = answered
        self.routes = [Route("/calls", self._show), Route("/fails", self._fail)]

    async def around(self, call: Call, answer: Any) -> Response:
        response = await self.does(call, answer)
        self.calls.append((call, response.status_code))
        return response

    async def _show(self, request: Request) -> Response:
        return JSONResponse([call.route for call, _ in self.calls])

    async def _fail(self, request: Request) -> Response:
        raise ZeroDivisionError


async def answered(call: Call, answer: Any) -> Response:
    return await answer()


@pytest.fixture
def control() -> Recorder:
    return Recorder()


@pytest.fixture
def endpoint(control: Recorder) -> Any:
    with Endpoint(control=control) as endpoint:
        yield endpoint


def test_it_sees_every_call_that_found_its_route_and_its_caller(
    endpoint: Endpoint, control: Recorder
) -> None:
    ask = endpoint.ask
    ask.act(REBUILD)
    ask.get(f"/v2/openstack/servers/{SERVER}/metadata/a?x=1")
    ask.act({"reboot": {}})
    ask("POST", "/v2.1/servers", content=b"{")
    ask.get("/v2.1/elsewhere/servers")
    for unseen in ("/", "/v2.1/", "/x", "/openapi.json"):
        ask.get(unseen)
    ask("GET", "/v2.1/servers", user="nobody")

    assert [(call.route, status) for call, status in control.calls] == [
        ("servers.rebuild", 202),
        ("metadata.show_item", 404),
        ("servers.action", 400),
        ("servers.create", 400),
        ("servers.list", 400),
    ]
    rebuild, item = control.calls[0][0], control.calls[1][0]
    assert (rebuild.method, rebuild.path) == ("POST", f"/v2.1/servers/{SERVER}/action")
    assert (rebuild.server_id, rebuild.project, rebuild.api) == (SERVER, None, "v2.1")
    assert rebuild.actor.user_id == "fake"
    assert (item.project, item.item, item.query) == ("openstack", "a", "x=1")


class Watcher(Recorder):
    """Is told of the others, too."""

    def __init__(self) -> None:
        super().__init__()
        self.others: list[tuple[str, str | None, int]] = []

    def early(self, call: Call, response: Response) -> None:
        self.others.append((call.path, call.route, response.status_code))


def test_who_asks_for_it_is_told_of_the_others_too() -> None:
    control = Watcher()
    with Endpoint(control=control) as endpoint:
        for path in ("/", "/x", "/v2.1/servers"):
            endpoint.ask.get(path)
        endpoint.ask.get("/v2.1/servers", user="nobody")

    assert control.others == [
        ("/", "versions.list", 200),
        ("/x", None, 404),
        ("/v2.1/servers", "servers.list", 401),
    ]
    assert [call.path for call, _ in control.calls] == ["/v2.1/servers"]


def test_what_it_is_shown_of_a_call_holds_no_secret(endpoint: Endpoint, control: Recorder) -> None:
    endpoint.ask.act(REBUILD, headers={"Authorization": "Basic s3cret"})

    (call, _) = control.calls[0]
    assert call.body["rebuild"]["imageRef"] == IMAGE
    assert call.body["rebuild"]["adminPass"] == "***"
    assert call.body["rebuild"]["personality"] == [{"path": "/a", "contents": "***"}]
    assert call.headers["x-auth-token"] == call.headers["authorization"] == "***"
    assert call.headers["host"] == "localhost:8774"
    assert "s3cret" not in repr(call) + repr(call.__rich_repr__())
    assert b"s3cret" in call.sent


def test_a_body_that_is_no_json_is_shown_as_none(endpoint: Endpoint, control: Recorder) -> None:
    for body in (b"{", b"\xff", b"[" * 60_000):
        endpoint.ask("POST", "/v2.1/servers", content=body)

    assert [call.body for call, _ in control.calls] == [None, None, None]


UNKNOWN = "whether it happened is unknown"


@pytest.mark.parametrize(
    ("method", "headers", "how"),
    [
        ("POST", {}, f", best under an Idempotency-Key: {UNKNOWN}"),
        ("POST", {"Idempotency-Key": "k"}, f", under its Idempotency-Key: {UNKNOWN}"),
        ("GET", {}, ""),
    ],
)
def test_a_call_that_the_ending_server_waits_for_no_longer_is_503(
    endpoint: Endpoint,
    control: Recorder,
    caplog: pytest.LogCaptureFixture,
    method: str,
    headers: dict[str, str],
    how: str,
) -> None:
    caplog.set_level(logging.INFO, "serverdomain.access")
    answers: list[httpx.Response] = []

    async def cancelled() -> None:
        begun = asyncio.Event()

        async def never(call: Call, answer: Any) -> Response:
            begun.set()
            return await asyncio.Event().wait()  # type: ignore[return-value]

        async def app(scope: Any, receive: Any, send: Any) -> None:
            answering = asyncio.create_task(endpoint.app(scope, receive, send))
            await begun.wait()
            answering.cancel()
            with pytest.raises(asyncio.CancelledError):
                await answering

        control.does = never
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            path = ACTION if method == "POST" else f"/v2.1/servers/{SERVER}"
            sent = {"X-Auth-Token": "member", **headers}
            answers.append(await client.request(method, path, json=REBUILD, headers=sent))

    endpoint.ask.run(cancelled())

    assert fault_of(answers[0]) == (503, "serviceUnavailable")
    assert [vars(line)["status"] for line in caplog.records] == [503]
    message = answers[0].json()["serviceUnavailable"]["message"]
    assert message == f"The server ends: repeat the call{how}."


def test_it_may_answer_instead_and_nothing_happens(endpoint: Endpoint, control: Recorder) -> None:
    async def instead(call: Call, answer: Any) -> Response:
        return JSONResponse({"x": 1}, 418)

    control.does = instead

    answer = endpoint.ask.act(REBUILD)

    assert (answer.status_code, answer.json()) == (418, {"x": 1})
    assert answer.headers["x-compute-request-id"] == control.calls[0][0].request_id
    assert answer.headers["openstack-api-version"] == "compute 2.1"
    assert endpoint.servers.get(SERVER).version == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_it_may_drop_a_call_before_or_after_it_happened(
    endpoint: Endpoint, control: Recorder, when: str
) -> None:
    async def drop(call: Call, answer: Any) -> Response:
        if when == "after":
            await answer()
        raise Dropped

    control.does = drop
    dropped = []
    scope = call_scope({"serverdomain.drop": lambda: dropped.append(True)})
    told = Told()

    endpoint.ask.run(endpoint.app(scope, received, told.append_async))

    assert dropped == [True]
    assert told == []
    assert (endpoint.servers.get(SERVER).locked_by is None) == (when == "before")


@pytest.mark.parametrize("mentions", [True, False])
def test_a_server_that_cannot_drop_gets_an_answer_that_breaks_off(
    endpoint: Endpoint, control: Recorder, mentions: bool
) -> None:
    async def drop(call: Call, answer: Any) -> Response:
        raise Dropped

    control.does = drop
    told = Told()

    scope = call_scope({})
    if not mentions:
        del scope["extensions"]

    endpoint.ask.run(endpoint.app(scope, received, told.append_async))

    headers = [(b"content-length", b"1"), (b"connection", b"close")]
    assert told == [{"type": "http.response.start", "status": 503, "headers": headers}]


def test_a_server_may_take_its_time_to_drop(endpoint: Endpoint, control: Recorder) -> None:
    async def drop(call: Call, answer: Any) -> Response:
        raise Dropped

    async def dropping() -> None:
        await asyncio.sleep(0)
        dropped.append(True)

    control.does = drop
    dropped: list[bool] = []
    told = Told()

    endpoint.ask.run(
        endpoint.app(call_scope({"serverdomain.drop": dropping}), received, told.append_async)
    )

    assert (dropped, told) == ([True], [])


def test_a_control_that_fails_is_500(endpoint: Endpoint, control: Recorder) -> None:
    async def fail(call: Call, answer: Any) -> Response:
        raise ZeroDivisionError

    control.does = fail

    assert fault_of(endpoint.ask.act(REBUILD)) == (500, "computeFault")


def test_its_routes_are_for_administrators_alone(endpoint: Endpoint) -> None:
    ask = endpoint.ask
    ask.get("/v2.1/servers")

    assert fault_of(ask("GET", "/control/calls", user="nobody")) == (401, "unauthorized")
    assert fault_of(ask.get("/control/calls")) == (403, "forbidden")
    answer = ask.get("/control/calls", user="admin")
    assert answer.json() == ["servers.list"]
    assert answer.headers["x-compute-request-id"].startswith("req-")
    assert fault_of(ask.get("/control/nothing", user="admin")) == (404, "itemNotFound")
    assert fault_of(ask.get("/control/fails", user="admin")) == (500, "computeFault")


def test_without_tokens_everybody_on_this_machine_may_control(control: Recorder) -> None:
    with Endpoint(control=control, authenticate=NoAuthentication()) as endpoint:
        assert endpoint.ask.get("/control/calls").status_code == 200
        for headers in ({"Host": "example.com"}, {"Origin": "https://example.com"}):
            answer = endpoint.ask.get("/control/calls", headers=headers)
            assert fault_of(answer) == (403, "forbidden")


class Told(list):
    """What an app sends."""

    async def append_async(self, message: dict[str, Any]) -> None:
        self.append(message)


async def received() -> dict[str, Any]:
    return {"type": "http.request", "body": b'{"lock": null}', "more_body": False}


def call_scope(extensions: dict[str, Any]) -> dict[str, Any]:
    path = f"/v2.1/servers/{SERVER}/action"
    return {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("localhost", 8774),
        "headers": [(b"host", b"localhost"), (b"x-auth-token", b"member")],
        "extensions": extensions,
    }
