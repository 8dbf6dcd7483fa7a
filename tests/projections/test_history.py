"""A server's history, entry by entry: as plain values, and as a notebook shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from serverdomain import Actor, Context, RebuildServer, Refused, Servers
from serverdomain.domain.events import Fault, ServerObserved
from serverdomain.projections.history import HistoryEntry, history
from serverdomain.testing import ManualClock
from serverdomain.testing.store_contract import NEW_IMAGE, SERVER, adopted

NOW = datetime(2013, 9, 12, 17, 20, 37, tzinfo=UTC)
LATER = NOW + timedelta(seconds=60)
BY = Context(Actor("fake", "openstack"), "req-1", correlation_id="ticket-7", caused_by="req-0")


@pytest.fixture
def servers(new_log: Callable[[], str]) -> Iterator[Servers]:
    clock = ManualClock(NOW)
    with Servers.open(new_log(), clock=clock) as opened:
        opened.register(adopted(), Context(request_id="req-register"))
        clock.advance(60)
        yield opened


def last(servers: Servers) -> HistoryEntry:
    return servers.history(SERVER)[-1]


def test_an_entry_says_what_happened_who_asked_when_and_what_it_changed(servers: Servers) -> None:
    servers.rename(SERVER, "after", BY, occurred_at=NOW)
    assert last(servers).as_json() == {
        "position": 2,
        "version": 2,
        "event": "ServerRenamed",
        "server_id": SERVER,
        "occurred_at": "2013-09-12T17:20:37.000000Z",
        "recorded_at": "2013-09-12T17:21:37.000000Z",
        "request_id": "req-1",
        "correlation_id": "ticket-7",
        "caused_by": "req-0",
        "user_id": "fake",
        "project_id": "openstack",
        "data": {"name": "after"},
        "changes": [{"path": "/name", "from": "foobar", "to": "after"}],
    }


def test_what_was_recorded_is_told_behind_a_position_of_any_size(servers: Servers) -> None:
    servers.rename(SERVER, "after")
    for after, told in ((-(2**70), 2), (0, 2), (1, 1), (2, 0), (2**63, 0), (2**70, 0)):
        assert len(list(servers.recorded(SERVER, after=after))) == told


def test_a_refusal_has_no_version_and_changes_nothing(servers: Servers) -> None:
    with pytest.raises(Refused):
        servers.start(SERVER)
    refused = last(servers).as_json()
    assert (refused["event"], refused["version"], refused["changes"]) == (
        "CommandRefused",
        None,
        [],
    )
    assert refused["data"]["kind"] == "start"


def test_the_times_in_its_data_are_times_to_read(servers: Servers) -> None:
    fault = Fault(500, 1_000_000, "no room")
    observed = ServerObserved(server_id=SERVER, created=2_000_000, fault=fault)
    servers.record(SERVER, [observed], occurred_at=NOW)
    data = last(servers).as_json()["data"]
    assert data["created"] == "1970-01-01T00:00:02.000000Z"
    assert data["fault"]["created"] == "1970-01-01T00:00:01.000000Z"


def test_so_are_those_of_what_was_asked_and_refused(servers: Servers) -> None:
    with pytest.raises(Refused):
        servers.start(SERVER, BY, occurred_at=LATER)
    asked = last(servers).as_json()["data"]["members"]
    assert asked == {"occurred_at": "2013-09-12T17:21:37.000000Z"}


def test_a_notebook_shows_a_row_for_each_entry(servers: Servers) -> None:
    servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE, name="nächste"), BY, occurred_at=NOW)
    with pytest.raises(Refused):
        servers.start(SERVER, Context(request_id="req-2"))
    shown = servers.history(SERVER)._repr_html_()
    assert "<caption>history of 5 events</caption>" in shown
    head, *rows = [
        re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr>(.*?)</tr>", shown)
    ]
    assert head == ["position", "occurred", "server", "event", "by", "request", "changes"]
    assert rows[-2] == [
        "4",
        "2013-09-12T17:20:37.000000Z",
        SERVER,
        "ServerRenamed",
        "fake in openstack",
        "req-1",
        "/name: &quot;foobar&quot; → &quot;nächste&quot;",
    ]
    assert rows[-1][-1].startswith("start refused by the rule of state: ")


def test_what_is_absent_is_called_so_and_several_changes_stand_in_one_cell(
    servers: Servers,
) -> None:
    servers.replace_metadata(SERVER, {"a": "1", "b": "2"})
    assert "/metadata/a: absent → &quot;1&quot;; /metadata/b: absent" in (
        servers.history(SERVER)._repr_html_()
    )


def test_a_history_goes_on_from_a_server_that_was_there_before(servers: Servers) -> None:
    before = servers.get(SERVER)
    servers.rename(SERVER, "one")
    servers.rename(SERVER, "two")
    recorded = [entry.recorded for entry in servers.history(SERVER)][1:]
    found = [change.before for entry in history(recorded, before) for change in entry.changes]
    assert found == ["foobar", "one"]
