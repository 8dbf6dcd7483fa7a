"""The control: faults on purpose, a clock by hand, an empty store, and what a client sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from starlette.responses import Response

from serverdomain import Conflict, Servers
from serverdomain.adapters.http import TokenFile, compute_app
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.control import Dropped
from serverdomain.adapters.http.control import epoch, fault_rules
from serverdomain.adapters.http.control.fault_rule import read_rule
from serverdomain.adapters.http.control.panel import ControlPanel
from serverdomain.adapters.http.control.simulation import Simulation
from serverdomain.simulation.hypervisor import SimulatedHypervisor
from serverdomain.testing import ManualClock
from serverdomain.testing.compute_endpoint import ComputeEndpoint
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, OTHER, SERVER, adopted
from tests.adapters.http.real import connected, serving, until_closed

ACTION = f"/v2.1/servers/{SERVER}/action"
REBUILD = {"rebuild": {"imageRef": NEW_IMAGE, "adminPass": "seekr3t"}}


@pytest.fixture
def client(compute_endpoint: ComputeEndpoint) -> Iterator[httpx.Client]:
    """A client of an endpoint with the documented server and another in it."""
    compute_endpoint.servers.register(adopted(metadata={"stage": "test"}))
    compute_endpoint.servers.register(adopted(OTHER, name="other"))
    with httpx.Client(base_url=compute_endpoint.url, verify=False) as client:
        yield client


def set_fault(client: httpx.Client, **rule: Any) -> str:
    answer = client.post("/control/faults", json=rule)
    assert answer.status_code == 201, answer.text
    fault_id = answer.json()["id"]
    assert answer.headers["location"] == f"/control/faults/{fault_id}"
    assert isinstance(fault_id, str)
    return fault_id


def advance(client: httpx.Client, seconds: float) -> None:
    assert client.post("/control/clock", json={"advance": seconds}).status_code == 200


def rebuild(client: httpx.Client, server_id: str = SERVER, **headers: str) -> httpx.Response:
    return client.post(f"/v2.1/servers/{server_id}/action", json=REBUILD, headers=headers)


def shown(client: httpx.Client, server_id: str = SERVER) -> dict[str, Any]:
    server: dict[str, Any] = client.get(f"/v2.1/servers/{server_id}").json()["server"]
    return server


# The machine


def test_what_is_due_has_happened_when_the_clock_answers(client: httpx.Client) -> None:
    assert rebuild(client).json()["server"]["status"] == "REBUILD"
    for status in ("REBUILD", "REBUILD", "ACTIVE"):
        advance(client, 2)
        assert shown(client)["status"] == status


def test_a_clock_is_not_moved_where_another_does_the_work(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cloud.db'}"
    clock = ManualClock()
    with Servers.open(url) as others, Servers.open(url, clock=clock) as servers:
        assert SimulatedHypervisor(others).caught_up()
        simulation = Simulation(servers, clock=clock)
        simulation.start(servers)
        before = clock.now
        with pytest.raises(Conflict, match="another one does"):
            simulation.advance(10)
        assert clock.now == before


def test_a_create_is_built_by_the_clock_too(client: httpx.Client) -> None:
    body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1", "networks": "none"}}
    made = client.post("/v2.1/servers", json=body).json()["server"]["id"]
    assert shown(client, made)["status"] == "BUILD"
    advance(client, 6)
    assert shown(client, made)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("kind", "at", "status", "image"),
    [
        ("scheduling", None, "ERROR", IMAGE),
        ("hypervisor", 60, "ERROR", NEW_IMAGE),
        ("hang", 30, "REBUILD", NEW_IMAGE),
    ],
)
def test_a_rebuild_fails_as_a_fault_says_and_the_next_does_not(
    client: httpx.Client, kind: str, at: int | None, status: str, image: str
) -> None:
    set_fault(client, rebuild=kind, **({} if at is None else {"at": at}))
    rebuild(client)
    advance(client, 60)
    server = shown(client)
    assert (server["status"], server["image"]["id"]) == (status, image)
    rebuild(client, OTHER)
    advance(client, 6)
    assert shown(client, OTHER)["status"] == "ACTIVE"


def test_a_fault_strikes_what_is_asked_after_it_came_and_before_it_goes(
    client: httpx.Client,
) -> None:
    rebuild(client, SERVER)
    fault = set_fault(client, rebuild="hypervisor", times=2)
    rebuild(client, OTHER)
    client.delete(f"/control/faults/{fault}")
    advance(client, 6)
    assert [shown(client, one)["status"] for one in (SERVER, OTHER)] == ["ACTIVE", "ERROR"]
    rebuild(client, OTHER)
    advance(client, 6)
    assert shown(client, OTHER)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "whose",
    [
        {"server": SERVER},
        {"server": SERVER.upper()},
        {"name": "foo*"},
        {"metadata": {"stage": "test"}},
        {"server": SERVER, "name": "foobar", "metadata": {"stage": "test"}},
    ],
)
def test_a_fault_is_somebodys(client: httpx.Client, whose: dict[str, Any]) -> None:
    set_fault(client, rebuild="hypervisor", times=2, **whose)
    set_fault(client, route="servers.show", status=503, **whose)
    assert client.get(f"/v2.1/servers/{OTHER}").status_code == 200
    assert client.get(f"/v2.1/servers/{SERVER}").status_code == 503
    for one in (OTHER, SERVER):
        rebuild(client, one)
    advance(client, 6)
    assert [shown(client, one)["status"] for one in (SERVER, OTHER)] == ["ERROR", "ACTIVE"]
    left = [fault["left"] for fault in client.get("/control/faults").json()["faults"]]
    assert left == [1, 0]


@pytest.mark.parametrize("whose", [{}, {"server": "*"}, {"name": "*"}])
def test_or_anybodys_and_as_often_as_it_says(client: httpx.Client, whose: dict[str, Any]) -> None:
    set_fault(client, route="servers.show", status=500, times=2, **whose)
    statuses = [client.get(f"/v2.1/servers/{one}").status_code for one in (SERVER, OTHER, SERVER)]
    assert statuses == [500, 500, 200]


# HTTP


def test_a_status_is_answered_in_the_envelope_and_nothing_happens(client: httpx.Client) -> None:
    set_fault(client, route="servers.rebuild", status=503, retry_after=7)
    answer = rebuild(client)
    assert answer.status_code == 503
    assert answer.json()["serviceUnavailable"]["code"] == 503
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["x-compute-request-id"].startswith("req-")
    assert shown(client)["status"] == "ACTIVE"


def test_a_delay_is_the_clients_own_time(client: httpx.Client) -> None:
    set_fault(client, route="servers.show", delay=0.2)
    with pytest.raises(httpx.ReadTimeout):
        client.get(f"/v2.1/servers/{SERVER}", timeout=0.05)
    set_fault(client, route="servers.show", delay=0.01)
    assert shown(client)["status"] == "ACTIVE"


def test_a_connection_dropped_before_leaves_nothing(client: httpx.Client) -> None:
    set_fault(client, route="servers.rebuild", drop="before")
    with pytest.raises(httpx.RemoteProtocolError):
        rebuild(client)
    assert shown(client)["status"] == "ACTIVE"


def test_one_dropped_after_has_happened_and_a_retry_under_its_key_is_one_rebuild(
    client: httpx.Client, compute_endpoint: ComputeEndpoint
) -> None:
    set_fault(client, route="servers.rebuild", drop="after")
    with pytest.raises(httpx.RemoteProtocolError):
        rebuild(client, **{"Idempotency-Key": "k"})
    assert shown(client)["status"] == "REBUILD"
    assert rebuild(client, **{"Idempotency-Key": "k"}).status_code == 202
    advance(client, 6)
    names = [entry.name for entry in compute_endpoint.servers.history(SERVER)]
    assert names.count("RebuildRequested") == names.count("RebuildCompleted") == 1


def test_a_create_is_struck_by_the_name_and_metadata_that_it_asks_for(
    client: httpx.Client,
) -> None:
    set_fault(client, route="servers.create", status=403, name="web-*", metadata={"a": "b"})

    def create(name: str, **metadata: str) -> int:
        server = {"name": name, "imageRef": IMAGE, "flavorRef": "1", "metadata": metadata}
        return client.post("/v2.1/servers", json={"server": server}).status_code

    assert [create("db-1", a="b"), create("web-1"), create("web-1", a="b", c="d")] == [
        202,
        202,
        403,
    ]


def test_faults_are_listed_and_taken_away(client: httpx.Client) -> None:
    first = set_fault(client, route="servers.show", status=500)
    second = set_fault(client, rebuild="hang", at=10, name="x*")
    assert client.get("/control/faults").json() == {
        "faults": [
            {"id": first, "route": "servers.show", "status": 500, "times": 1, "left": 1},
            {"id": second, "rebuild": "hang", "at": 10, "name": "x*", "times": 1, "left": 1},
        ]
    }
    assert client.delete(f"/control/faults/{first}").status_code == 204
    assert client.delete(f"/control/faults/{first}").status_code == 404
    assert client.get(f"/v2.1/servers/{SERVER}").status_code == 200
    assert client.delete("/control/faults").status_code == 204
    assert client.get("/control/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({}, "body"),
        ([], "body"),
        ({"server": SERVER}, "body"),
        ({"server": "web", "rebuild": "hang"}, "server"),
        ({"server": None, "rebuild": "hang"}, "server"),
        ({"name": "", "rebuild": "hang"}, "name"),
        ({"name": "x" * 256, "rebuild": "hang"}, "name"),
        ({"metadata": {}, "rebuild": "hang"}, "metadata"),
        ({"metadata": {"k": 1}, "rebuild": "hang"}, "metadata.k"),
        ({"metadata": {"k": "é" * 128}, "rebuild": "hang"}, "metadata"),
        ({"times": 0, "rebuild": "hang"}, "times"),
        ({"times": "1", "rebuild": "hang"}, "times"),
        ({"times": True, "rebuild": "hang"}, "times"),
        ({"rebuild": "explode"}, "rebuild"),
        ({"rebuild": "hang", "at": 101}, "at"),
        ({"rebuild": "hang", "at": -1}, "at"),
        ({"rebuild": "hang", "at": 1.5}, "at"),
        ({"rebuild": "hang", "route": "servers.show"}, "route"),
        ({"rebuild": "hang", "delay": 1}, "delay"),
        ({"route": "servers.show"}, "body"),
        ({"route": "servers.nothing", "status": 500}, "route"),
        ({"route": "servers.show", "status": 200}, "status"),
        ({"route": "servers.show", "status": 599}, "status"),
        ({"route": "servers.show", "status": 500, "at": 5}, "at"),
        ({"route": "servers.show", "retry_after": 5, "delay": 1}, "retry_after"),
        ({"route": "servers.show", "retry_after": -5, "status": 503}, "retry_after"),
        ({"route": "servers.show", "delay": 0}, "delay"),
        ({"route": "servers.show", "delay": 1e9}, "delay"),
        ({"route": "servers.show", "drop": "during"}, "drop"),
        ({"route": "servers.show", "drop": "after", "status": 500}, "drop"),
        ({"route": "servers.list", "status": 500, "server": SERVER}, "server"),
        ({"route": "servers.create", "status": 500, "server": SERVER}, "server"),
        ({"route": "flavors.list", "status": 500, "name": "x"}, "name"),
        ({"route": "servers.show", "status": 500, "who": "me"}, "who"),
    ],
)
def test_a_rule_that_could_never_match_or_says_nothing_is_refused(
    client: httpx.Client, rule: Any, field: str
) -> None:
    answer = client.post("/control/faults", json=rule)
    assert answer.status_code == 400
    assert answer.json()["badRequest"]["message"].startswith(f"{field}: ") or (
        field == "body" and not isinstance(rule, dict)
    )
    assert client.get("/control/faults").json() == {"faults": []}


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[" * 100_000, b'{"rebuild": NaN}'])
@pytest.mark.parametrize("path", ["/control/faults", "/control/clock"])
def test_what_is_no_json_object_is_refused_too(
    client: httpx.Client, path: str, body: bytes
) -> None:
    assert client.post(path, content=body).status_code == 400
    assert client.post(path, content=b"x" * 200_000).status_code == 413


# The clock


def test_the_clock_tells_and_moves_to_a_time(client: httpx.Client) -> None:
    assert client.get("/control/clock").json() == {"now": "2012-09-12T17:20:36.000000Z"}
    moved = client.post("/control/clock", json={"now": "2012-09-12T19:20:37+02:00"})
    assert moved.json() == {"now": "2012-09-12T17:20:37.000000Z"}
    assert client.post("/control/clock", json={"advance": 0}).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance": -1},
        {"advance": "6"},
        {"advance": 1e12},
        {"advance": 1, "now": "2012-09-12T17:20:37Z"},
        {"now": "2012-09-12T17:20:37"},
        {"now": "tomorrow"},
        {"now": 1347470437},
        {"then": 1},
    ],
)
def test_a_move_that_means_nothing_is_refused(client: httpx.Client, body: Any) -> None:
    assert client.post("/control/clock", json=body).status_code == 400
    assert client.get("/control/clock").json() == {"now": "2012-09-12T17:20:36.000000Z"}


def test_it_goes_forward_only(client: httpx.Client, compute_endpoint: ComputeEndpoint) -> None:
    advance(client, 60)
    rebuild(client)
    answer = client.post("/control/clock", json={"now": "2012-09-12T17:21:00Z"})
    assert answer.status_code == 409
    assert "goes forward only" in answer.json()["conflictingRequest"]["message"]
    assert compute_endpoint.clock.now == compute_endpoint.servers.latest()


def test_nor_may_it_lie_behind_what_another_process_recorded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cloud.db'}"
    clock, theirs = ManualClock(), ManualClock()
    theirs.advance(3600)
    with Servers.open(url, clock=clock) as servers, Servers.open(url, clock=theirs) as other:
        simulation = Simulation(servers, clock=clock)
        app = compute_app(servers, hypervisor=simulation.start, control=ControlPanel(simulation))
        other.register(adopted())
        with serving(app) as (host, port):
            base = f"http://{host}:{port}/control"
            assert httpx.post(f"{base}/clock", json={"advance": 60}).status_code == 409
            assert httpx.post(f"{base}/clock", json={"advance": 3600}).status_code == 200
            answer = httpx.post(f"{base}/reset")
    assert answer.status_code == 409
    assert "is a file, which is kept" in answer.json()["conflictingRequest"]["message"]


def test_a_clock_that_is_the_machines_is_not_moved() -> None:
    with Servers.open("memory:") as servers:
        simulation = Simulation(servers)
        with serving(compute_app(servers, control=ControlPanel(simulation))) as (host, port):
            answer = httpx.post(f"http://{host}:{port}/control/clock", json={"advance": 60})
    assert answer.status_code == 409
    assert "--clock manual" in answer.json()["conflictingRequest"]["message"]


def test_every_step_happens_at_its_own_time(
    client: httpx.Client, compute_endpoint: ComputeEndpoint
) -> None:
    began = compute_endpoint.clock.now
    rebuild(client)
    advance(client, 1)
    rebuild(client, OTHER)
    advance(client, 3600)
    ended = {
        one: compute_endpoint.servers.history(one)[-1].occurred_at - began
        for one in (SERVER, OTHER)
    }
    assert ended == {SERVER: timedelta(seconds=6), OTHER: timedelta(seconds=7)}


# An empty store


def test_a_delayed_call_does_nothing_after_a_reset(
    client: httpx.Client, compute_endpoint: ComputeEndpoint
) -> None:
    """Whether its client still waits or has gone: it belongs to what was before."""
    create = {"server": {"name": "late", "imageRef": IMAGE, "flavorRef": "1"}}
    fault = set_fault(client, route="servers.create", delay=3600, times=2)
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=client.base_url) as waiting:
        held = pool.submit(waiting.post, "/v2.1/servers", json=create, timeout=60)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v2.1/servers", json=create, timeout=0.2)
        until(lambda: left(client, fault) == 0)
        compute_endpoint.reset()
        assert isinstance(held.exception(10), httpx.RemoteProtocolError)
    assert client.get("/v2.1/servers").json() == {"servers": []}
    assert [call["route"] for call in compute_endpoint.requests] == ["servers.list"]


def left(client: httpx.Client, fault_id: str) -> int:
    faults = client.get("/control/faults").json()["faults"]
    return next(fault["left"] for fault in faults if fault["id"] == fault_id)


def until(holds: Callable[[], bool]) -> None:
    while not holds():
        pass


def test_a_reset_waits_for_what_is_being_carried_out(compute_endpoint: ComputeEndpoint) -> None:
    """Or it would happen to the servers that come after."""
    epoch = compute_endpoint._simulation.epoch
    with ThreadPoolExecutor(1) as pool:
        with epoch:
            reset = pool.submit(compute_endpoint.reset)
            until(lambda: epoch.is_over)
            compute_endpoint.servers.register(adopted())
            assert not reset.done()
        reset.result(10)
    assert compute_endpoint.servers.list() == []
    with pytest.raises(Dropped), epoch:
        pass


class HeldUp(Call):
    """A call whose body is looked at for as long as a test wants."""

    looked_at, go_on = Event(), Event()

    @property
    def body(self) -> Any:
        self.looked_at.set()
        assert self.go_on.wait(10)
        return super().body


def test_and_for_a_look_at_whether_a_fault_strikes_it(
    client: httpx.Client, compute_endpoint: ComputeEndpoint
) -> None:
    set_fault(client, route="servers.create", name="other", status=500)
    call = HeldUp({"type": "http", "method": "POST", "path": "/v2.1/servers", "headers": []})
    call.route = "servers.create"

    async def answer() -> Response:
        compute_endpoint.servers.register(adopted(NEW_IMAGE))
        return Response()

    simulation = compute_endpoint._simulation
    epoch = simulation.epoch
    with ThreadPoolExecutor(2) as pool:
        came = pool.submit(asyncio.run, ControlPanel(simulation).around(call, answer))
        assert call.looked_at.wait(10)
        reset = pool.submit(compute_endpoint.reset)
        until(lambda: epoch.is_over)
        call.go_on.set()
        assert came.result(10).status_code == 200
        reset.result(10)
    assert compute_endpoint.servers.list() == []


def test_a_call_that_comes_while_a_store_is_emptied_is_answered_after_it(
    client: httpx.Client, compute_endpoint: ComputeEndpoint
) -> None:
    epoch = compute_endpoint._simulation.epoch
    with ThreadPoolExecutor(2) as pool:
        with epoch:
            pool.submit(compute_endpoint.reset)
            until(lambda: epoch.is_over)
            came = pool.submit(client.get, "/v2.1/servers")
            wait([came], timeout=0.2)
        answer = came.result(10)
    assert (answer.status_code, answer.json()) == (200, {"servers": []})


def test_it_waits_for_nobody_longer_than_a_second(compute_endpoint: ComputeEndpoint) -> None:
    with compute_endpoint._simulation.epoch:
        compute_endpoint.reset()
    assert compute_endpoint.servers.list() == []


def test_a_store_in_a_file_is_not_emptied_and_nothing_that_waits_is_dropped(
    tmp_path: Path,
) -> None:
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        simulation = Simulation(servers)
        with pytest.raises(Conflict, match="is kept"):
            simulation.reset()
        assert not simulation.epoch.is_over
        asyncio.run(simulation.epoch.wait(0, 0))


def test_an_endpoint_that_ends_does_not_wait_for_a_delayed_call(tmp_path: Path) -> None:
    with ComputeEndpoint(tmp_path) as endpoint, ThreadPoolExecutor(1) as pool:
        endpoint.faults.delay("servers.list", 3600)
        held = pool.submit(httpx.get, f"{endpoint.url}/v2.1/servers", timeout=60)
        until(lambda: endpoint.faults.list()[0]["left"] == 0)
        endpoint.close()
        assert isinstance(held.exception(10), httpx.RemoteProtocolError)


def test_nor_for_a_body_that_does_not_come(tmp_path: Path) -> None:
    """Who serves others waits for it until its time is over, and that is 408."""
    endpoint = ComputeEndpoint(tmp_path)
    with connected(("127.0.0.1", httpx.URL(endpoint.url).port or 0)) as connection:
        head = b"POST /v2.1/servers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n"
        connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        endpoint.close()
        assert until_closed(connection).startswith(b"HTTP/1.1 503 ")


def test_a_fault_of_the_machine_is_refused_where_another_does_the_work(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'cloud.db'}"
    with Servers.open(url) as others, Servers.open(url) as servers:
        first = Simulation(others).start(others)
        first.settled_rules()  # Whoever comes first does the work.
        second = Simulation(servers).start(servers)
        hang = read_rule(b'{"rebuild": "hang"}', None)
        with pytest.raises(Conflict, match="another one does"):
            second.add_rule(hang)
        # What is answered here is this process's own to spoil.
        assert second.add_rule(read_rule(b'{"route": "servers.list", "drop": "after"}', None))
        assert first.add_rule(hang)
        assert [one.rule.rebuild for one in second.settled_rules().all()] == [None]


def test_a_reset_leaves_nothing_behind(
    client: httpx.Client, compute_endpoint: ComputeEndpoint
) -> None:
    set_fault(client, rebuild="hypervisor")
    rebuild(client)
    advance(client, 3)
    assert client.post("/control/reset").status_code == 204

    assert client.get("/v2.1/servers").json() == {"servers": []}
    assert client.get("/control/faults").json() == {"faults": []}
    assert [call["route"] for call in compute_endpoint.requests] == ["servers.list"]
    assert client.get("/control/clock").json() == {"now": "2012-09-12T17:20:36.000000Z"}
    compute_endpoint.servers.register(adopted())
    rebuild(client)
    advance(client, 6)
    assert shown(client)["status"] == "ACTIVE"


# What was asked


def test_calls_are_told_without_secrets(client: httpx.Client) -> None:
    rebuild(client, **{"X-Auth-Token": "tokens-are-secret", "X-OpenStack-Request-ID": "req-mine"})
    answer = client.get("/control/requests")
    (call,) = answer.json()["requests"]

    assert "seekr3t" not in answer.text
    assert "tokens-are-secret" not in answer.text
    assert call["route"] == "servers.rebuild"
    assert (call["method"], call["path"]) == ("POST", ACTION)
    assert call["server_id"] == SERVER
    assert call["correlation_id"] == "req-mine"
    assert call["body"] == {"rebuild": {"imageRef": NEW_IMAGE, "adminPass": "***"}}
    assert call["headers"]["x-auth-token"] == "***"
    assert call["answer"]["status"] == 202
    assert call["answer"]["headers"]["x-compute-request-id"] == call["request_id"]
    assert call["answer"]["body"]["server"]["adminPass"] == "***"
    assert call["fault"] is None


def test_secrets_are_hidden_when_a_call_is_kept() -> None:
    escaped = b'{"rebuild": {"imageRef": "%s", "admin\\u0050ass": "seekr3t"}}' % NEW_IMAGE.encode()
    misspelt = b'{"rebuild": {"imageRef": "%s", "admin_pass": "seekr3t"}}' % NEW_IMAGE.encode()
    broken = b'{"rebuild": {"adminPass": "seekr3t"'
    with Servers.open("memory:") as servers, ExitStack() as stack:
        simulation = Simulation(servers)
        servers.register(adopted())
        address = stack.enter_context(
            serving(compute_app(servers, control=ControlPanel(simulation)))
        )
        for body in (json.dumps(REBUILD).encode(), escaped, misspelt, broken):
            httpx.post(
                "http://{}:{}{}".format(*address, ACTION),
                content=body,
                headers={"X-Auth-Token": "seekr3t", "X-Service-Token": "seekr3t"},
            )
        kept = simulation.calls.of()

    assert [seen.answer and seen.answer.status for seen in kept] == [202, 409, 400, 400]
    assert "***" in str(kept)
    assert "seekr3t" not in str(kept)


def test_what_found_no_route_or_no_caller_is_told_too(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text(json.dumps({"t": {"user": "u", "project": "p", "roles": ["admin"]}}))
    tokens.chmod(0o600)
    with Servers.open("memory:") as servers, ExitStack() as stack:
        simulation = Simulation(servers)
        app = compute_app(servers, authenticate=TokenFile(tokens), control=ControlPanel(simulation))
        address = stack.enter_context(serving(app))
        client = stack.enter_context(
            httpx.Client(base_url="http://{}:{}".format(*address), verify=False)
        )
        client.get("/v2.1/")
        client.get("/v2.1/p")
        client.patch("/v2.1/servers")
        client.get(f"/v2.1/servers/{SERVER}?a=b", headers={"X-Auth-Token": "wrong"})
        client.post("/v2.1/servers", content=b"x" * 200_000, headers={"X-Auth-Token": "t"})
        asked = client.get("/control/requests", headers={"X-Auth-Token": "t"}).json()["requests"]
        found = client.get(
            "/control/requests?route=versions.v2.1", headers={"X-Auth-Token": "t"}
        ).json()["requests"]

    assert [(call["route"], call["answer"]["status"]) for call in asked] == [
        ("versions.v2.1", 200),
        (None, 404),
        (None, 405),
        ("servers.show", 401),
        ("servers.create", 413),
    ]
    refused = asked[3]
    assert (refused["server_id"], refused["query"], refused["user_id"]) == (SERVER, "a=b", None)
    assert (refused["headers"]["x-auth-token"], refused["body_bytes"]) == ("***", None)
    assert refused["answer"]["headers"]["x-compute-request-id"] == refused["request_id"]
    assert found == asked[:1]


def test_they_are_found_by_server_and_route(client: httpx.Client) -> None:
    fault = set_fault(client, route="servers.show", drop="before", server=OTHER)
    shown(client)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(f"/v2.1/servers/{OTHER}")
    body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1"}}
    made = client.post("/v2.1/servers", json=body).json()["server"]["id"]
    rebuild(client)

    def found(**asked: str) -> list[tuple[str, str]]:
        calls = client.get("/control/requests", params=asked).json()["requests"]
        return [(call["route"], call["server_id"]) for call in calls]

    assert found(server=SERVER) == [("servers.show", SERVER), ("servers.rebuild", SERVER)]
    assert found(route="servers.show") == [("servers.show", SERVER), ("servers.show", OTHER)]
    assert found(server=OTHER, route="servers.rebuild") == []
    assert found(server=made) == [("servers.create", made)]
    (dropped,) = client.get("/control/requests", params={"server": OTHER}).json()["requests"]
    assert (dropped["answer"], dropped["fault"]) == (None, fault)
    assert client.get("/control/requests", params={"route": "nothing"}).status_code == 400
    assert client.get("/control/requests", params={"method": "GET"}).status_code == 400


def test_several_servers_or_routes_mean_any_of_them(client: httpx.Client) -> None:
    for server_id in (SERVER, OTHER, SERVER):
        client.get(f"/v2.1/servers/{server_id}")
    client.get("/v2.1/servers")
    for asked, count in (
        (f"server={SERVER}&server={OTHER}", 3),
        ("route=servers.show&route=servers.list", 4),
        (f"route=servers.show&server={OTHER}&route=versions.v2", 1),
    ):
        assert len(client.get(f"/control/requests?{asked}").json()["requests"]) == count
    assert client.get("/control/requests?route=servers.show&route=x").status_code == 400


def test_a_thousand_are_kept_and_of_a_large_body_the_size() -> None:
    with Servers.open("memory:") as servers, ExitStack() as stack:
        simulation = Simulation(servers)
        address = stack.enter_context(
            serving(compute_app(servers, control=ControlPanel(simulation)))
        )
        client = stack.enter_context(
            httpx.Client(base_url="http://{}:{}".format(*address), verify=False)
        )
        for _ in range(1100):
            client.get("/v2.1")
        client.post("/v2.1/servers", content=b"x" * 40_000)
        *seen, large = simulation.calls.of()

    assert (large.as_json()["body"], large.as_json()["body_bytes"]) == (None, 40_000)
    assert large.as_json()["answer"]["status"] == 400
    assert len(large.body) == 0
    assert len(seen) == 999


def test_no_key_of_a_client_stands_in_the_hypervisors_way(client: httpx.Client) -> None:
    body = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1"}}
    for position in range(1, 9):
        key = {"Idempotency-Key": f"{position}:built"}
        made = client.post("/v2.1/hypervisor/servers", json=body, headers=key)
        assert made.status_code == 202
    advance(client, 6)
    servers = client.get("/v2.1/hypervisor/servers/detail").json()["servers"]
    assert [server["status"] for server in servers] == ["ACTIVE"] * 8


# Others' calls


def test_a_version_document_waits_for_no_store(
    client: httpx.Client, compute_endpoint: ComputeEndpoint
) -> None:
    """The store's one lock is held, and a call waits for it: the document comes all the same."""
    answered: Queue[int] = Queue()
    connections = compute_endpoint.servers._log.connections
    with connections.writing():
        waiting = Thread(
            target=lambda: answered.put(
                httpx.post(
                    f"{compute_endpoint.url}/v2.1/servers/{SERVER}/action", json={"lock": None}
                ).status_code
            )
        )
        waiting.start()
        for _ in range(20):
            assert client.get("/v2.1").status_code == 200
        assert answered.empty()
    waiting.join()
    assert answered.get() == 202


# Who may


def test_with_tokens_it_is_the_administrators(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.touch(mode=0o600)
    path.write_text(
        json.dumps(
            {
                token: {"user": token, "project": "p", "roles": [token]}
                for token in ("admin", "member")
            }
        ),
        "utf-8",
    )
    with ExitStack() as stack:
        servers = stack.enter_context(Servers.open("memory:"))
        simulation = Simulation(servers)
        app = compute_app(
            servers,
            authenticate=TokenFile(path),
            hypervisor=simulation.start,
            control=ControlPanel(simulation),
        )
        host, port = stack.enter_context(serving(app))
        base = f"http://{host}:{port}/control"
        statuses = [
            httpx.get(f"{base}/faults", headers={"X-Auth-Token": token}).status_code
            for token in ("admin", "member", "nobody")
        ]
    assert statuses == [200, 403, 401]


def test_what_is_not_there_or_not_done_there_is_a_fault(client: httpx.Client) -> None:
    assert "itemNotFound" in client.get("/control/nothing").json()
    answer = client.put("/control/faults")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST, DELETE")
    assert "badMethod" in answer.json()


def test_no_more_faults_can_be_set_than_so_many(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fault_rules, "MOST", 3)
    for _ in range(3):
        set_fault(client, route="servers.list", status=503)
    answer = client.post("/control/faults", json={"route": "servers.list", "status": 503})
    assert answer.status_code == 409
    assert "3 faults are set" in answer.text
    client.delete("/control/faults")
    set_fault(client, route="servers.list", status=503)


def test_only_so_much_is_delayed_at_a_time(
    client: httpx.Client, compute_endpoint: ComputeEndpoint
) -> None:
    large = {"name": "web", "imageRef": IMAGE, "flavorRef": "1", "x": "y" * 110_000}
    fits = epoch.MOST_BYTES // (16 * 1024 + 32 * 110_000)
    set_fault(client, route="servers.create", delay=3600, times=fits + 1)
    url = f"{compute_endpoint.url}/v2/openstack/servers"

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(timeout=20) as others, asyncio.TaskGroup() as group:
            asked = [
                group.create_task(others.post(url, json={"server": large})) for _ in range(fits + 1)
            ]
            done, waiting = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            assert len(waiting) == fits
            for one in waiting:
                one.cancel()
            return done.pop().result()

    answer = asyncio.run(run())
    assert (answer.status_code, "nothing happened" in answer.text) == (503, True)
    assert client.post("/control/reset").status_code == 204
    set_fault(client, route="servers.create", delay=0.01)
    assert client.post(url, json={"server": large}).status_code == 202


def test_and_only_so_many_calls(
    client: httpx.Client, compute_endpoint: ComputeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epoch, "MOST", 1)
    fault = set_fault(client, route="servers.list", delay=3600, times=2)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(httpx.get, f"{compute_endpoint.url}/v2.1/servers", timeout=60)
        until(lambda: left(client, fault) == 1)
        assert client.get("/v2.1/servers").status_code == 503
        compute_endpoint.reset()
        assert isinstance(held.exception(10), httpx.RemoteProtocolError)


def test_after_a_reset_that_failed_calls_are_answered_as_before(tmp_path: Path) -> None:
    with ComputeEndpoint(tmp_path) as endpoint:
        endpoint.servers.close()
        assert httpx.post(f"{endpoint.url}/control/reset").status_code == 503
        assert httpx.get(f"{endpoint.url}/v2.1/servers").status_code == 503


@pytest.mark.parametrize("path", ["", "/faults", "/clock", "/requests"])
def test_a_head_is_a_get_without_a_body_here_too(client: httpx.Client, path: str) -> None:
    answer, whole = client.head(f"/control{path}"), client.get(f"/control{path}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == whole.headers["content-type"]
