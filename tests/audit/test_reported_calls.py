"""A call that another source reports stands with the facts of its request, and changes nothing."""

import pytest

from serverdomain import Servers
from serverdomain.audit.reports import rebuilds
from serverdomain.domain import events as e
from serverdomain.domain.actor import Actor
from serverdomain.store.context import Context
from serverdomain.testing import registered

SERVER = registered().server_id
IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
ASKED = "req-of-the-cloud"


@pytest.fixture
def servers(kept_url):
    with Servers.open(kept_url) as opened:
        opened.record(SERVER, [registered()])
        fact = Context(Actor("nova", "openstack"), "fact", caused_by=ASKED)
        opened.record(SERVER, [e.ImageChanged(IMAGE)], fact)
        call = Context(Actor("alice", "openstack"), "call", caused_by=ASKED)
        said = e.CallReported(
            action="update/rebuild", outcome="success", code=202, address="192.0.2.7"
        )
        opened.record(SERVER, [said], call)
        yield opened


def test_it_changes_not_even_when_the_server_was_updated(servers):
    history = servers.history(SERVER)
    assert history[-1].changes == ()
    assert servers.get(SERVER).updated == history[1].occurred_at
    assert servers.get(SERVER).version == 3


def test_it_is_told_in_words(servers):
    assert servers.history(SERVER)[-1].call == (
        "update/rebuild from 192.0.2.7 reported with outcome success, answered 202"
    )
    assert servers.history(SERVER)[0].call is None
    assert "update/rebuild from 192.0.2.7" in servers.history(SERVER)._repr_html_()


def test_its_request_finds_it_and_the_fact(servers):
    found = [entry.name for entry in servers.timeline.search(request=ASKED)]
    assert found == ["ImageChanged", "CallReported"]


def test_a_diff_says_by_whom(servers):
    found = servers.diff(SERVER, "first", "now")
    assert [change.events for change in found.changes] == [(2,)]
    assert [(entry.name, entry.user_id) for entry in found.events] == [
        ("ImageChanged", "nova"),
        ("CallReported", "alice"),
    ]


def test_reports_count_it(servers):
    assert rebuilds(servers.timeline).as_json()["calls"] == {"success": 1}
    assert rebuilds(servers.timeline, by="nova").calls == {}
    of = servers.get(SERVER).project_id
    assert rebuilds(servers.timeline, by="alice", of=of).calls == {"success": 1}
    assert rebuilds(servers.timeline, of="another").calls == {}


def test_the_view_passes_over_it(servers):
    (listed,) = servers.list()
    assert (listed.image_id, listed.version) == (IMAGE, 3)
