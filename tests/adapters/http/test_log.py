"""What is said of calls and of what they made happen: with the request id, without secrets."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from serverdomain.adapters.http import calls, log
from tests.adapters.http.client import IMAGE, SERVER, Endpoint

REBUILD = {"rebuild": {"imageRef": IMAGE, "adminPass": "s3cret-password"}}


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "serverdomain")
    return caplog


def of(lines: pytest.LogCaptureFixture, logger: str) -> list[dict[str, Any]]:
    return [vars(one) for one in lines.records if one.name == f"serverdomain.{logger}"]


def test_every_call_has_a_line_with_its_id_and_status(
    endpoint: Endpoint, lines: pytest.LogCaptureFixture
) -> None:
    answers = [endpoint.ask.get(path) for path in ("/v2.1/", f"/v2.1/servers/{SERVER}", "/x")]

    said = of(lines, "access")
    assert [(one["status"], one["route"]) for one in said] == [
        (200, "versions.v2.1"),
        (200, "servers.show"),
        (404, None),
    ]
    assert [one["request_id"] for one in said] == [
        answer.headers["x-compute-request-id"] for answer in answers
    ]
    assert said[1]["user_id"] == "fake"
    assert said[1]["milliseconds"] > 0


def test_how_long_it_took_is_told_in_milliseconds(
    endpoint: Endpoint, lines: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls.endpoint, "perf_counter", iter([5.0, 5.25]).__next__)

    endpoint.ask.get("/v2.1/")

    assert of(lines, "access")[0]["milliseconds"] == 250


def test_what_happened_is_said_with_its_events(
    endpoint: Endpoint, lines: pytest.LogCaptureFixture
) -> None:
    headers = {"Idempotency-Key": "k", "X-OpenStack-Request-ID": "req-global"}
    answer = endpoint.ask.act(REBUILD, headers=headers)
    endpoint.ask.act(REBUILD, headers=headers)

    first, again = of(lines, "domain")
    assert (first["asked"], first["server_id"]) == ("servers.rebuild", SERVER)
    assert first["events"] == ["RebuildRequested"] or "RebuildRequested" in first["events"]
    assert first["request_id"] == answer.headers["x-compute-request-id"] == again["request_id"]
    assert first["correlation_id"] == "req-global"
    assert (first["replayed"], again["replayed"]) == (False, True)


def test_what_was_refused_is_said_with_its_reason(
    endpoint: Endpoint, lines: pytest.LogCaptureFixture
) -> None:
    endpoint.ask.act(REBUILD)
    endpoint.ask.act(REBUILD)
    endpoint.ask.get("/v2.1/servers/unknown")

    (refused,) = [one for one in of(lines, "domain") if one["msg"] == "refused"]
    assert "is REBUILD" in refused["why"]


def test_members_that_decide_nothing_are_named(
    endpoint: Endpoint, lines: pytest.LogCaptureFixture
) -> None:
    server = {"name": "a", "imageRef": IMAGE, "flavorRef": "1", "networks": "auto"}
    body = {"server": {**server, "user_data": "s3cret", "evil\nname": 1}, "os:scheduler_hints": {}}
    endpoint.ask("POST", "/v2/openstack/servers", json=body)

    (said,) = of(lines, "domain")
    assert said["dropped"] == ["networks", "user_data", r"evil\nname", "os:scheduler_hints"]


def test_of_very_many_members_thirty_are_named(
    endpoint: Endpoint, lines: pytest.LogCaptureFixture
) -> None:
    many = {f"m{number}": 1 for number in range(40)}
    body = {"server": {"name": "a", "imageRef": IMAGE, "flavorRef": "1"}, **many}
    endpoint.ask("POST", "/v2/openstack/servers", json=body)

    (said,) = of(lines, "domain")
    assert said["dropped"] == list(many)[: log._MOST_NAMES]


def test_no_line_holds_a_secret(endpoint: Endpoint, lines: pytest.LogCaptureFixture) -> None:
    given = endpoint.ask.act(REBUILD)
    generated = endpoint.ask(
        "POST", "/v2.1/servers", json={"server": {"name": "a", "imageRef": IMAGE, "flavorRef": "1"}}
    )
    endpoint.ask.act({"rebuild": {"adminPass": 7, "imageRef": "s3cret-password"}, "x": 1})
    endpoint.ask("GET", "/v2.1/servers", user="s3cret-token")

    told = repr([vars(one) for one in lines.records])
    assert given.json()["server"]["adminPass"] == "s3cret-password"
    assert generated.json()["server"]["adminPass"] not in told
    assert "s3cret" not in told


def test_a_hostile_path_is_one_line(endpoint: Endpoint, lines: pytest.LogCaptureFixture) -> None:
    endpoint.ask.get("/v2/a%0Ab%1B[31m/servers")

    assert of(lines, "access")[0]["path"].isprintable()


def test_as_json_each_line_is_an_object() -> None:
    stream = io.StringIO()
    handler = log.as_json(stream)
    try:
        with Endpoint() as endpoint:
            answer = endpoint.ask.act(REBUILD)
    finally:
        logging.getLogger("serverdomain").removeHandler(handler)
        logging.getLogger("serverdomain").setLevel(logging.NOTSET)

    domain, access = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (domain["logger"], domain["event"]) == ("serverdomain.domain", "taken")
    assert (access["logger"], access["event"]) == ("serverdomain.access", "answered")
    assert domain["request_id"] == access["request_id"] == answer.headers["x-compute-request-id"]
    assert access["timestamp"].endswith("Z")
    assert access["level"] == "info"
