"""What other programs read: each form is valid by its own library, and can be gone on with."""

from __future__ import annotations

import json
import warnings
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings

from serverdomain.adapters.exchange import forms
from serverdomain.adapters.exchange.exporting import export_to_file
from serverdomain.domain.progress import silent
from serverdomain.errors import StoreDamaged
from tests.adapters.exchange.logs import exported, rows
from tests.audit.world import SERVERS, World, deeds

pytestmark = pytest.mark.heavy

LIBRARIES = {
    "cloudevents": ("cloudevents", "cloudevents.core"),
    "cadf": ("pycadf", "pycadf"),
    "ocsf": ("ocsf-json-schema", "ocsf_json_schema"),
}


def form(name):
    """A form, where what it is read by is installed."""
    library, module = LIBRARIES[name]
    pytest.importorskip(module, reason=f"{library} is not installed: make test-all")
    return forms.named(name)


@pytest.fixture
def world():
    with World() as world:
        world.cloud.rename(SERVERS[0], "one")
        world.do("beside", SERVERS[0], "refused", 0, 1)
        world.do("beside", SERVERS[0], "foreign", 0, 1)
        yield world


def told(world, name):
    return [json.loads(line) for line in exported(world.cloud.store, form(name)).splitlines()]


any_log = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])


@any_log
@given(deeds)
def test_any_event_is_a_valid_cloudevent(some):
    written = form("cloudevents")
    from cloudevents.core.formats.json import JSONFormat

    with World(some) as world:
        ours = [row for row in rows(world.cloud.store) if row[5] is not None]
        read = [
            JSONFormat().read(None, line)
            for line in exported(world.cloud.store, written).splitlines()
        ]
    assert [one.get_data() for one in read] == [json.loads(row[4]) for row in ours]
    assert [one.get_attributes()["position"] for one in read] == [str(row[0]) for row in ours]


def test_a_cloudevent_says_who_and_when_in_attributes_without_underscores(world):
    *_, event, refused = told(world, "cloudevents")
    assert event["type"] == "serverdomain.ServerRenamed.1"
    assert event["data"] == {"name": "one"}
    assert event["subject"] == SERVERS[0]
    assert event["position"] == event["id"] == "2"
    assert event["source"].startswith("urn:uuid:")
    assert {"requestid", "recordedat", "userid", "projectid"} <= event.keys()
    assert not any("_" in name for name in event)
    assert (event["refused"], refused["refused"]) == (False, True)
    assert refused["type"] == "serverdomain.CommandRefused.1"


@any_log
@given(deeds)
def test_any_command_is_a_cadf_record_in_words_of_the_taxonomy_with_uuids(some):
    written = form("cadf")
    from pycadf import cadftaxonomy

    with World(some) as world, warnings.catch_warnings():
        warnings.simplefilter("error")  # pycadf warns of an id that is no UUID.
        records = [json.loads(line) for line in exported(world.cloud.store, written).splitlines()]
        commands = {row[5] for row in rows(world.cloud.store)} - {None}
    assert len({one["id"] for one in records}) == len(records) == len(commands)
    for one in records:
        assert one["action"].split("/")[0] in cadftaxonomy.ACTION_TAXONOMY
        assert one["outcome"] in ("success", "failure")
        for part in ("initiator", "target", "observer"):
            assert one[part]["typeURI"] in cadftaxonomy.RESOURCE_TAXONOMY
            assert len(one[part]["id"]) == 36


def test_a_refusal_is_a_failure_in_cadf(world):
    *_, done, refused = told(world, "cadf")
    assert (done["action"], done["outcome"]) == ("update/rename", "success")
    assert (refused["action"], refused["outcome"]) == ("update/reset_state", "failure")
    assert refused["reason"] == {"reasonType": "serverdomain", "reasonCode": "role"}
    assert done["target"]["id"] == SERVERS[0]
    assert done["attachments"][0]["content"]["events"] == [
        {"position": 2, "event": "ServerRenamed", "data": {"name": "one"}}
    ]


@pytest.fixture(scope="module")
def schema():
    form("ocsf")
    from jsonschema import Draft202012Validator
    from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

    from serverdomain.adapters.exchange.ocsf_lines import VERSION

    made = OcsfJsonSchemaEmbedded(get_ocsf_schema(VERSION)).get_class_schema("api_activity")
    return Draft202012Validator(made)


@any_log
@given(some=deeds)
def test_any_command_is_a_valid_api_activity(schema, some):
    with World(some) as world:
        for line in exported(world.cloud.store, forms.named("ocsf")).splitlines():
            schema.validate(json.loads(line))


def test_an_api_activity_says_what_was_asked_and_whether_it_was_refused(world):
    written = exported(world.cloud.store, forms.named("ocsf")).splitlines()
    *_, done, refused = map(json.loads, written)
    assert (done["api"]["operation"], done["type_uid"]) == ("rename", 600303)
    assert (done["status"], refused["status"]) == ("Success", "Failure")
    assert refused["status_code"] == "role"
    assert done["resources"][0]["uid"] == SERVERS[0]
    assert done["metadata"]["sequence"] == 2


@pytest.mark.parametrize("name", ["cloudevents", "cadf", "ocsf"])
def test_a_file_in_any_form_is_gone_on_with_where_it_was_cut_off(world, tmp_path, name):
    written = forms.named(name) if name == "ocsf" else form(name)
    whole = exported(world.cloud.store, written)
    path = tmp_path / "log.jsonl"
    for cut in (0, whole.index(b"\n") + 1, len(whole) - 1, len(whole)):
        path.write_bytes(whole[:cut])
        export_to_file(world.cloud.store, written, path, None, silent)
        assert path.read_bytes() == whole
    with World() as other, closing(other.cloud.store), pytest.raises(ValueError, match="FILE"):
        export_to_file(other.cloud.store, written, path, None, silent)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((3, "serverdomain"), (4, "{"), (4, "[]"), (4, f'{{"a":{"[" * 100_000}'), (4, b"{}")),
        *((7, "\udcff"), (9, "\udcff"), (9, 7), (11, "{"), (12, None), (15, 2**62), (16, "now")),
    ],
)
def test_a_damaged_row_is_named(name, column, value):
    with World() as world:
        (row,) = rows(world.cloud.store)
    damaged = (*row[:column], value, *row[column + 1 :])
    with pytest.raises(StoreDamaged, match="position 1 cannot be read"):
        list(form(name).lines("00000000-0000-4000-8000-000000000000", [damaged], 0))
