"""A head whose fields stand on several lines: one list, or a refusal."""

from __future__ import annotations

import pytest

from serverdomain.adapters.http import NoAuthentication
from serverdomain.adapters.http.calls.head import fields
from serverdomain.adapters.http.control.panel import ControlPanel
from serverdomain.adapters.http.control.simulation import Simulation
from tests.adapters.http.client import SERVER, Client, Endpoint, fault_of

PATH = f"/v2.1/servers/{SERVER}"
STOP = {"os-stop": None}
SINGLE = (
    ("Authorization", "one", "two"),
    ("Content-Type", "application/json", "text/html"),
    ("Idempotency-Key", "one", "two"),
    ("Origin", "http://localhost:8774", "http://evil.example"),
    ("X-Auth-Token", "member", "admin"),
    ("X-OpenStack-Nova-API-Version", "2.1", "2.90"),
)


def test_the_lines_of_a_list_are_one_list(ask: Client) -> None:
    two = ("OpenStack-API-Version", "compute 2.90"), ("OpenStack-API-Version", "volume 3.0")
    one = [("OpenStack-API-Version", "compute 2.90, volume 3.0")]

    for lines in (one, two, two[::-1]):
        assert fault_of(ask.get(PATH, headers=[*lines, TOKEN])) == (406, "computeFault")
    assert fields([(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]) == {"a": "1, 3", "b": "2"}


TOKEN = ("X-Auth-Token", "member")


@pytest.mark.parametrize(("name", "one", "other"), SINGLE)
def test_lines_that_may_not_differ_are_refused(
    endpoint: Endpoint, name: str, one: str, other: str
) -> None:
    token = [] if name == TOKEN[0] else [TOKEN]
    for path in (f"{PATH}/action", "/", "/nothing"):
        for lines in ([(name, one), (name, other)], [(name, other), (name, one)]):
            answer = endpoint.ask("POST", path, json=STOP, headers=[*lines, *token])
            assert fault_of(answer) == (400, "badRequest")
            assert answer.json()["badRequest"]["message"] == (
                f"{name.lower()}: it came on several lines, one, or the same again, is allowed"
            )
            assert answer.headers["x-compute-request-id"].startswith("req-")
    assert endpoint.servers.get(SERVER).status == "ACTIVE"


@pytest.mark.parametrize(("name", "one", "other"), SINGLE)
def test_the_same_line_again_says_nothing_new(name: str, one: str, other: str) -> None:
    with Endpoint(authenticate=NoAuthentication()) as endpoint:
        lines = [(name, one), (name, one)]
        answer = endpoint.ask("POST", f"{PATH}/action", json=STOP, headers=lines)
        assert answer.status_code == 202
        if name == "Idempotency-Key":
            again = endpoint.ask("POST", f"{PATH}/action", json=STOP, headers={name: one})
            ids = {one.headers["x-compute-request-id"] for one in (answer, again)}
            assert len(ids) == 1


@pytest.mark.parametrize("second", ["localhost:8774", "evil.example"])
def test_a_second_host_is_refused_even_the_same_one(second: str) -> None:
    with Endpoint(authenticate=None) as endpoint:
        simulation = Simulation(endpoint.servers)
        controlled = Endpoint(authenticate=None, control=ControlPanel(simulation))
        for where, path in ((endpoint, PATH), (endpoint, "/"), (controlled, "/control/clock")):
            hosts = [("Host", "localhost:8774"), ("Host", second)]
            answer = where.ask.get(path, headers=hosts)
            assert fault_of(answer) == (400, "badRequest")
            assert answer.json()["badRequest"]["message"].endswith("lines, one is allowed")
        controlled.ask.close()
        controlled.servers.close()
