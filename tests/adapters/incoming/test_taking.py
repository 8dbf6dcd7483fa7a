"""Messages in the log: each counts once, and the servers do not depend on how they came."""

import json
from contextlib import closing
from cProfile import Profile
from pathlib import Path
from pstats import Stats
from random import Random
from threading import Thread

import msgspec
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from serverdomain import Servers
from serverdomain.adapters.incoming import nova, taking
from serverdomain.adapters.incoming.files import told
from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.adapters.incoming.sources import source
from serverdomain.adapters.incoming.taking import Taking, take_in
from serverdomain.domain.server import Server
from tests.adapters.incoming.cloud import (
    FAULT,
    REBUILD,
    SERVER,
    encoded,
    message,
    rebuilt,
)

STORY = [
    message("instance.create.start", "2026-03-01 08:00:00", state="building", host=None),
    message("instance.create.end", "2026-03-01 08:01:00"),
    *rebuilt(1),
    message("instance.lock", "2026-03-01 11:00:00", locked=True),
    message("instance.unlock", "2026-03-01 11:00:01"),
    message("instance.power_off.end", "2026-03-01 12:00:00", state="stopped"),
    message("instance.exists", "2026-03-01 13:00:00", state="stopped", display_name="drifted"),
    message("instance.power_on.end", "2026-03-01 14:00:00"),
    message("instance.rebuild_scheduled", "2026-03-01 15:00:00", request_id="req-b"),
    message("instance.rebuild.error", "2026-03-01 15:00:05", request_id="req-b", fault=FAULT),
]


def lines(messages):
    return b"".join(encoded(one) + b"\n" for one in messages)


def take(servers, path, rejects=None):
    rejects = rejects or Rejects()
    taker = Taking(servers, rejects)
    with source(str(path)) as (stream, _):
        for _ in take_in(told(stream, "here", nova.read), taker, rejects):
            pass
    taker.write()
    return taker.counts


@pytest.fixture
def servers(tmp_path):
    with Servers.open(tmp_path / "cloud.db", create=True) as opened:
        yield opened


@pytest.fixture
def file(tmp_path):
    def write(messages, name="messages.jsonl"):
        path = tmp_path / name
        path.write_bytes(messages if isinstance(messages, bytes) else lines(messages))
        return path

    return write


def test_each_message_counts_once_however_often_it_comes(servers, file):
    first = take(servers, file(STORY + STORY[:3]))
    assert first.as_json() == {
        "read": len(STORY) + 3,
        "imported": len(STORY),
        "repeated": 3,
        "passed_over": {},
        "rejected": 0,
    }
    again = take(servers, file(json.dumps(STORY, indent=1).encode()))
    assert (again.imported, again.repeated) == (0, len(STORY))


def test_the_history_is_the_clouds(servers, file):
    take(servers, file(STORY))
    statuses = [
        (entry.name, change.after)
        for entry in servers.history(SERVER)
        for change in entry.changes
        if change.path == "/status"
    ]
    assert statuses == [
        ("ServerObserved", "BUILD"),
        ("ServerBuilt", "ACTIVE"),
        ("RebuildRequested", "REBUILD"),
        ("RebuildCompleted", "ACTIVE"),
        ("ServerStopped", "SHUTOFF"),
        ("ServerStarted", "ACTIVE"),
        ("RebuildRequested", "REBUILD"),
        ("RebuildFailed", "ERROR"),
    ]
    assert servers.get(SERVER).status == "ERROR"
    assert servers.history(SERVER)[0].occurred_at.isoformat() == "2026-03-01T08:00:00+00:00"
    assert servers.history(SERVER)[0].recorded_at.year > 2000


def test_an_audit_of_existence_corrects_drift_and_the_history_shows_it(servers, file):
    take(servers, file(STORY))
    (corrected,) = [
        entry
        for entry in servers.history(SERVER)
        if any(change.after == "drifted" for change in entry.changes)
    ]
    assert corrected.name == "ServerObserved"
    assert [change.before for change in corrected.changes] == ["web-1"]


def test_a_request_of_the_cloud_finds_all_that_it_brought_about(servers, file):
    take(servers, file(STORY))
    found = [entry.name for entry in servers.timeline.search(request=REBUILD)]
    assert found.count("RebuildRequested") == 2
    assert found.count("RebuildCompleted") == 1


def folded(messages):
    with Servers.open("memory:") as servers:
        rejects = Rejects()
        taker = Taking(servers, rejects)
        for one in messages:
            for reported in nova.read(encoded(one)):
                taker.take(reported, "here", b"")
        taker.write()
        server = servers.get(SERVER)
        return msgspec.structs.replace(server, version=0, first_position=0)


WHOLE: Server = folded(STORY)


@settings(max_examples=25, deadline=None)
@for_any(st.permutations(STORY), st.lists(st.sampled_from(STORY), max_size=6), st.randoms())
def test_neither_order_nor_repeats_matter(messages, repeats, random: Random):
    messages = [*messages, *repeats]
    random.shuffle(messages)
    assert folded(messages) == WHOLE


def test_an_older_archive_puts_the_beginning_earlier(servers, file):
    take(servers, file(STORY[6:]))
    begun = servers.history(SERVER)[0]
    assert take(servers, file(STORY)).imported == 6
    assert servers.history(SERVER)[0].occurred_at < begun.occurred_at
    assert servers.history(SERVER)[0].position > begun.position


def calls_to_take(servers, file, messages):
    profile = Profile()
    path = file(messages)
    profile.runcall(take, servers, path)
    return sum(count for count, *_ in Stats(profile).stats.values())


def test_what_comes_late_costs_the_same_behind_a_long_history(servers, file):
    def told(minutes, year):
        return [
            message("instance.exists", f"{year}-03-01 {minute // 60:02}:{minute % 60:02}:00")
            for minute in minutes
        ]

    few = calls_to_take(servers, file, told(range(100), 2025))
    take(servers, file(told(range(1_000), 2026)))
    assert calls_to_take(servers, file, told(range(100, 200), 2025)) < 2 * few


def test_a_report_about_a_server_not_met_yet_is_kept(servers, file):
    failed = message("compute_task.rebuild_server.error", "2026-03-01 08:30:00")
    failed["payload"]["nova_object.data"] = {"instance_uuid": SERVER, "reason": FAULT}
    assert take(servers, file([failed])).imported == 1
    assert len(servers) == 0
    take(servers, file(STORY[:2]))
    assert servers.get(SERVER).status == "ERROR"


def test_what_cannot_be_read_is_told_with_its_reason_and_the_rest_comes_in(servers, file, tmp_path):
    ahead = message("instance.exists", "2999-01-01 00:00:00")
    damaged = lines(STORY[:2]) + b'{"half": \n' + lines([ahead, message("a.b")]) + b"\xff\n"
    with (tmp_path / "rejects").open("wb", buffering=0) as kept:
        rejects = Rejects(kept)
        counts = take(servers, file(damaged + lines(STORY[2:])), rejects)
    assert counts.as_json() == {
        "read": len(STORY) + 4,
        "imported": len(STORY),
        "repeated": 0,
        "passed_over": {"a.b": 1},
        "rejected": 3,
    }
    told = [json.loads(line) for line in (tmp_path / "rejects").read_bytes().splitlines()]
    by_place = {one["place"]: one["reason"] for one in told}
    assert by_place.keys() == {"here:3", "here:4", "here:6"}
    assert "is no JSON" in by_place["here:3"]
    assert "five minutes ahead" in by_place["here:4"]
    assert told[0]["message"] == '{"half":'


def test_no_password_is_kept_with_what_is_rejected(servers, file, tmp_path):
    with (tmp_path / "rejects").open("wb", buffering=0) as kept:
        take(servers, file(b'{"adminPass": "s3cret"}\n'), Rejects(kept))
    assert b"s3cret" not in (tmp_path / "rejects").read_bytes()
    assert b"event_type" in (tmp_path / "rejects").read_bytes()


def test_what_was_rejected_is_kept_only_so_far(servers, file, tmp_path):
    with (tmp_path / "rejects").open("wb", buffering=0) as kept:
        take(servers, file(b"x" * 1_000_000 + b"\n"), Rejects(kept))
    assert 64 * 1024 < (tmp_path / "rejects").stat().st_size < 65 * 1024


def test_what_waits_holds_few_bytes(servers, file, monkeypatch):
    monkeypatch.setattr(taking, "MOST_BYTES", 10)
    rejects = Rejects()
    taker = Taking(servers, rejects)
    with source(str(file(STORY[:2]))) as (stream, _):
        for number, counts in enumerate(take_in(told(stream, "x", nova.read), taker, rejects), 1):
            assert counts.imported == number


def test_an_interrupted_import_is_gone_on_with(servers, file):
    rejects = Rejects()
    taker = Taking(servers, rejects)
    with source(str(file(STORY))) as (stream, _):
        taken = take_in(told(stream, "x", nova.read), taker, rejects)
        for _ in zip(range(4), taken, strict=False):
            pass
        taker.write()
    assert (taker.counts.imported, take(servers, file(STORY)).imported) == (4, len(STORY) - 4)


def test_two_that_import_the_same_at_once_share_it(tmp_path, file):
    path = file([one for minute in range(1, 60) for one in rebuilt(minute)])
    store = tmp_path / "cloud.db"
    Servers.open(store, create=True).close()
    counts = []

    def run():
        with closing(Servers.open(store)) as servers:
            counts.append(take(servers, path))

    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.imported for one in counts) == 59 * 4
    assert sum(one.repeated for one in counts) == 59 * 4


NOTIFICATIONS = Path(__file__).parents[4] / "shared" / "contract" / "notifications"


@pytest.mark.skipif(not NOTIFICATIONS.is_dir(), reason="../shared is not there")
@pytest.mark.parametrize("order", ["sorted", "reversed"])
def test_all_notifications_of_the_contract_come_in(servers, order):
    paths = sorted(NOTIFICATIONS.glob("*.json"), reverse=order == "reversed")
    counts = [take(servers, path) for path in paths]
    assert [count.rejected for count in counts] == [0] * len(paths)
    assert sum(count.imported for count in counts) >= 30
    passed = {kind for count in counts for kind in count.passed_over}
    assert passed == {"compute.exception"}
    by_name = {server.name: server.status for server in servers.list()}
    assert (by_name["foobar"], by_name["failed-name"]) == ("ACTIVE", "ERROR")


def test_types_are_counted_by_their_names_up_to_a_bound(servers, file):
    kinds = [f"a.{number}" for number in range(taking.MOST_TYPES + 20)]
    counts = take(servers, file([message(kind) for kind in ["b" * 10_000, *kinds, "a.1"]]))
    assert counts.passed_over.total() == counts.read == taking.MOST_TYPES + 22
    assert len(counts.passed_over) == taking.MOST_TYPES + 1
    assert counts.passed_over["a.1"] == 2
    assert counts.passed_over[taking.OTHERS] == 21
    assert max(map(len, counts.passed_over)) == 255


def test_what_is_rejected_is_kept_whatever_its_file_is_called(tmp_path):
    with (tmp_path / "rejects").open("wb", buffering=0) as kept:
        Rejects(kept).take("\udcff.jsonl:1", b"{", "is no JSON")
    assert json.loads((tmp_path / "rejects").read_bytes())["place"] == "\\udcff.jsonl:1"


def test_no_token_is_kept_with_what_is_rejected(servers, file, tmp_path):
    with (tmp_path / "rejects").open("wb", buffering=0) as kept:
        take(servers, file(b'{"_context_auth_token": "gAAAA"}\n'), Rejects(kept))
    assert b"gAAAA" not in (tmp_path / "rejects").read_bytes()


def test_of_two_messages_under_one_id_the_second_is_a_repeat_whatever_it_says(servers, file):
    first = message("instance.lock", top={"message_id": "m-1"})
    other = message("instance.unlock", "2026-03-01 10:00:00", top={"message_id": "m-1"})
    counts = take(servers, file([first, other]))
    assert (counts.imported, counts.repeated) == (1, 1)
    assert [entry.name for entry in servers.history(SERVER)] == ["ServerObserved", "ServerLocked"]
