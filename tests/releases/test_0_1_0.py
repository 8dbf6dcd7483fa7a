"""A store that 0.1.0 wrote: every later release opens it, and answers what 0.1.0 answered.

Only names that every release has are used here: this file stays, whatever changes behind them.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from serverdomain import RequestIdTaken, Servers
from serverdomain.audit.ledger import check_proof
from serverdomain.domain.events import ServerStarted
from serverdomain.testing import ManualClock
from tests.releases.asking import answer, command, outcome_json, server_json

WRITTEN = Path(__file__).parents[1] / "data/release-0.1.0"
COMMANDS = json.loads((WRITTEN / "commands.json").read_text("utf-8"))
ANSWERS = json.loads((WRITTEN / "answers.json").read_text("utf-8"))

DOCUMENTED = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
KEY = WRITTEN / "audit.key.pub"
HEAD = 63
COVERED = 36
"""Events that the checkpoint covers; the views stand there, too."""

KEYFRAMES_APART = 4_096
SECONDS = 60
"""How long a test waits, at most, for what comes at once."""

TABLES = {
    "log": "log_id",
    "commands": "command_id, kind, server_id, members, user_id, project_id, roles, request_id,"
    " correlation_id, caused_by, occurred_at, recorded_at, refused",
    "stored_events": "position, originator_id, originator_version, topic, state, command_id",
}


@pytest.fixture
def folder(tmp_path):
    """A copy of the store, with all that lies beside it."""
    code = shutil.ignore_patterns("*.py", "*.md", "*.json", "__pycache__")
    return shutil.copytree(WRITTEN, tmp_path / "copy", ignore=code)


@pytest.fixture
def servers(folder):
    clock = ManualClock()
    clock.advance(timedelta(days=365))
    with Servers.open(f"sqlite:///{folder}/cloud.db", create=False, clock=clock) as servers:
        yield servers
    # Whatever a test did: what was written is as it was, and no file was taken for damaged.
    now = log(folder)
    assert {table: now[table][: len(written)] for table, written in log().items()} == log()
    assert list(folder.glob("*.damaged")) == []


def log(folder=WRITTEN):
    """The rows of a log, but for the places of reactions."""
    return {table: rows(folder / "cloud.db", table, columns) for table, columns in TABLES.items()}


def rows(path, table, columns="*"):
    # Immutable: no file is made beside those of this project.
    how = "?mode=ro&immutable=1" if path.is_relative_to(WRITTEN) else "?mode=ro"
    with closing(sqlite3.connect(path.as_uri() + how, uri=True)) as connection:
        # As bytes: what is the same when it is read might be written otherwise.
        connection.text_factory = bytes
        return connection.execute(f"SELECT {columns} FROM {table} ORDER BY 1").fetchall()


QUESTIONS = sorted({told["question"]["ask"] for told in ANSWERS})
KINDS = sorted({kept["asked"]["kind"] for kept in COMMANDS})


@pytest.mark.parametrize("ask", QUESTIONS)
def test_it_answers_what_0_1_0_answered(servers, folder, ask):
    for told in ANSWERS:
        if told["question"]["ask"] == ask:
            assert answer(servers, told["question"]) == told["answer"], told["question"]
    assert log(folder) == log(), "a question writes nothing"


@pytest.mark.parametrize("kind", KINDS)
def test_a_command_that_is_sent_again_gets_its_first_outcome(servers, folder, kind):
    for kept in COMMANDS:
        if kept["asked"]["kind"] == kind:
            outcome = command(servers, kept["asked"])
            assert outcome_json(outcome) == kept["outcome"], kept["asked"]
            assert outcome.replayed
            assert getattr(outcome, "admin_pass", None) is None
    assert log(folder) == log(), "it is not recorded again"


def test_commands_of_every_kind_were_written():
    kinds = {kind.decode() for (_, kind, *_) in log()["commands"]}
    assert kinds == set(KINDS)
    assert len(kinds) == 19


def test_a_request_id_is_taken_for_what_else_is_asked_under_it(servers, folder):
    (renamed,) = (kept["asked"] for kept in COMMANDS if kept["asked"]["kind"] == "rename")
    late = next(kept["asked"] for kept in COMMANDS if kept["asked"]["kind"] == "record")
    others = [
        renamed | {"members": {"name": "another"}},
        renamed | {"occurred_at": "2012-09-12T17:35:36.000105Z"},
        renamed | {"server_id": DOCUMENTED},
        renamed | {"kind": "stop", "members": {}},
        late | {"members": {"events": [{"name": "ServerStarted", "data": {}}]}},
        late | {"occurred_at": None},
    ]
    for other in others:
        with pytest.raises(RequestIdTaken):
            command(servers, other)
    assert log(folder) == log()


def test_a_check_finds_nothing_before_and_after_its_views_are_followed(servers):
    assert servers.check() == []
    servers.list()
    list(servers.timeline.search())
    assert servers.check() == []


def test_it_goes_on_where_0_1_0_ended(servers):
    before = servers.get(DOCUMENTED)
    renamed = servers.rename(DOCUMENTED, "renamed since", expected_version=before.version)
    assert (renamed.position, renamed.server.version) == (HEAD + 1, before.version + 1)
    (found,) = servers.list(name="renamed since")
    assert server_json(found) == server_json(renamed.server)
    assert servers.history(DOCUMENTED)[-1].position == HEAD + 1
    assert servers.check() == []


def test_what_was_refused_is_in_the_history(servers):
    ids = {kept["outcome"]["server"]["id"] for kept in COMMANDS if kept["outcome"]["server"]}
    refused = [
        (entry.position, entry.version, entry.event.kind, entry.event.rule)
        for server_id in ids
        for entry in servers.history(server_id)
        if entry.name == "CommandRefused"
    ]
    assert sorted(refused) == [
        (9, None, "stop", "state"),
        (32, None, "stop", "lock"),
        (34, None, "rename", "role"),
        (60, None, "rebuild", "image"),
    ]


@pytest.mark.parametrize("view", ["view", "timeline"])
def test_a_view_is_followed_to_the_rows_of_a_replay(servers, view):
    rows_of = {"view": "server", "timeline": "timeline"}[view]
    of_servers = getattr(servers, view)
    of_servers.catch_up()
    followed = rows(of_servers.path, rows_of)
    assert of_servers.status().lag == 0
    of_servers.replay()
    assert rows(of_servers.path, rows_of) == followed
    assert len(followed) == {"view": 7, "timeline": HEAD - 1}[view]


def test_its_keyframes_are_thrown_away_once_new_ones_are_made(servers, folder):
    old = {path.name for path in (folder / "cloud.keyframes").iterdir()}
    servers.record(DOCUMENTED, [ServerStarted()] * KEYFRAMES_APART)
    with servers.fleet() as fleet:
        assert fleet.servers() == servers.list()
    new = {path.name for path in (folder / "cloud.keyframes").iterdir()}
    assert old
    assert new
    assert not old & new
    for told in ANSWERS:
        if told["question"]["ask"] == "fleet" and told["question"]["as_of"] is not None:
            assert answer(servers, told["question"]) == told["answer"]


def test_a_reaction_goes_on_from_its_place(servers):
    heard = []
    with servers.react("told", lambda happened: heard.append(happened.position)) as reaction:
        assert reaction.caught_up(SECONDS)
    behind = [
        (position, topic) for position, _, _, topic, *_ in log()["stored_events"][COVERED - 1 :]
    ]
    assert heard == [position for position, topic in behind if b":CommandRefused:" not in topic]


def test_a_reaction_that_stopped_waits_and_begins_with_the_event_that_stopped_it(servers):
    heard = []

    def hear(happened):
        heard.append((happened.position, happened.name))

    with servers.react("fails", hear, events=["ServerLocked"]) as reaction:
        assert reaction.stopped.wait(SECONDS)
    assert heard == []
    assert servers.resume_reaction("fails").stopped_at is None
    with servers.react("fails", hear, events=["ServerLocked"]) as reaction:
        assert reaction.caught_up(SECONDS)
    assert heard == [(31, "ServerLocked"), (36, "ServerLocked"), (42, "ServerLocked")]


def test_what_a_reaction_is_told_again_across_the_releases_is_a_command_of_its_own(folder, request):
    with closing(sqlite3.connect(folder / "cloud.db")) as store, store:
        store.execute("UPDATE reactions SET position = 0 WHERE name = 'locks'")
    servers = request.getfixturevalue("servers")
    outcomes = []

    def lock(happened):
        outcomes.append(servers.lock(happened.server_id, happened.context("built")))

    with servers.react("locks", lock, events=["ServerBuilt"]) as reaction:
        assert reaction.caught_up(SECONDS)
    # Its request id is made of more now. A lock that is there already changes nothing.
    assert [(outcome.position, outcome.replayed) for outcome in outcomes] == [(None, False)]
    assert log(folder) == log()


@pytest.mark.parametrize("leaves", [True, False], ids=["with its leaves", "without"])
def test_its_checkpoint_is_verified(servers, folder, leaves):
    if not leaves:
        (folder / "checkpoint.leaves").unlink()
    verdict = servers.ledger.verify(folder / "checkpoint", [KEY])
    assert verdict.problems == ()
    assert (verdict.events, verdict.uncovered) == (HEAD, HEAD - COVERED)


def test_its_proof_holds_and_is_given_again(servers, folder):
    proof = (WRITTEN / "position-7.proof").read_bytes()
    check_proof(proof, [KEY])
    assert servers.ledger.prove(7, folder / "checkpoint") == proof


def test_a_new_checkpoint_goes_on_from_the_old_one(servers, folder):
    servers.rename(DOCUMENTED, "renamed since")
    made = servers.ledger.checkpoint(folder / "new.key", folder / "new")
    assert made.checkpoint.size == HEAD + 1
    proof = servers.ledger.consistency(folder / "checkpoint", folder / "new")
    check_proof(proof, [KEY, folder / "new.key.pub"])


def test_no_password_and_nothing_that_signs_was_written():
    written = [path for path in WRITTEN.rglob("*") if path.is_file() and path.suffix != ".py"]
    assert {path.suffix for path in written} >= {".db", ".json", ".pub"}
    for path in written:
        assert b"seekr3t" not in path.read_bytes(), path
        assert b"PRIVATE" not in path.read_bytes(), path
    assert "audit.key" not in {path.name for path in written}
