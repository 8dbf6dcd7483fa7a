"""Checkpoints are made, kept and replaced with care; what they cover is proved to anybody."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from secrets import token_hex

import pytest

from serverdomain import (
    Actor,
    Conflict,
    Context,
    InvalidInput,
    NotFound,
    Refused,
    Servers,
    StoreDamaged,
    Unproven,
)
from serverdomain.audit.ledger import check_proof, merkle
from serverdomain.audit.ledger.checkpoint import Checkpoint
from serverdomain.audit.ledger.proof import Consistent, Included
from serverdomain.domain.events import ServerRenamed
from serverdomain.testing.store_contract import adopted
from tests.audit.ledger import independent
from tests.audit.ledger.conftest import SERVERS, edit, opened


def test_a_checkpoint_is_what_somebody_else_makes_of_the_file(folder: Path) -> None:
    signed = independent.signed((folder / "signed").read_bytes(), (folder / "key.pub").read_bytes())
    leaves = independent.leaves_of_store(folder / "cloud.db")
    hashes = [independent.hash_leaf(leaf) for leaf in leaves.values()]
    assert signed.size == len(hashes) == 65
    assert signed.root == independent.root(hashes)
    assert (folder / "signed.leaves").read_bytes() == b"".join(hashes)
    with closing(sqlite3.connect(folder / "cloud.db")) as connection:
        (log_id,) = connection.execute("SELECT log_id FROM log").fetchone()
    assert signed.origin == f"serverdomain/{log_id}"


def test_the_leaf_of_the_documentation_is_that_of_every_column(filled: Path) -> None:
    """A column that a later release adds must be thought about here."""
    with closing(sqlite3.connect(filled / "cloud.db")) as connection:
        columns = [
            name
            for table in ("stored_events", "commands")
            for (name,) in connection.execute(f"SELECT name FROM pragma_table_info('{table}')")
        ]
    from serverdomain.audit.ledger.leaf import FIELDS

    columns.remove("command_id")  # It stands in both.
    assert sorted(columns) == sorted(FIELDS)


def test_a_checkpoint_of_an_empty_log_holds_and_covers_nothing(tmp_path: Path) -> None:
    with Servers.open("memory:") as servers:
        made = servers.ledger.checkpoint(tmp_path / "key", tmp_path / "signed")
        assert (made.new_key, made.checkpoint.size) == (True, 0)
        assert made.checkpoint.root == independent.root([])
        assert (tmp_path / "signed.leaves").read_bytes() == b""
        verdict = servers.ledger.verify(tmp_path / "signed", [tmp_path / "key"])
        assert (verdict.problems, verdict.events, verdict.uncovered) == ((), 0, 0)


def test_a_checkpoint_is_of_one_state_whoever_writes_meanwhile(folder: Path) -> None:
    with opened(folder) as servers:
        made = servers.ledger.checkpoint(
            folder / "key", folder / "signed", lambda *_: servers.rename(SERVERS[0], token_hex(4))
        )
        assert made.checkpoint.size == 65
        assert len(servers.history(SERVERS[0])) > 1
        verdict = servers.ledger.verify(folder / "signed", [folder / "key"])
        assert (verdict.problems, verdict.uncovered) == ((), verdict.events - 65)
        assert verdict.uncovered > 0


def test_the_files_are_ordinary_and_nothing_else_is_left(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} >= {"key", "key.pub", "signed", "signed.leaves"}
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert stat.S_IMODE((folder / "signed").stat().st_mode) & 0o400


def test_a_checkpoint_takes_the_place_of_an_older_one_of_the_same_log(folder: Path) -> None:
    with opened(folder) as servers:
        servers.rename(SERVERS[0], "another")
        made = servers.ledger.checkpoint(folder / "key", folder / "signed")
        assert made.checkpoint.size == 66
        again = servers.ledger.checkpoint(folder / "key", folder / "signed")
        assert again.checkpoint == made.checkpoint
    assert (folder / "signed").read_bytes() == made.checkpoint.whole


def test_it_never_takes_the_place_of_what_the_log_no_longer_holds(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.glob("signed*")}
    for statement in (
        "UPDATE stored_events SET state = '{}' WHERE position = 65",
        "DELETE FROM stored_events WHERE position > 60",
    ):
        edit(folder, statement)
        with opened(folder) as servers, pytest.raises(Unproven, match="no longer holds the 65"):
            servers.ledger.checkpoint(folder / "key", folder / "signed")
        assert {path: path.read_bytes() for path in folder.glob("signed*")} == before
        assert not list(folder.glob(".signed*"))


def test_cut_off_between_its_two_files_it_leaves_an_older_one_that_still_locates(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = (folder / "signed").read_bytes()
    really = os.replace

    def cut_off(come: Path, to: Path) -> None:
        if Path(to).name == "signed":
            raise KeyboardInterrupt
        really(come, to)

    with opened(folder) as servers:
        servers.rename(SERVERS[0], "another")
        monkeypatch.setattr(os, "replace", cut_off)
        with pytest.raises(KeyboardInterrupt):
            servers.ledger.checkpoint(folder / "key", folder / "signed")
        assert (folder / "signed").read_bytes() == older
        assert (folder / "signed.leaves").stat().st_size == 66 * 32
        assert not list(folder.glob(".signed*"))
    edit(folder, "UPDATE stored_events SET state = '{}' WHERE position = 65")
    with opened(folder) as servers:
        (problem,) = servers.ledger.verify(folder / "signed", [folder / "key"]).problems
    assert str(problem) == "65 altered"


def test_it_never_takes_the_place_of_something_else(folder: Path, tmp_path: Path) -> None:
    with Servers.open("memory:") as others:
        others.ledger.checkpoint(tmp_path / "their key", tmp_path / "theirs")
    theirs = (tmp_path / "theirs").read_bytes()
    with opened(folder) as servers:
        with pytest.raises(InvalidInput, match=r"^out: .*theirs is a checkpoint of serverdomain/"):
            servers.ledger.checkpoint(folder / "key", tmp_path / "theirs")
        for name in ("key", "cloud.db", "signed.leaves"):
            content = (folder / name).read_bytes()
            with pytest.raises(InvalidInput, match="^key: " if name == "key" else "^out: "):
                servers.ledger.checkpoint(folder / "key", folder / name)
            assert (folder / name).read_bytes() == content
        with pytest.raises(InvalidInput, match=r"out: .*cannot be written"):
            servers.ledger.checkpoint(folder / "key", folder / "none" / "signed")
        with pytest.raises(InvalidInput, match=r"out: .*Is a directory"):
            servers.ledger.checkpoint(folder / "key", folder)
    assert (tmp_path / "theirs").read_bytes() == theirs


def test_a_log_that_grows_while_it_is_read_is_read_as_it_was(folder: Path) -> None:
    with opened(folder) as servers, opened(folder) as meanwhile:
        grown = []

        def grow(done: int, events: int) -> None:
            assert done == events
            meanwhile.rename(SERVERS[0], f"grown {len(grown)}")
            grown.append(1)

        verdict = servers.ledger.verify(folder / "signed", [folder / "key"], grow)
        assert grown
        assert (verdict.problems, verdict.events, verdict.uncovered) == ((), 65, 0)
        made = servers.ledger.checkpoint(folder / "key", folder / "later", grow)
        assert made.checkpoint.size == 66
        verdict = servers.ledger.verify(folder / "signed", [folder / "key"])
        assert (verdict.events, verdict.uncovered) == (67, 2)


def test_it_is_verified_with_any_of_the_keys_and_with_no_other(folder: Path) -> None:
    with opened(folder) as servers:
        servers.ledger.checkpoint(folder / "new key", folder / "later")
        old, new = folder / "key.pub", folder / "new key.pub"
        for signed in ("signed", "later"):
            assert servers.ledger.verify(folder / signed, [old, new]).problems == ()
        with pytest.raises(Unproven, match="bears no signature"):
            servers.ledger.verify(folder / "later", [old])
        with pytest.raises(Unproven, match="bears no signature"):
            servers.ledger.verify(folder / "later", [])
        altered = (folder / "signed").read_bytes().replace(b"\n65\n", b"\n64\n")
        (folder / "altered").write_bytes(altered)
        with pytest.raises(Unproven, match="altered, or forged"):
            servers.ledger.verify(folder / "altered", [old])


def test_without_the_leaves_the_roots_are_compared_and_what_came_later_is_counted(
    folder: Path,
) -> None:
    (folder / "signed.leaves").unlink()

    def verified() -> tuple[list[str], int]:
        with opened(folder) as servers:
            verdict = servers.ledger.verify(folder / "signed", [folder / "key"])
        assert (verdict.unlocated is not None) == bool(verdict.problems)
        return [str(problem) for problem in verdict.problems], verdict.uncovered

    with opened(folder) as servers:
        servers.rename(SERVERS[0], "another")
    assert verified() == ([], 1)
    edit(folder, "UPDATE stored_events SET state = '{}' WHERE position = 3")
    assert verified() == (["1-65 altered"], 1)
    edit(folder, "DELETE FROM stored_events WHERE position > 60")
    problems, uncovered = verified()
    assert (problems[0], uncovered) == ("1-60 removed: at least 5 of 65 events", 0)
    edit(folder, "DELETE FROM stored_events")
    assert verified()[0][0] == "- removed: at least 65 of 65 events"


def test_what_is_no_checkpoint_is_refused_by_the_name_under_which_it_came(folder: Path) -> None:
    key = folder / "key"
    (folder / "empty").write_bytes(b"")
    with opened(folder) as servers:
        for wrong in (folder / "empty", folder / "none", folder / "cloud.db"):
            for field, asked in (
                ("checkpoint", partial(servers.ledger.verify, wrong, [key])),
                ("checkpoint", partial(servers.ledger.prove, 1, wrong)),
                ("old", partial(servers.ledger.consistency, wrong, folder / "signed")),
                ("new", partial(servers.ledger.consistency, folder / "signed", wrong)),
            ):
                with pytest.raises(InvalidInput, match=f"^{field}: "):
                    asked()
        for path, why in (
            (folder / "none", "No such file or directory"),
            ("a\0b", "embedded null byte"),
        ):
            with pytest.raises(InvalidInput) as refused:
                servers.ledger.verify(path, [key])
            says = f"checkpoint: {str(path)!r} cannot be read ({why}), a checkpoint is allowed"
            assert str(refused.value) == says
    for wrong in (b"", b"\xff", b"\x00", b"text\n\n\n", b"text\n\nline\n"):
        with pytest.raises(InvalidInput, match=r"^checkpoint: "):
            Checkpoint.read(wrong)


def test_a_ledger_is_there_even_if_nothing_happened_yet() -> None:
    with Servers.open("memory:") as servers:
        assert len(servers.ledger) == 0
        assert servers.ledger


def test_a_checkpoint_of_another_log_is_told_from_an_edited_one(
    folder: Path, tmp_path: Path
) -> None:
    with Servers.open("memory:") as others:
        verdict = others.ledger.verify(folder / "signed", [folder / "key"])
    assert any("the checkpoint is of" in str(problem) for problem in verdict.problems)


def test_every_event_is_proved_to_whoever_has_the_public_key(folder: Path) -> None:
    key = folder / "key.pub"
    leaves = list(independent.leaves_of_store(folder / "cloud.db").items())
    with opened(folder) as servers:
        for rank in (0, 1, 31, 32, 63, 64):
            position, leaf = leaves[rank]
            proof = servers.ledger.prove(position, folder / "signed")
            checked = check_proof(proof, [key])
            assert isinstance(checked, Included)
            assert (checked.rank, checked.event["position"]) == (rank, position)
            signed, index, proved = independent.included(proof, key.read_bytes())
            assert (signed.size, index, proved) == (65, rank, leaf)
    assert checked.event["state"] == b"\x00\xff"
    assert checked.event["kind"] is None


def test_a_proof_without_the_leaves_is_the_same(folder: Path) -> None:
    with opened(folder) as servers:
        servers.rename(SERVERS[0], "another")
        servers.ledger.checkpoint(folder / "key", folder / "later")
        seen: list[tuple[int, int]] = []
        proofs = (
            servers.ledger.prove(7, folder / "signed"),
            servers.ledger.consistency(folder / "signed", folder / "later"),
        )
        for leaves in folder.glob("*.leaves"):
            leaves.unlink()
        again = (
            servers.ledger.prove(7, folder / "signed", lambda *told: seen.append(told)),
            servers.ledger.consistency(folder / "signed", folder / "later"),
        )
        assert again == proofs
        assert seen == [(65, 65)]


def test_so_it_is_of_a_log_that_is_read_in_many_pages(tmp_path: Path) -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted(SERVERS[0]))
        servers.record(SERVERS[0], [ServerRenamed(str(number)) for number in range(5000)])
        servers.ledger.checkpoint(tmp_path / "key", tmp_path / "signed")
        proof = servers.ledger.prove(5000, tmp_path / "signed")
        for name in ("another", "a third"):
            verdict = servers.ledger.verify(tmp_path / "signed", [tmp_path / "key"])
            assert (verdict.problems, verdict.events - verdict.uncovered) == ((), 5001)
            servers.rename(SERVERS[0], name)
        (tmp_path / "signed.leaves").unlink()
        assert servers.ledger.prove(5000, tmp_path / "signed") == proof
        seen: list[tuple[int, int]] = []
        verdict = servers.ledger.verify(
            tmp_path / "signed", [tmp_path / "key"], lambda *told: seen.append(told)
        )
        assert (verdict.problems, verdict.events, verdict.uncovered) == ((), 5003, 2)
        assert seen == sorted(set(seen))
        assert seen[-1] == (5001, 5001)


def test_what_is_not_covered_or_not_there_is_not_proved(folder: Path) -> None:
    with opened(folder) as servers:
        servers.rename(SERVERS[0], "another")
        with pytest.raises(
            Conflict, match="position 66 came after the checkpoint, which covers 65"
        ):
            servers.ledger.prove(66, folder / "signed")
        for position in (0, 67, -1, 2**63 - 1, 2**63, -(2**70)):
            with pytest.raises(NotFound, match=f"no event stands at position {position}"):
                servers.ledger.prove(position, folder / "signed")
    edit(folder, "UPDATE stored_events SET state = '{}' WHERE position = 3")
    with opened(folder) as servers:
        servers.ledger.prove(4, folder / "signed")
        with pytest.raises(Unproven, match="position 3 is not as the checkpoint covers it"):
            servers.ledger.prove(3, folder / "signed")
        (folder / "signed.leaves").unlink()
        with pytest.raises(Unproven, match="does not hold the 65 events"):
            servers.ledger.prove(4, folder / "signed")
    edit(folder, "DELETE FROM stored_events WHERE position > 60")
    with (
        opened(folder) as servers,
        pytest.raises(Unproven, match="does not hold the 65 events"),
    ):
        servers.ledger.prove(4, folder / "signed")


def test_a_checkpoint_goes_on_from_an_older_one_or_from_none(folder: Path) -> None:
    key = folder / "key.pub"
    with opened(folder) as servers:
        servers.rename(SERVERS[0], "another")
        servers.ledger.checkpoint(folder / "key", folder / "later")
        proof = servers.ledger.consistency(folder / "signed", folder / "later")
        checked = check_proof(proof, [key])
        assert isinstance(checked, Consistent)
        assert (checked.old.size, checked.new.size) == (65, 66)
        assert [one.size for one in independent.consistent(proof, key.read_bytes())] == [65, 66]
        check_proof(servers.ledger.consistency(folder / "signed", folder / "signed"), [key])
        with pytest.raises(InvalidInput, match="the older one comes first"):
            servers.ledger.consistency(folder / "later", folder / "signed")

        # Somebody with the key signs another history.
        forged = folder / "forged"
        shutil.copytree(folder, forged, ignore=shutil.ignore_patterns("signed*", "url"))
        edit(forged, "UPDATE stored_events SET state = '{}' WHERE position = 3")
        with opened(forged) as theirs:
            theirs.ledger.checkpoint(forged / "key", forged / "signed")
        with pytest.raises(Unproven, match="does not go on from"):
            servers.ledger.consistency(folder / "signed", forged / "signed")
    with Servers.open("memory:") as others:
        others.ledger.checkpoint(folder / "key", folder / "theirs")
        with pytest.raises(InvalidInput, match="a checkpoint of serverdomain/"):
            others.ledger.consistency(folder / "signed", folder / "theirs")


def test_what_was_refused_is_covered_like_any_event(folder: Path) -> None:
    with opened(folder) as servers:
        with pytest.raises(Refused):
            servers.stop(SERVERS[0], Context(Actor("reader", "openstack", ("reader",)), "req-no"))
        servers.ledger.checkpoint(folder / "key", folder / "later")
        checked = check_proof(servers.ledger.prove(66, folder / "later"), [folder / "key.pub"])
    assert isinstance(checked, Included)
    assert checked.event["topic"] == "serverdomain:CommandRefused:1"
    assert (checked.event["refused"], checked.event["request_id"]) == (1, "req-no")
    edit(folder, "UPDATE commands SET user_id = 'nobody' WHERE refused = 1")
    with opened(folder) as servers:
        (problem,) = servers.ledger.verify(folder / "later", [folder / "key"]).problems
    assert str(problem) == "66 altered"


def test_openssl_alone_can_check_the_signature(sqlite_folder: Path) -> None:
    """docs/ledger-spec.md asks for nothing that is ours."""
    folder = sqlite_folder
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    from base64 import b64decode

    whole = (folder / "signed").read_text("utf-8")
    text, _, line = whole.rpartition("\n\n")
    (folder / "text").write_text(f"{text}\n", "utf-8")
    (folder / "sig").write_bytes(b64decode(line.split()[-1])[4:])
    asked = "openssl pkeyutl -verify -pubin -inkey key.pub -rawin -in text -sigfile sig"
    run = subprocess.run(asked.split(), cwd=folder, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in run.stdout, run.stderr


def test_a_log_may_be_called_anything_that_a_checkpoint_can_say(sqlite_folder: Path) -> None:
    edit(sqlite_folder, "UPDATE log SET log_id = 'X-1'")
    with opened(sqlite_folder) as servers:
        made = servers.ledger.checkpoint(sqlite_folder / "key", sqlite_folder / "later")
    assert made.checkpoint.origin == "serverdomain/X-1"


def test_a_log_whose_tables_are_gone_is_damaged_and_no_surprise(sqlite_folder: Path) -> None:
    folder = sqlite_folder
    for log_id in ("two words", "more+words", "\u00e9", "a\x01b", "a\nb"):
        edit(folder, f"UPDATE log SET log_id = '{log_id}'")
        with opened(folder) as servers, pytest.raises(StoreDamaged, match="the log's id"):
            servers.ledger.checkpoint(folder / "key", folder / "later")
    edit(
        folder,
        "ALTER TABLE stored_events RENAME TO gone",
        "CREATE TABLE stored_events AS SELECT * FROM gone",
        "UPDATE stored_events SET position = 'x' WHERE position = 3",
    )
    with opened(folder) as servers, pytest.raises(StoreDamaged, match="no number any more"):
        servers.ledger.verify(folder / "signed", [folder / "key"])


def test_checking_a_proof_imports_nothing_of_the_store(folder: Path) -> None:
    with opened(folder) as servers:
        (folder / "proof").write_bytes(servers.ledger.prove(3, folder / "signed"))
    asked = (
        "import sys\n"
        "from pathlib import Path\n"
        "from serverdomain.audit.ledger import check_proof\n"
        "print(check_proof(Path('proof').read_bytes(), ['key.pub']).event['position'])\n"
        "print(*sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", asked], cwd=folder, capture_output=True, text=True, check=True
    )
    position, modules = run.stdout.splitlines()
    assert position == "3"
    loaded = modules.split()
    assert "serverdomain.audit.ledger.proof" in loaded
    assert [name for name in loaded if name.startswith(STORE)] == []


STORE = ("serverdomain.store", "serverdomain.servers", "eventsourcing", "sqlite_utils")


def test_a_checkpoint_says_the_same_when_it_is_read_again(filled: Path) -> None:
    whole = (filled / "signed").read_bytes()
    assert Checkpoint.read(whole).whole == whole
    run = (filled / "signed.leaves").read_bytes()
    assert Checkpoint.read(whole).root == merkle.root_of(run, 0, 65)
