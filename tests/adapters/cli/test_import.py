"""`import nova` takes a cloud's notifications in, and says what became of each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from serverdomain.testing.compute_endpoint import ComputeEndpoint
from tests.adapters.cli.conftest import Command
from tests.adapters.incoming.cloud import IMAGE, REBUILD, SERVER, encoded, message, rebuilt
from tests.adapters.incoming.test_calls import ACTION, RECORD
from tests.adapters.incoming.test_taking import STORY, lines


@pytest.fixture
def archive(folder: Path) -> str:
    Path("messages.jsonl.gz").write_bytes(gzip.compress(lines(STORY)))
    return "messages.jsonl.gz"


def test_a_store_is_made_and_the_counts_are_said(command: Command, archive: str) -> None:
    ran = command("import", "nova", archive)
    assert ran == (0, "13 messages: 13 imported, 0 repeated, 0 passed over, 0 rejected\n", "")
    assert command("show", SERVER).server["status"] == "ERROR"
    again = command("import", "nova", archive, "--json").json
    assert again == {
        "read": 13,
        "imported": 0,
        "repeated": 13,
        "passed_over": {},
        "rejected": 0,
    }


def test_messages_come_from_stdin_and_from_several_files(command: Command, archive: str) -> None:
    more = lines([*rebuilt(30), message("service.update")])
    ran = command("import", "nova", "-", archive, stdin=more)
    assert ran.out == (
        "18 messages: 17 imported, 0 repeated, 1 passed over, 0 rejected\n"
        "  passed over: 1 service.update\n"
    )


def test_a_dry_run_says_the_same_and_writes_nothing(command: Command, archive: str) -> None:
    dry = command("import", "nova", archive, archive, "--dry-run", "--json").json
    assert not Path("cloud.db").exists()
    assert dry == command("import", "nova", archive, archive, "--json").json
    before = Path("cloud.db").read_bytes()
    ran = command("import", "nova", archive, "--dry-run")
    assert ran.out == "13 messages: 0 would be imported, 13 repeated, 0 passed over, 0 rejected\n"
    assert Path("cloud.db").read_bytes() == before


def test_what_is_rejected_is_said_and_kept(command: Command, folder: Path) -> None:
    Path("bad.jsonl").write_bytes(lines(STORY[:1]) + b"{half\n" * 7)
    ran = command("import", "nova", "bad.jsonl", "--rejects", "rejects.jsonl")
    assert ran.code == 0
    assert ran.out == "8 messages: 1 imported, 0 repeated, 0 passed over, 7 rejected\n"
    said = ran.err.splitlines()
    assert len(said) == 6
    assert said[0].startswith("serverdomain: rejected: bad.jsonl:2: message: is no JSON")
    assert said[-1] == "serverdomain: rejected: 2 more"
    kept = [json.loads(line) for line in Path("rejects.jsonl").read_text().splitlines()]
    assert [one["place"] for one in kept] == [f"bad.jsonl:{number}" for number in range(2, 9)]


def test_a_dry_run_rejects_what_would_be(command: Command, folder: Path) -> None:
    ahead = message("instance.exists", "2999-01-01 00:00:00")
    Path("ahead.jsonl").write_bytes(lines([ahead, *STORY[:1]]))
    dry = command("import", "nova", "ahead.jsonl", "--dry-run")
    assert dry.out == "2 messages: 1 would be imported, 0 repeated, 0 passed over, 1 rejected\n"
    real = command("import", "nova", "ahead.jsonl")
    assert dry.err.partition(" came")[0] == real.err.partition(" came")[0]


def test_rejects_are_written_over_nothing_that_somebody_keeps(
    command: Command, archive: str
) -> None:
    assert command("import", "nova", archive).code == 0
    Path("notes").write_text("mine\n", "utf-8")
    Path("bad.jsonl").write_bytes(b"{half\n")
    for kept in ("cloud.db", "notes", archive, "bad.jsonl"):
        before = Path(kept).read_bytes()
        ran = command("import", "nova", archive, "bad.jsonl", "--rejects", kept)
        assert ran.code == 2
        assert ran.err.startswith(f"serverdomain: --rejects: '{kept}' ")
        assert Path(kept).read_bytes() == before
    for again in range(2):
        assert command("import", "nova", "bad.jsonl", "--rejects", "rejects").code == 0, again
        assert Path("rejects").read_bytes().count(b"\n") == 1
    before_ = Path("rejects").read_bytes()
    ran = command("import", "nova", "rejects", "--rejects", "rejects")
    assert "is read in here" in ran.complaint
    assert Path("rejects").read_bytes() == before_


@pytest.mark.parametrize("beside", ["", "-wal", "-shm", "-journal"])
def test_nor_over_a_store_that_is_not_there_yet(
    command: Command, folder: Path, beside: str
) -> None:
    Path("bad.jsonl").write_bytes(b"{half")
    Path("link").symlink_to(f"cloud.db{beside}")
    before = sorted(folder.iterdir())
    for name in (f"cloud.db{beside}", "link"):
        ran = command("import", "nova", "bad.jsonl", "--rejects", name)
        assert ran.code == 2
        assert ran.err == (
            f"serverdomain: --rejects: '{name}' is a file of the store, another is allowed\n"
        )
    assert sorted(folder.iterdir()) == before


def test_stdin_that_is_closed_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.adapters.cli.conftest.io.TextIOWrapper", lambda _: None)
    for kind in ("nova", "log"):
        ran = command("import", kind, "-")
        assert (ran.code, ran.out) == (2, "")
        assert "stdin is closed" in ran.complaint
    assert not Path("cloud.db").exists()


def test_no_file_is_no_traceback_and_nothing_comes_in(command: Command, archive: str) -> None:
    ran = command("import", "nova", archive, "missing.jsonl")
    assert (ran.code, Path("cloud.db").exists()) == (2, False)
    assert ran.err.startswith("serverdomain: FILE: 'missing.jsonl' cannot be opened: No such file")
    ran = command("import", "nova", archive, "--rejects", "missing/rejects")
    assert (ran.code, Path("cloud.db").exists()) == (2, False)
    assert ran.err.startswith("serverdomain: --rejects: 'missing/rejects' cannot be opened")


def test_a_store_that_is_only_read_takes_nothing_in(command: Command, archive: str) -> None:
    command("import", "nova", archive)
    assert command("import", "nova", archive, "--read-only").code == 3
    assert command("import", "nova", archive, "--read-only", "--dry-run").code == 0


def test_of_a_birth_only_what_a_source_told_is_shown(command: Command, folder: Path) -> None:
    told = message("instance.exists", "2026-03-02 08:00:00", image_uuid="", flavor=None)
    Path("exists.jsonl").write_bytes(lines([told]))
    assert command("import", "nova", "exists.jsonl").code == 0
    born = command("history", SERVER).out
    assert f"{SERVER}, ACTIVE, of " in born


def test_what_tells_nothing_new_costs_a_page_of_history_nothing(
    command: Command, folder: Path
) -> None:
    hours = [message("instance.exists", f"2026-03-02 {hour:02}:00:00") for hour in range(24)]
    drifted = message("instance.exists", "2026-03-03 00:00:00", state="stopped")
    Path("exists.jsonl").write_bytes(lines([*hours, drifted]))
    assert command("import", "nova", "exists.jsonl").code == 0
    for selected in ((), (SERVER,)):
        page = command("history", *selected, "--oneline").out.splitlines()
        assert len(page) == 2
        assert '/status: "ACTIVE" -> "SHUTOFF"' in page[1]
        assert len(command("history", *selected, "--limit", "2", "--oneline").out.splitlines()) == 2
        assert len(command("history", *selected, "--full", "--oneline").out.splitlines()) == 25
        assert len(command("history", *selected, "--json").json) == 25
        named = ("--event", "ServerObserved", "--oneline")
        assert len(command("history", *selected, *named).out.splitlines()) == 25


def test_a_message_is_found_by_its_own_request_and_by_the_clouds(
    command: Command, folder: Path
) -> None:
    one = message("instance.lock", top={"message_id": "m-1"})
    Path("one.json").write_bytes(encoded(one))
    assert command("import", "nova", "one.json").code == 0
    for request in ("nova-m-1", one["payload"]["nova_object.data"]["request_id"]):
        found = command("history", "--request", request, "--json").json
        assert [entry["event"] for entry in found] == ["ServerObserved", "ServerLocked"]


def test_calls_stand_with_the_facts_of_their_request(command: Command, folder: Path) -> None:
    Path("nova.jsonl").write_bytes(lines(rebuilt()))
    Path("actions.json").write_text(json.dumps({"instanceActions": [ACTION]}), "utf-8")
    Path("audit.jsonl").write_text(json.dumps(RECORD), "utf-8")
    for kind, file in (
        ("nova", "nova.jsonl"),
        ("actions", "actions.json"),
        ("cadf", "audit.jsonl"),
    ):
        assert command("import", kind, file).code == 0
    found = command("history", "--request", REBUILD, "--oneline").out.splitlines()
    told = [line.split("  ")[2] for line in found]
    assert told.count("CallReported") == 2
    assert {"RebuildRequested", "RebuildCompleted"} <= set(told)
    assert any(
        "update/rebuild from 192.0.2.7 reported with outcome success" in one for one in found
    )


@pytest.mark.filterwarnings("ignore")  # openstacksdk warns of parts that it uses itself.
def test_a_running_cloud_is_asked_for_its_actions(
    command: Command, compute_endpoint: ComputeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openstack")
    compute = compute_endpoint.connection.compute
    server = compute.create_server(name="web", image_id=IMAGE, flavor_id="1", networks="none")
    compute.lock_server(server)
    monkeypatch.setenv("OS_AUTH_TYPE", "none")
    monkeypatch.setenv("OS_IDENTITY_API_VERSION", "3")
    ran = command("import", "actions", f"{compute_endpoint.url}/v2.1", "--json")
    assert ran.json["imported"] == 2
    told = command("history", "--event", "CallReported", "--json").json
    assert {entry["data"]["action"] for entry in told} == {"create", "lock"}
    assert {entry["server_id"] for entry in told} == {server.id}
