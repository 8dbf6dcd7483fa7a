"""A made-up fleet is a log like any other, and the same for the same seed."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from serverdomain import Actor, Context, CreateServer, Refused, Servers
from serverdomain.audit.past_requests import PastRequest, command_of, past_requests
from serverdomain.domain.commands import RecordFacts
from serverdomain.domain.events import EVENTS
from serverdomain.errors import Conflict, InvalidInput
from serverdomain.simulation.fleet import generate
from serverdomain.simulation.fleet.surroundings import BEGINS, ENDS
from serverdomain.store.opening import open_log
from serverdomain.store.request import Request
from serverdomain.store.sqlite import SQLiteLog
from serverdomain.store.sqlite.reading import SQLiteReading
from tests.adapters.cli.terminal import environment, process
from tests.simulation.fleet.logs import rows

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
SERVERS = 50


@pytest.fixture(scope="module")
def store() -> Iterator[SQLiteLog]:
    with closing(open_log("memory:")) as store:
        generate(store, SERVERS, seed=7)
        yield store


def test_the_same_seed_gives_every_column_again_in_another_process(
    store: SQLiteLog, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/cloud.db"
    made = process(
        *("generate", "--servers", str(SERVERS), "--seed", "7", "--store", url),
        folder=tmp_path,
        env=environment(PYTHONHASHSEED="7", TZ="Asia/Kathmandu", SERVERDOMAIN_REFUSALS="off"),
    )
    assert (made.returncode, made.stderr) == (0, "")
    with closing(open_log(url, create=False)) as again:
        assert rows(again) == rows(store)


def test_another_seed_gives_another_fleet(store: SQLiteLog) -> None:
    with closing(open_log("memory:")) as other:
        generate(other, SERVERS, seed=8)
        assert rows(other)[0][0] != rows(store)[0][0]


def test_it_says_how_much_it_made_and_how_far_it_is(store: SQLiteLog) -> None:
    told: list[tuple[int, int]] = []
    with closing(open_log("memory:")) as other:
        made = generate(other, 5, 1, lambda done, total: told.append((done, total)))
        commands, events = rows(other)
    assert (made.servers, made.commands, made.events) == (5, len(commands), len(events))
    assert told[-1] == (ENDS - BEGINS, ENDS - BEGINS)
    assert sorted(told) == told


def test_it_is_what_the_same_requests_come_to_one_by_one(store: SQLiteLog) -> None:
    commands, _ = rows(store)
    requests = sorted(_requests(store), key=lambda one: one.positions)
    with closing(open_log("memory:")) as other:
        for row, one in zip(commands, requests, strict=True):
            # Each on the way of every command, in a transaction of its own.
            try:
                other.accept(_request(row, one))
            except Refused:
                assert one.refusal is not None
        assert rows(other) == rows(store)


def _requests(store: SQLiteLog) -> list[PastRequest]:
    with store.connections.reading() as log:
        ids = log.execute("SELECT DISTINCT server_id FROM commands").fetchall()
        return [
            one
            for (id_,) in ids
            for one in past_requests(SQLiteReading(log).recorded(id_, with_refusals=True))
        ]


def _request(row: tuple[Any, ...], one: PastRequest) -> Request:
    _, kind, server_id, members, user, project, roles, request, correlation, caused_by, *more = row
    context = Context(
        Actor(user, project, tuple(json.loads(roles))), request, correlation, caused_by
    )
    members = json.loads(members)
    occurred_at = members.pop("occurred_at", None)
    command = one.command
    if not isinstance(command, RecordFacts):
        # As it was asked, without what its events tell; but with what is never kept.
        unkept = {"admin_pass", "image_known", "flavor_known"} & set(command.__struct_fields__)
        command = replace(
            command_of(kind, members), **{name: getattr(command, name) for name in unkept}
        )
    return Request(
        server_id=server_id, command=command, context=context, now=more[1], occurred_at=occurred_at
    )


def test_its_view_is_the_fold_of_each_stream(store: SQLiteLog) -> None:
    with closing(Servers(store).view) as view:
        shown = {server.id: server for server in view.servers(caught_up=True)}
    with store.connections.reading() as log:
        for one in {row[2] for row in rows(store)[0]}:
            server = SQLiteReading(log).history(one).server
            assert server is not None
            assert shown.get(one) == (None if server.deleted else server)


def test_it_keeps_what_every_log_keeps(store: SQLiteLog) -> None:
    commands, events = rows(store)
    recorded_at = [row[11] for row in commands]
    assert recorded_at == sorted(recorded_at)
    assert BEGINS <= recorded_at[0] < recorded_at[-1] <= ENDS
    assert [row[0] for row in events] == list(range(1, len(events) + 1))
    versions = Counter[str]()
    for _, stream, version, *_ in events:
        versions[stream] += 1
        assert version == versions[stream]
    accepted = [row[7] for row in commands if not row[12]]
    assert len(set(accepted)) == len(accepted)


def test_it_has_all_that_a_fleet_goes_through(store: SQLiteLog) -> None:
    commands, events = rows(store)
    names = {topic.split(":")[1] for _, _, _, topic, *_ in events}
    assert EVENTS.keys() - names == {
        "AccessAddressesChanged",
        "CallReported",
        "DiskConfigChanged",
    }
    # Late facts, a hypervisor that says what made it report, requests that share an id.
    assert any(row[1] == "record" and row[10] < row[11] for row in commands)
    assert any(row[1] == "complete_rebuild" and row[9] and row[10] < row[11] for row in commands)
    assert max(Counter(row[8] for row in commands if row[8]).values()) > 5
    stages = {json.loads(row[4])["stage"] for row in events if "RebuildFailed" in row[3]}
    assert stages == {"scheduling", "hypervisor"}
    rules = {json.loads(row[4])["rule"] for row in events if "CommandRefused" in row[3]}
    assert rules >= {"role", "lock", "state", "image"}
    roles = {row[6] for row in commands}
    assert roles == {'["member"]', '["admin"]', '["reader"]'}
    assert len({row[5] for row in commands}) > 3


def test_a_log_that_holds_anything_is_left_alone() -> None:
    with closing(open_log("memory:")) as store:
        servers = Servers(store)
        servers.create(CreateServer(name="web", image_id=IMAGE, flavor_id="1"))
        before = rows(store)
        with pytest.raises(Conflict, match="the log holds 1 events, an empty one is allowed"):
            generate(store, 3, 1)
        assert rows(store) == before


@pytest.mark.parametrize("servers", [0, -1, 1_000_001])
def test_a_number_of_servers_has_limits(servers: int) -> None:
    with closing(open_log("memory:")) as store:
        with pytest.raises(InvalidInput, match="1 to 1000000 are allowed"):
            generate(store, servers, 1)
        assert rows(store) == ([], [])


def test_the_collector_of_garbage_is_as_it_was() -> None:
    with closing(open_log("memory:")) as store:
        generate(store, 1, 1)
        assert gc.isenabled()
