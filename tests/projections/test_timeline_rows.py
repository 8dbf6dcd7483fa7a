"""A row of the timeline: what each of its columns says of an event."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from serverdomain import Actor, Context, RebuildServer, Refused, Server, Servers
from serverdomain.domain import events as e
from serverdomain.projections import following, generations, timeline_rows
from serverdomain.projections.server_rows import read_row
from serverdomain.projections.timeline import Timeline
from serverdomain.projections.timeline_rows import COLUMNS, TIMELINE
from serverdomain.projections.view_place import ViewPlace
from serverdomain.testing import OWNER, READER, ManualClock
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, OTHER, SERVER, adopted
from tests.projections.cloud import Cloud

START = datetime(2026, 8, 1, tzinfo=UTC)
STRANGER = Actor("bob", "another")

Row = dict[str, Any]


def at(seconds: int) -> str:
    return (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def servers(clock: ManualClock) -> Iterator[Servers]:
    """A server with metadata."""
    with Servers.open("memory:", clock=clock) as servers:
        command = adopted(metadata={"b": "2", "a": "1", "kept": "0"}, host_id="host-1")
        servers.register(command, Context(OWNER, "req-1"))
        clock.advance(10)
        yield servers


def rows(servers: Servers) -> list[Row]:
    """The rows in order of position, with what they say; ``data`` and ``changes`` read."""
    found = servers.timeline.ask(
        lambda rows: list(rows.query("SELECT * FROM timeline ORDER BY position"))
    )
    for row in found:
        assert tuple(row) == tuple(COLUMNS)
    return [
        {name: value for name, value in row.items() if value is not None}
        | {name: json.loads(row[name]) for name in ("data", "changes")}
        for row in found
    ]


def test_a_row_says_who_when_under_which_request_and_what(
    servers: Servers, clock: ManualClock
) -> None:
    context = Context(STRANGER, "req-2", "req-g", "req-c")
    servers.record(SERVER, [e.ServerRenamed("late")], context, occurred_at=START)
    assert rows(servers)[1] == {
        "position": 2,
        "version": 2,
        "event": "ServerRenamed",
        "server_id": SERVER,
        "occurred_at": at(0),
        "recorded_at": at(10),
        "user_id": "bob",
        "project_id": "another",
        "server_project_id": "openstack",
        "request_id": "req-2",
        "correlation_id": "req-g",
        "caused_by": "req-c",
        "data": {"name": "late"},
        "changes": [["/name", "foobar", "late"]],
    }


def kept_servers(timeline: Timeline) -> list[tuple[str, Server]]:
    kept = timeline.ask(lambda rows: list(rows["timeline_1_server"].rows))
    return [(row["id"], read_row(row["server"])) for row in kept]


def of_rebuilds(row: Row) -> Row:
    names = ("rebuild_id", "image_id", "image_before", "image_after", "host_id", "ended")
    return {name: row[name] for name in (*names, "replaced", "keys_lost") if name in row}


def test_the_rows_of_a_rebuild_say_how_it_began_what_it_lost_and_how_it_ended(
    servers: Servers,
) -> None:
    command = RebuildServer(image_id=NEW_IMAGE, metadata={"kept": "0", "new": "1"})
    servers.rebuild(SERVER, command, Context(OWNER, "req-2"))
    servers.complete_rebuild(SERVER)
    registered, requested, image, metadata, completed = rows(servers)
    assert of_rebuilds(registered) == {"image_id": IMAGE, "image_after": IMAGE}
    assert of_rebuilds(requested) == {
        "rebuild_id": "req-2",
        "image_id": NEW_IMAGE,
        "host_id": "host-1",
    }
    assert of_rebuilds(image) == {
        "image_id": NEW_IMAGE,
        "image_before": IMAGE,
        "image_after": NEW_IMAGE,
    }
    assert of_rebuilds(metadata) == {"keys_lost": '["a","b"]'}
    assert of_rebuilds(completed) == {"rebuild_id": "req-2", "ended": "completed"}


def test_what_replaces_a_rebuild_names_it_and_ends_it(servers: Servers) -> None:
    for name in ("r1", "r2"):
        servers.record(SERVER, [e.RebuildRequested(name, NEW_IMAGE, "given")])
    servers.record(SERVER, [e.RebuildFailed("r2", "hypervisor", "disk full")])
    _, _, replaced, failed = map(of_rebuilds, rows(servers))
    assert replaced == {
        "rebuild_id": "r2",
        "image_id": NEW_IMAGE,
        "host_id": "host-1",
        "replaced": "r1",
    }
    assert failed == {"rebuild_id": "r2", "ended": "failed"}


def test_what_goes_leaves_its_image(servers: Servers) -> None:
    servers.delete(SERVER)
    assert of_rebuilds(rows(servers)[-1]) == {"image_before": IMAGE}


def test_a_refusal_has_no_version_and_says_which_image_was_asked_for(
    servers: Servers,
) -> None:
    with pytest.raises(Refused):
        servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE), Context(READER, "req-2"))
    _, refused = rows(servers)
    assert "version" not in refused
    assert (refused["user_id"], refused["server_project_id"]) == (READER.user_id, "openstack")
    assert of_rebuilds(refused) == {"image_id": NEW_IMAGE}


def test_a_rebuild_is_named_by_what_is_told_of_it_under_way_or_in_vain(servers: Servers) -> None:
    servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE), Context(OWNER, "req-2"))
    servers.record(SERVER, [e.RebuildProgressed("req-2", 50)])
    servers.record(SERVER, [e.RebuildProgressed("another", 60)])
    with pytest.raises(Refused):
        servers.complete_rebuild(SERVER, Context(READER), rebuild_id="yet-another")
    assert [row.get("rebuild_id") for row in rows(servers)[-3:]] == [
        "req-2",
        "another",
        "yet-another",
    ]


def test_the_project_is_the_servers_whoever_begins_it_or_is_refused(servers: Servers) -> None:
    reader = Actor("bob", "another", ("reader",))
    servers.register(adopted(OTHER), Context(STRANGER))
    assert rows(servers)[-1]["server_project_id"] == "openstack"
    for _ in range(2):
        with pytest.raises(Refused):
            servers.rename(OTHER, "stolen", Context(reader))
        refused = rows(servers)[-1]
        assert (refused["project_id"], refused["server_project_id"]) == ("another", "openstack")


def test_the_next_page_goes_on_from_the_servers_that_are_kept(tmp_path: Path) -> None:
    with Cloud(tmp_path) as cloud:
        server_id, other = cloud.create("one"), cloud.create("two")
        timeline = cloud.servers.timeline
        for number in range(2):
            timeline.catch_up()
            kept = dict(kept_servers(timeline))
            assert kept == {one: cloud.servers.get(one) for one in (server_id, other)}
            assert timeline.path is not None
            marked = replace(kept[server_id], name=f"marked {number}")
            with closing(sqlite3.connect(timeline.path)) as outsider, outsider:
                outsider.execute(
                    "UPDATE timeline_1_server SET server = ? WHERE id = ?",
                    (timeline_rows._encode(marked).decode(), server_id),
                )
            cloud.rename(server_id, f"renamed {number}")
            cloud.rename(other, f"renamed {number}")
            *_, of_one, _ = timeline.search()
            assert of_one.changes == (("/name", f"marked {number}", f"renamed {number}"),)


def test_of_a_server_that_has_not_begun_the_project_is_that_of_who_told(servers: Servers) -> None:
    servers.record(OTHER, [e.ServerRenamed("early")], Context(STRANGER))
    row = rows(servers)[-1]
    assert (row["server_project_id"], row["changes"]) == ("another", [])


def test_metadata_that_no_rebuild_dropped_is_not_lost(servers: Servers) -> None:
    servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE), Context(OWNER, "req-2"))
    servers.record(SERVER, [e.MetadataReplaced({"kept": "0"})], Context(OWNER, "req-3"))
    servers.record(OTHER, [e.MetadataReplaced({})], Context(OWNER, "req-4"))
    assert [row for row in rows(servers) if "keys_lost" in row] == []


@pytest.mark.parametrize(
    "column", ["event", "server_id", "occurred_at", "recorded_at", "user_id", "request_id", "data"]
)
def test_a_row_without_what_each_event_has_is_not_taken(servers: Servers, column: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        TIMELINE.create(connection, "timeline_1")
        row = servers.timeline.ask(
            lambda rows: tuple(next(rows.query("SELECT * FROM timeline")).values())
        )
        TIMELINE.write(connection, "timeline_1", timeline_rows.Changes([row], {}, 0))
        with pytest.raises(sqlite3.IntegrityError, match=rf"NOT NULL .*timeline_1\.{column}$"):
            connection.execute(f"UPDATE timeline_1 SET {column} = NULL")
        with pytest.raises(sqlite3.IntegrityError, match=r"NOT NULL .*timeline_1_server\.server$"):
            connection.execute("INSERT INTO timeline_1_server VALUES ('x', NULL)")


def test_what_is_held_of_pages_weighs_its_rows_and_each_server_once(tmp_path: Path) -> None:
    with Cloud(tmp_path) as cloud:
        one = cloud.create("one")
        cloud.rename(one, "two")
        cloud.create("three")
        file = ViewPlace(cloud.store, None, TIMELINE).open()
        told: list[int] = []
        weighed: list[int] = []
        with file.reading() as shown:
            live, page = generations.live(shown, TIMELINE), None
            for _ in range(3):
                page = following.next_advance(cloud.store, shown, live, 1, page)
                assert page is not None
                told.append(TIMELINE.weight(page.changes))
                (*_, data, changes) = page.changes.rows[-1]
                weighed.append(1_000 + len(data) + len(changes))
                if page.pages != 2:  # The second is of the same server.
                    newest = list(page.changes.servers.values())[-1]
                    weighed[-1] += len(timeline_rows._encode(newest))
        file.close()
    assert told == [weighed[0], sum(weighed[:2]), sum(weighed)]
