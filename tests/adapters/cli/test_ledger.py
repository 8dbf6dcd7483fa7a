"""Checkpoints, verdicts and proofs from a shell: lines for people, JSON for scripts, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest

from serverdomain import InvalidInput, Servers
from serverdomain.audit.ledger import check_proof, check_proofs
from serverdomain.audit.ledger.proof import Consistent, Included
from serverdomain.errors import ExtraMissing
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import SERVER_ID, environment, process

ADMIN = ("--role", "admin")
SIGN = ("ledger", "checkpoint", "--key", "key", "--out", "signed")
VERIFY = ("ledger", "verify", "--checkpoint", "signed", "--key", "key.pub")


@pytest.fixture
def signed(registered: Command) -> Command:
    """The command, where the log's first two events are under a checkpoint."""
    assert registered("lock", SERVER_ID).code == 0
    assert registered(*SIGN).code == 0
    return registered


def edit(*statements: str) -> None:
    with closing(connect("cloud.db")) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        guards = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
        for (name,) in guards.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)


def test_a_checkpoint_says_what_it_covers_and_that_its_key_is_new(registered: Command) -> None:
    said = registered(*SIGN)
    assert (said.code, said.err) == (0, "")
    new, covers = said.out.splitlines()
    assert new == "key is a new key, and key.pub its public half"
    assert covers.startswith("signed covers 1 events of serverdomain/")
    assert Path("key").stat().st_mode & 0o777 == 0o600
    again = registered(*SIGN, "--json").json
    assert (again["size"], again["new_key"]) == (1, False)
    assert again["root"] in covers


def test_a_log_that_was_left_alone_is_verified(signed: Command) -> None:
    verified = signed(*VERIFY)
    assert verified == (
        0,
        "signed is a prefix of the log: its 2 events are as signed\n"
        "0 later events are in no checkpoint yet\n",
        "",
    )
    told = signed(*VERIFY, "--json").json
    assert (told["holds"], told["problems"], told["events"]) == (True, [], 2)


def test_problems_are_a_line_each_and_exit_4(signed: Command) -> None:
    edit(
        "UPDATE commands SET user_id = 'nobody' WHERE command_id = 2",
        "INSERT INTO stored_events VALUES (0, 'x', 1, 'x', 'x', NULL)",
    )
    found = signed(*VERIFY)
    assert found == (4, "0 inserted\n2 altered\n", "")
    found = signed(*VERIFY, "--json")
    assert found.code == 4
    assert [one["what"] for one in json.loads(found.out)["problems"]] == ["inserted", "altered"]
    Path("signed.leaves").unlink()
    found = signed(*VERIFY)
    first, where = found.out.splitlines()
    assert found.code == 4
    assert first == "0-1 altered"
    assert where.startswith("the place cannot be told: ")


def test_too_many_events_that_no_checkpoint_covers_are_exit_4_where_asked(signed: Command) -> None:
    signed("unlock", SERVER_ID)
    assert signed(*VERIFY).out.endswith("\n1 later events are in no checkpoint yet\n")
    assert signed(*VERIFY, "--max-uncovered", "1").code == 0
    too_many = signed(*VERIFY, "--max-uncovered", "0")
    assert too_many.code == 4
    assert too_many.out.endswith("\n1 later events are in no checkpoint, 0 are allowed\n")
    told = signed(*VERIFY, "--max-uncovered", "0", "--json")
    assert (told.code, json.loads(told.out)["uncovered"]) == (4, 1)


def test_a_proof_is_printed_and_checked(signed: Command) -> None:
    proof = signed("ledger", "prove", "2", "--checkpoint", "signed")
    assert isinstance(check_proof(proof.out.encode(), ["key.pub"]), Included)
    Path("proof").write_text(proof.out, "utf-8")
    checked = signed("ledger", "check-proof", "proof", "--key", "key.pub")
    assert checked.code == 0
    assert checked.out.startswith("this event is number 2 of 2 in serverdomain/")
    assert "\n  topic: serverdomain:ServerLocked:1\n" in checked.out
    assert "\n  user_id: fake\n" in checked.out
    assert (
        f":\n  ServerLocked of server {SERVER_ID}\n  by fake in openstack, under req-"
        in checked.out
    )
    assert "\nits leaf:\n  position: 2\n" in checked.out
    told = signed("ledger", "check-proof", "-", "--key", "key", "--json", stdin=proof.out.encode())
    assert told.json["event"]["kind"] == "lock"
    assert told.json["index"] == 1


def test_a_proof_says_what_the_event_changed_who_asked_and_when(signed: Command) -> None:
    for name in ('x"\n\n', "y"):
        assert signed("rename", SERVER_ID, name, "--user", "al\nice", *ADMIN).code == 0
    signed(*SIGN)
    proof = signed("ledger", "prove", "position:4", "--checkpoint", "signed").out
    entry = signed("history", SERVER_ID, "--position", "4", "--json").json[0]
    words = [
        f"position 4: ServerRenamed of server {SERVER_ID}",
        f"by al\\nice in openstack, under {entry['request_id']}",
        f"occurred {entry['occurred_at']}, recorded {entry['recorded_at']}",
        '/name: "x\\"\\n\\n" -> "y"',
    ]
    assert proof.startswith("".join(f"# {line}\n" for line in words) + "c2sp.org/tlog-proof@v1\n")
    included = check_proof(proof.encode(), ["key.pub"])
    assert isinstance(included, Included)
    assert included.said == tuple(words)
    Path("proof").write_text(proof, "utf-8")
    checked = signed("ledger", "check-proof", "proof", "--key", "key.pub").out
    assert "\nbeside the proof stands, and is not proved:\n  position 4: " in checked
    assert checked.endswith(f"  {words[-1]}\n")
    told = signed("ledger", "check-proof", "proof", "--key", "key.pub", "--json").json
    assert told["said"] == words


def test_the_words_are_no_part_of_what_is_proved(signed: Command) -> None:
    proof = signed("ledger", "prove", "2", "--checkpoint", "signed").out
    bare = "".join(line for line in proof.splitlines(True) if not line.startswith("#"))
    with Servers.open("sqlite:///cloud.db") as servers:
        assert servers.ledger.prove(2, "signed") == bare.encode()
    assert check_proof(bare.encode(), ["key.pub"]) == check_proof(
        proof.encode(), ["key.pub"]
    )._replace(said=())  # type: ignore[union-attr, call-arg]
    for forged in (proof.replace("fake", "alice"), f"# more\n{proof}"):
        included = check_proof(forged.encode(), ["key.pub"])
        assert isinstance(included, Included)
        assert included.event["user_id"] == "fake"
    for wrong in (bare.replace("index", "# x\nindex"), "#\n", "# x\n\n" + bare):
        with pytest.raises(InvalidInput):
            check_proof(wrong.encode(), ["key.pub"])


def test_a_request_and_a_server_are_proved_event_by_event(signed: Command) -> None:
    signed("rebuild", SERVER_ID, "--request", "request.json", "--request-id", "req-1", *ADMIN)
    assert signed("start", SERVER_ID, "--request-id", "req-2", *ADMIN).code == 1
    signed(*SIGN)
    signed("complete", SERVER_ID)
    for what, topics, left_out in (
        ("request:req-1", [3, 4, 5, 6], ""),
        ("request:req-2", [7], ""),
        ("server:foobar", [1, 2, 3, 4, 5, 6, 7], "1 of 8 events came after the checkpoint"),
        ("server:075e", [1, 2, 3, 4, 5, 6, 7], "1 of 8 events came after the checkpoint"),
    ):
        proofs = signed("ledger", "prove", what, "--checkpoint", "signed")
        assert proofs.code == 0
        assert left_out in proofs.err
        proved = check_proofs(proofs.out.encode(), ["key.pub"])
        assert [one.event["position"] for one in proved] == topics  # type: ignore[union-attr]
        Path("proofs").write_text(proofs.out, "utf-8")
        checked = signed("ledger", "check-proof", "proofs", "--key", "key.pub")
        assert checked.out.count("this event is number ") == len(topics)
        told = signed("ledger", "check-proof", "proofs", "--key", "key.pub", "--json").json
        assert len(told if isinstance(told, list) else [told]) == len(topics)
    refused = signed("ledger", "prove", "request:req-2", "--checkpoint", "signed").out
    assert "\n# start refused by the rule of state: server" in refused
    late = signed("ledger", "prove", "8", "--checkpoint", "signed")
    assert (late.code, late.out) == (1, "")
    broken = Path("proofs").read_text("utf-8").replace("index 3", "index 2")
    Path("proofs").write_text(broken, "utf-8")
    no = signed("ledger", "check-proof", "proofs", "--key", "key.pub")
    assert (no.code, no.out) == (4, "")


def test_bytes_of_another_application_are_shown_as_hex(signed: Command) -> None:
    edit("INSERT INTO stored_events VALUES (3, 'theirs', 1, 'theirs:X', x'00ff', NULL)")
    signed(*SIGN)
    Path("proof").write_text(signed("ledger", "prove", "3", "--checkpoint", "signed").out, "utf-8")
    told = signed("ledger", "check-proof", "proof", "--key", "key", "--json").json
    assert told["event"]["state"] == {"hex": "00ff"}
    assert "\n  state: 00ff\n" in signed("ledger", "check-proof", "proof", "--key", "key").out


def test_consistency_is_printed_and_checked(signed: Command) -> None:
    signed("unlock", SERVER_ID)
    signed("ledger", "checkpoint", "--key", "key", "--out", "later")
    proof = signed("ledger", "consistency", "signed", "later")
    assert isinstance(check_proof(proof.out.encode(), ["key.pub"]), Consistent)
    Path("proof").write_text(proof.out, "utf-8")
    checked = signed("ledger", "check-proof", "proof", "--key", "key.pub")
    assert checked.out.startswith("the 2 events of serverdomain/")
    assert "are the first of the 3 under root" in checked.out
    told = signed("ledger", "check-proof", "proof", "--key", "key.pub", "--json").json
    assert (told["old"]["size"], told["new"]["size"]) == (2, 3)


WRONG: list[tuple[list[str], int, str]] = [
    (["prove", "3", "--checkpoint", "signed"], 1, "no event stands at position 3"),
    (["prove", "x", "--checkpoint", "signed"], 2, "WHAT: 'x' came, position:N, request:ID or"),
    (["prove", "position:x", "--checkpoint", "signed"], 2, "WHAT: 'position:x' came"),
    (["prove", "server:", "--checkpoint", "signed"], 2, "WHAT: 'server:' came"),
    (["prove", "server:x", "--checkpoint", "signed"], 1, "no server has the id or name 'x'"),
    (["prove", "request:x", "--checkpoint", "signed"], 1, "under the request id 'x'"),
    (
        ["prove", "request:\udcff", "--checkpoint", "signed"],
        2,
        "request_id: '\\udcff' came, 1 to 255 printable",
    ),
    (["prove", "position:3", "--checkpoint", "signed"], 1, "no event stands at position 3"),
    (["prove", "1", "--checkpoint", "none"], 2, "checkpoint: 'none' cannot be read"),
    (["prove", "1", "--checkpoint", "server.json"], 2, "no signature came"),
    (["consistency", "signed", "server.json"], 2, "new: no signature came"),
    (["verify", "--checkpoint", "signed"], 2, "--key"),
    (["verify", "--checkpoint", "signed", "--key", "none"], 2, "key: 'none' cannot be read"),
    (["verify", "--checkpoint", "signed", "--key", "signed"], 2, "an Ed25519 key in PEM"),
    (["verify", "--checkpoint", "signed", "--key", "other"], 4, "bears no signature"),
    ([*VERIFY[1:], "--max-uncovered", "-1"], 2, "--max-uncovered"),
    (["checkpoint", "--key", "key", "--out", "server.json"], 2, "out: no signature came"),
    (["checkpoint", "--key", "server.json", "--out", "new"], 2, "an Ed25519 key in PEM"),
    (["checkpoint", "--key", "none/key", "--out", "new"], 2, "cannot be written"),
    (["check-proof", "signed", "--key", "key.pub"], 2, "c2sp.org/tlog-proof@v1"),
    (["check-proof", "proof", "--key", "other"], 4, "bears no signature"),
]


def test_what_is_wrong_is_one_line(signed: Command) -> None:
    signed("ledger", "checkpoint", "--key", "other", "--out", "others")
    Path("proof").write_text(signed("ledger", "prove", "1", "--checkpoint", "signed").out, "utf-8")
    for arguments, code, says in WRONG:
        no = signed("ledger", *arguments)
        assert (no.code, no.out) == (code, ""), arguments
        assert says in no.complaint


def test_a_checkpoint_never_takes_the_place_of_one_that_an_edit_contradicts(
    signed: Command,
) -> None:
    before = Path("signed").read_bytes()
    edit("UPDATE stored_events SET state = '{}' WHERE position = 1")
    no = signed(*SIGN)
    assert (no.code, no.out) == (4, "")
    assert "no longer holds the 2 events that signed covers" in no.complaint
    assert Path("signed").read_bytes() == before


def test_a_proof_keeps_its_bytes_whatever_the_terminal_can_say(
    signed: Command, folder: Path
) -> None:
    expected = signed("ledger", "prove", "1", "--checkpoint", "signed").out.encode()
    ran = process(
        *("ledger", "prove", "1", "--checkpoint", "signed", "--store", "sqlite:///cloud.db"),
        folder=folder,
        env=environment(PYTHONIOENCODING="ascii"),
        encoding="utf-8",
    )
    assert ran.stdout.encode() == expected


def test_a_proof_is_checked_without_anything_of_the_store(signed: Command, folder: Path) -> None:
    Path("proof").write_text(signed("ledger", "prove", "1", "--checkpoint", "signed").out, "utf-8")
    for gone in ("cloud.db", "signed", "signed.leaves", "key"):
        Path(gone).unlink()
    asked = (
        "import sys; from serverdomain.adapters.cli import main\n"
        "try: main()\n"
        "finally: print('loaded:', *sys.modules)"
    )
    arguments = ["ledger", "check-proof", "proof", "--key", "key.pub"]
    ran = subprocess.run(
        [sys.executable, "-c", asked, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment(),
    )
    shown, _, loaded = ran.stdout.partition("loaded: ")
    assert shown.startswith("this event is number 1 of 2")
    store = ("serverdomain.store", "serverdomain.servers", "eventsourcing", "sqlite_utils")
    assert "serverdomain.audit.ledger.proof" in loaded.split()
    assert [name for name in loaded.split() if name.startswith(store)] == []


def test_without_the_extra_one_sentence_names_it(signed: Command, folder: Path) -> None:
    asked = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from serverdomain.adapters.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked, *VERIFY, "--store", "sqlite:///cloud.db"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(),
    )
    assert (ran.returncode, ran.stdout) == (3, "")
    missing_extra = ExtraMissing("the command", "cryptography", "audit")
    assert ran.stderr == f"serverdomain: {missing_extra}\n"
