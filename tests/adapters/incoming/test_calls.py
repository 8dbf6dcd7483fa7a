"""Instance actions and CADF records become reported calls: that something was asked, never what."""

import json
from pathlib import Path

import pytest

from serverdomain.adapters.incoming import actions, cadf
from serverdomain.adapters.incoming.message import PassedOver
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.errors import InvalidInput
from tests.adapters.incoming.cloud import PROJECT, REBUILD, SERVER

ACTION = {
    "action": "rebuild",
    "instance_uuid": SERVER,
    "request_id": REBUILD,
    "user_id": "alice",
    "project_id": PROJECT,
    "start_time": "2026-03-01T09:00:00.123456",
    "message": None,
}
RECORD = {
    "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
    "id": "openstack:5d6e7f80-1a2b-4c3d-8e9f-0a1b2c3d4e5f",
    "eventType": "activity",
    "eventTime": "2026-03-01T09:00:00.123456+0000",
    "action": "update/rebuild",
    "outcome": "success",
    "reason": {"reasonType": "HTTP", "reasonCode": "202"},
    "requestPath": f"/v2.1/servers/{SERVER}/action",
    "initiator": {
        "id": "alice",
        "project_id": PROJECT,
        "request_id": REBUILD,
        "host": {"address": "192.0.2.7", "agent": "openstacksdk"},
    },
    "target": {"id": "nova", "typeURI": "service/compute/servers/action"},
}
AT = moment.parse("2026-03-01T09:00:00.123456Z")


def calls(reader, value):
    return list(reader(json.dumps(value).encode()))


def one_of(reader, value):
    (found,) = calls(reader, value)
    return found


@pytest.mark.parametrize("value", [{"instanceAction": ACTION}, {"instanceActions": [ACTION]}])
def test_an_action_says_who_asked_and_when(value):
    found = one_of(actions.read, value)
    assert found.events == (e.CallReported(action="rebuild", outcome="unknown"),)
    assert (found.server_id, found.occurred_at) == (SERVER, AT)
    assert found.context.actor.user_id == "alice"
    assert found.context.caused_by == REBUILD


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"message": "Error"}, "failure"),
        ({"events": [{"result": "Success"}, {"result": "Error"}]}, "failure"),
        ({"events": [{"result": "Success"}, {"result": None}]}, "pending"),
        ({"events": [{"result": "Success"}]}, "success"),
        ({"events": []}, "unknown"),
    ],
)
def test_an_action_ended_as_its_steps_did(changes, outcome):
    found = one_of(actions.read, {"instanceAction": ACTION | changes})
    assert found.events[0].outcome == outcome


def test_an_action_that_was_listed_and_shown_counts_once_with_its_steps():
    shown = ACTION | {"events": [{"result": "Success"}]}
    saved = {"a": {"instanceActions": [ACTION]}, "b": [{"instanceAction": shown}]}
    assert one_of(actions.read, saved).events[0].outcome == "success"


@pytest.mark.parametrize(
    "value",
    [
        *({}, {"servers": []}, {"instanceAction": 5}, {"instanceActions": 5}),
        *({"instanceActions": {"a": 1}}, {"instanceActions": [[ACTION]]}),
        {"instanceAction": {**ACTION, "start_time": "x"}},
    ],
)
def test_what_is_no_answer_is_named(value):
    with pytest.raises(InvalidInput):
        calls(actions.read, value)


@pytest.mark.parametrize("depth", [*range(100, 1_000, 100), 100_000])
def test_what_is_nested_deep_is_no_traceback(depth):
    nested = b'{"a":' * depth + json.dumps({"instanceAction": ACTION}).encode() + b"}" * depth
    try:
        found = len(list(actions.read(nested)))
    except InvalidInput as error:
        found = "is nested too deep" in str(error) and depth > 200
    assert found == 1


@pytest.mark.parametrize(
    "value",
    [
        RECORD,
        {"event_type": "audit.http.response", "payload": RECORD, "message_id": "m-1"},
        {"oslo.message": json.dumps({"event_type": "audit.http.response", "payload": RECORD})},
    ],
)
def test_a_record_says_who_asked_from_where_and_how_it_was_answered(value):
    found = one_of(cadf.read, value)
    assert found.events == (
        e.CallReported(action="update/rebuild", outcome="success", code=202, address="192.0.2.7"),
    )
    assert (found.server_id, found.occurred_at) == (SERVER, AT)
    assert (found.context.actor.user_id, found.context.caused_by) == ("alice", REBUILD)


def test_a_call_that_is_told_twice_is_told_as_it_came_and_as_it_ended():
    ids = {
        one_of(cadf.read, RECORD | {"outcome": outcome}).context.request_id
        for outcome in ("pending", "success", "success")
    }
    assert len(ids) == 2


@pytest.mark.parametrize("path", [None, "/v2.1/servers", "/v2.1/servers/detail", "/v2.1/flavors/1"])
def test_a_call_to_no_server_is_passed_over(path):
    assert one_of(cadf.read, RECORD | {"requestPath": path}) == PassedOver("update/rebuild")
    assert one_of(cadf.read, {"event_type": "x.y", "payload": {}}) == PassedOver("x.y")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"eventTime": "2026-03-01T09:00:00"}, "eventTime: .*naive"),
        ({"outcome": "maybe"}, "outcome"),
        ({"reason": {"reasonCode": "2020"}}, "reasonCode"),
        ({"reason": {"reasonCode": 10**4_000}}, "reasonCode|record"),
        ({"requestPath": "/servers/no-uuid"}, "requestPath"),
        ({"initiator": 5}, "initiator"),
    ],
)
def test_what_is_wrong_with_a_record_is_named(changes, named):
    with pytest.raises(InvalidInput, match=named):
        calls(cadf.read, RECORD | changes)


def test_a_record_of_pycadf_is_read():
    event = pytest.importorskip("pycadf.event")
    resource = pytest.importorskip("pycadf.resource")
    who = resource.Resource(id=SERVER, typeURI="data/security/account/user")
    what = resource.Resource(id=SERVER, typeURI="service/compute")
    made = event.Event(
        action="update", outcome="success", initiator=who, target=what, observer=what
    ).as_dict()
    made["requestPath"] = RECORD["requestPath"]
    assert one_of(cadf.read, made).context.actor.user_id == SERVER


SAVED = Path(__file__).parents[4] / "shared" / "contract" / "actions"


@pytest.mark.skipif(not SAVED.is_dir(), reason="../shared is not there")
def test_the_answers_of_the_contract_are_read():
    for path in SAVED.glob("*.json"):
        found = list(actions.read(path.read_bytes()))
        assert found
        assert {one.events[0].action for one in found} <= {"create", "rebuild", "delete"}
