"""What each of Nova's notifications becomes: it depends on the message alone."""

import json
import re
import tracemalloc

import pytest

from serverdomain.adapters.incoming import nova
from serverdomain.adapters.incoming.message import PassedOver
from serverdomain.adapters.incoming.observed import STATES
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.server import fold
from serverdomain.errors import InvalidInput
from tests.adapters.incoming.cloud import (
    ANOTHER_IMAGE,
    FAULT,
    IMAGE,
    PROJECT,
    REBUILD,
    SERVER,
    encoded,
    enveloped,
    message,
    rebuilt,
)


def read(one):
    (found,) = nova.read(encoded(one))
    return found


def names(one):
    return [type(event).__name__ for event in read(one).events]


def observed(one):
    return next(event for event in read(one).events if isinstance(event, e.ServerObserved))


def statuses(*messages):
    server, found = None, []
    for one in messages:
        reported = read(one)
        server = fold([(event, reported.occurred_at) for event in reported.events], server)
        if server is not None and found[-1:] != [server.status]:
            found.append(server.status)
    return found


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        ("instance.create.end", {}, ["ServerBuilt", "ServerObserved"]),
        ("instance.create.start", {"state": "building"}, ["ServerObserved"]),
        ("instance.rebuild_scheduled", {}, ["ServerObserved", "RebuildRequested"]),
        ("instance.rebuild.start", {}, ["ServerObserved", "RebuildRequested"]),
        ("instance.rebuild.end", {}, ["RebuildCompleted", "ServerObserved"]),
        (
            "instance.rebuild.error",
            {"fault": FAULT},
            ["ServerObserved", "RebuildRequested", "RebuildFailed"],
        ),
        ("instance.lock", {"locked": True}, ["ServerObserved", "ServerLocked"]),
        ("instance.unlock", {}, ["ServerObserved", "ServerUnlocked"]),
        ("instance.power_off.start", {}, ["ServerObserved"]),
        ("instance.power_off.end", {"state": "stopped"}, ["ServerStopped", "ServerObserved"]),
        ("instance.power_on.end", {}, ["ServerStarted", "ServerObserved"]),
        ("instance.delete.start", {}, ["ServerObserved"]),
        ("instance.delete.end", {"state": "deleted"}, ["ServerObserved", "ServerDeleted"]),
        ("instance.exists", {"state": "deleted"}, ["ServerObserved", "ServerDeleted"]),
        ("instance.exists", {}, ["ServerObserved"]),
        ("instance.update", {}, ["ServerObserved"]),
        ("instance.resize.end", {"state": "resized"}, ["ServerObserved"]),
        ("instance.something.new", {}, ["ServerObserved"]),
    ],
)
def test_a_message_becomes_what_it_reports_and_what_was_observed(kind, data, expected):
    assert names(message(kind, **data)) == expected


def test_every_value_that_it_gave_is_observed_whole():
    at = moment.parse("2026-03-01T09:00:00Z")
    assert observed(message("instance.update", fault=FAULT, progress=7)) == e.ServerObserved(
        server_id=SERVER,
        name="web-1",
        project_id=PROJECT,
        user_id="owner",
        image_id=IMAGE,
        flavor_id="2",
        state="ACTIVE",
        metadata={"role": "web"},
        addresses={"private": (e.Address("10.0.0.7", 4),)},
        # As Nova makes it: SHA-224 of the project's id and the host's name.
        host_id="bbfde387fb8ed6a345d3cd3285adb91c1955112ede14ff7e89e56b54",
        progress=7,
        disk_config="AUTO",
        created=moment.parse("2026-03-01T08:00:00Z"),
        fault=e.Fault(500, at, "no space on the host"),
    )


def test_what_it_does_not_say_is_unknown():
    one = message("instance.update")
    one["payload"]["nova_object.data"] = {"uuid": SERVER, "host": None, "tenant_id": PROJECT}
    said = e.ServerObserved(server_id=SERVER, project_id=PROJECT, host_id="")
    assert observed(one) == said


def test_a_server_of_a_volume_has_no_image():
    assert observed(message("instance.update", image_uuid="")).image_id == ""


@pytest.mark.parametrize(("theirs", "ours"), STATES.items())
def test_a_state_has_our_word(theirs, ours):
    assert observed(message("instance.update", state=theirs)).state == ours


def test_a_rebuild_is_named_by_the_request_that_many_messages_bear():
    messages = [read(one) for one in rebuilt()]
    assert messages[0].events[-1] == e.RebuildRequested(REBUILD, ANOTHER_IMAGE, "unknown")
    assert messages[-1].events[0] == e.RebuildCompleted(REBUILD, 0)
    assert [one.context.caused_by for one in messages].count(REBUILD) == 3
    assert len({one.context.request_id for one in messages}) == 4


def test_a_rebuild_passes_through_its_statuses_from_wherever_it_was_captured():
    begins, _, *rest = rebuilt()
    fails = message("instance.rebuild.error", fault=FAULT, request_id=REBUILD)
    active = message("instance.update")
    assert statuses(active, begins, *rest) == ["ACTIVE", "REBUILD", "ACTIVE"]
    assert statuses(begins, *rest) == statuses(*rest) == ["REBUILD", "ACTIVE"]
    assert statuses(active, begins, fails) == ["ACTIVE", "REBUILD", "ERROR"]
    assert statuses(fails) == ["ERROR"]


def test_the_update_that_accepts_a_rebuild_begins_it():
    changed = {"old_task_state": None, "new_task_state": "rebuilding"}
    update = message("instance.update", state_update={"nova_object.data": changed})
    assert names(update) == ["ServerObserved", "RebuildRequested"]


def test_a_rebuild_for_which_there_was_no_host_is_that_alone():
    one = message("compute_task.rebuild_server.error", top={"_context_request_id": REBUILD})
    one["payload"]["nova_object.data"] = {"instance_uuid": SERVER, "reason": FAULT}
    failed = read(one)
    assert failed.events == (e.RebuildFailed(REBUILD, "scheduling", "no space on the host"),)
    assert failed.context.caused_by == REBUILD
    del one["timestamp"]
    assert read(one) == PassedOver("compute_task.rebuild_server.error")


@pytest.mark.parametrize(("project", "whose"), [(PROJECT, "owner"), ("admins", "admin")])
def test_a_lock_is_an_administrators_where_the_project_is_not_the_servers(project, whose):
    locked = read(message("instance.lock", action_initiator_project=project))
    assert locked.events[-1] == e.ServerLocked(whose)


def test_who_asked_is_who_began_the_action():
    actor = read(message("instance.lock")).context.actor
    assert (actor.user_id, actor.project_id) == ("alice", PROJECT)
    nobody = {"action_initiator_user": None, "action_initiator_project": None}
    assert read(message("instance.lock", **nobody)).context.actor.user_id == "system"
    top = {"_context_user_id": "bob", "_context_project_id": "p"}
    assert read(message("instance.lock", top=top, **nobody)).context.actor.user_id == "bob"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-01 09:00:00.000001", "2026-03-01T09:00:00.000001Z"),
        ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00Z"),
        ("2026-03-01T09:00:00+02:00", "2026-03-01T07:00:00Z"),
        (None, "2026-03-01T08:01:00Z"),
    ],
)
def test_it_occurred_when_the_message_says_or_at_its_latest_time(at, expected):
    assert read(message("instance.exists", at)).occurred_at == moment.parse(expected)


def test_a_time_that_is_nested_deeper_is_not_the_messages():
    period = {"nova_object.data": {"audit_period_ending": "2026-04-01T00:00:00Z"}}
    found = read(message("instance.exists", None, audit_period=period))
    assert found.occurred_at == moment.parse("2026-03-01T08:01:00Z")


def test_a_message_without_any_time_is_passed_over_under_its_type():
    none = dict.fromkeys(("created_at", "launched_at", "updated_at"))
    assert read(message("instance.exists", None, **none)) == PassedOver("instance.exists")


def test_other_types_are_passed_over_by_name():
    assert read(message("service.update")) == PassedOver("service.update")


@pytest.mark.parametrize("at", ["", "now", "2026-03-01", "2026-03-01 10:00:00+0000", "-"])
def test_a_timestamp_that_is_none_is_told_as_it_came(at):
    with pytest.raises(InvalidInput, match=f"timestamp: {re.escape(repr(at))} is not a time"):
        read(message("instance.exists", at))


def test_a_message_is_the_same_however_it_is_written():
    one = message("instance.lock")
    (spread,) = nova.read(json.dumps(one, indent=3, sort_keys=True).encode())
    same = [read(one), spread, read(enveloped(one)), read({"oslo.message": one})]
    ids = {each.context.request_id for each in same}
    assert len(ids) == 1
    assert read(message("instance.lock", locked=True)).context.request_id not in ids


def test_a_message_with_an_id_is_known_by_it():
    named = read(message("instance.lock", top={"message_id": "m-1"}))
    assert named.context.request_id == "nova-m-1"
    spaced = read(message("instance.lock", top={"message_id": "with a space"}))
    assert " " not in spaced.context.request_id


def test_a_global_request_id_groups_what_it_caused():
    top = {"_context_global_request_id": "req-global"}
    assert read(message("instance.lock", top=top)).context.correlation_id == "req-global"


@pytest.mark.parametrize(
    ("payload", "version", "known"),
    [
        ("InstanceActionPayload", "1.99", True),
        ("InstanceExistsPayload", "2.1", True),
        ("InstanceActionPayload", "2.0", False),
        ("InstanceUpdatePayload", "3.0", False),
        ("InstanceActionPayload", "", False),
    ],
)
def test_a_payload_is_read_by_its_major_version(payload, version, known):
    one = message("instance.update", payload=payload, version=version)
    if known:
        assert observed(one)
        return
    with pytest.raises(InvalidInput, match=r"nova_object.version: .* of Instance.* is allowed"):
        read(one)


@pytest.mark.parametrize(
    ("change", "names_it"),
    [
        ({"uuid": "no-uuid"}, "uuid: 'no-uuid' came, a UUID is allowed"),
        ({"image_uuid": "latest"}, "image_uuid: 'latest' came"),
        ({"progress": 101}, "progress"),
        ({"progress": 1e400}, "is no JSON"),
        ({"state": "melted"}, "state: 'melted' came, active"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"updated_at": "2026-13-01T00:00:00Z"}, "updated_at"),
        ({"updated_at": "2026-03-01T00:00:00"}, "updated_at: .*naive"),
        ({"updated_at": 5}, "updated_at"),
        ({"auto_disk_config": "MAYBE"}, "auto_disk_config"),
    ],
)
def test_what_cannot_be_read_is_named(change, names_it):
    with pytest.raises(InvalidInput, match=names_it):
        read(message("instance.update", **change))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"{}",
        b'{"event_type": 5}',
        b'{"event_type": "instance.lock"}',
        b'{"event_type": "instance.lock", "payload": 5}',
        b'{"oslo.message": "{"}',
        b'{"oslo.message": 5}',
        b'{"event_type": "\xff"}',
        b'{"event_type": "\\ud800"}',
        b'{"payload": ' + b"[" * 100_000,
        b'{"oslo.message": "\\ud800"}',
        b'{"oslo.message": "{\\"event_type\\": \\"\\\\ud800\\"}"}',
        b"\0" * 100,
        b'{"event_type": NaN}',
    ],
)
def test_what_is_no_message_is_no_traceback(raw):
    with pytest.raises(InvalidInput):
        list(nova.read(raw))


@pytest.mark.parametrize(
    "number", [str(2**64 - 1), str(2**64), str(-(2**64)), "9" * 30, "9" * 5_000, "1e300", "1e400"]
)
def test_a_number_beyond_every_other_is_no_traceback(number):
    raw = encoded(message("instance.lock", top={"unknown": 1}))
    raw = raw.replace(b'"unknown": 1', f'"unknown": {number}'.encode())
    try:
        found = len(list(nova.read(raw)))
    except InvalidInput as error:
        found = "message: " in str(error)
    assert found == 1


def test_a_member_that_comes_twice_counts_as_it_came_last():
    raw = encoded(message("instance.lock", display_name="last"))
    twice = raw.replace(b'"display_name"', b'"display_name": "first", "display_name"')
    (found,) = nova.read(twice)
    assert found == read(message("instance.lock", display_name="last"))


@pytest.mark.parametrize(
    "at",
    [
        *("0000-01-01 00:00:00", "10000-01-01 00:00:00", "0001-01-01T00:00:00+14:00"),
        *("2026-02-29 00:00:00", "2026-03-01 24:00:00", "2026-03-01 09:00:60"),
        *("2026-03-01T09:00:00+24:00", "2026-03-01T09:00:00 UTC", "2026-03-01T09:00:00.", "\uff19"),
        f"2026-03-01T09:00:00.{'0' * 1_000}Z",
    ],
)
def test_a_time_that_no_log_could_hold_is_named(at):
    with pytest.raises(InvalidInput, match="timestamp"):
        read(message("instance.exists", at))


@pytest.mark.parametrize(
    "at", ["2026-03-01t09:00:00z", "2026-03-01T10:00:00+01:00", "2026-03-01T08:59:00-00:01"]
)
def test_a_time_in_any_zone_is_the_same(at):
    assert read(message("instance.exists", at)).occurred_at == moment.parse("2026-03-01T09:00:00Z")


def test_nothing_large_is_kept_of_messages_with_ever_other_long_texts():
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(100):
            long = f"{number}{'0' * 100_000}"
            read(message("instance.update", host=long, tenant_id=long))
            for late in ({"created_at": f"2026-03-01T08:00:00.{long}Z"}, {"at": f"2026.{long}"}):
                with pytest.raises(InvalidInput):
                    read(message("instance.update", **late))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 10 * 100_000


def test_a_reason_is_short_whatever_came():
    for changes in ({"payload": "x" * 10_000}, {"version": "9" * 10_000}):
        with pytest.raises(InvalidInput) as caught:
            read(message("instance.exists", **({"version": "9"} | changes)))
        assert len(str(caught.value)) < 300
