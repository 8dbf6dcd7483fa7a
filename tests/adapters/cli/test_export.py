"""`export`, `import log` and `digest`, at a prompt."""

from __future__ import annotations

import gzip
from pathlib import Path

from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import SERVER_ID


def test_a_log_goes_out_and_comes_back_with_its_id_and_its_digest(registered: Command) -> None:
    assert registered("lock", SERVER_ID).code == 0
    assert registered("export", "log.jsonl") == (
        0,
        "log.jsonl has 2 new lines, up to position 2\n",
        "",
    )
    assert registered("import", "log", "log.jsonl", "--store", "copy.db") == (
        0,
        "2 of 2 events imported, 0 were there; the log ends at position 2\n",
        "",
    )
    told = registered("digest", "--recorded").out
    assert registered("digest", "--recorded", "--store", "copy.db").out == told
    assert told.startswith("sha256:")
    assert told.endswith(" 2 events up to position 2\n")
    key = ("--key", "audit.key")
    assert registered("ledger", "checkpoint", *key, "--out", "signed").code == 0
    signed = ("--checkpoint", "signed", "--key", "audit.key.pub")
    assert registered("ledger", "verify", *signed, "--store", "copy.db").code == 0
    assert registered("check", "--store", "copy.db").code == 0


def test_lines_go_to_stdout_and_come_from_stdin(registered: Command) -> None:
    lines = registered("export", "-").out
    ran = registered("import", "log", "-", "--store", "copy.db", "--json", stdin=lines.encode())
    assert ran.json == {
        "read": 1,
        "imported": 1,
        "repeated": 0,
        "position": 1,
        "same_id": True,
    }
    assert registered("export", "-", "--after", "1").out == ""
    assert registered("export", "-", "--json").code == 2


def test_a_packed_file_comes_back(registered: Command, folder: Path) -> None:
    assert registered("lock", SERVER_ID).code == 0
    lines = registered("export", "-").out.encode()
    packed = gzip.compress(lines)
    (folder / "log.jsonl.gz").write_bytes(packed)
    assert registered("import", "log", "log.jsonl.gz", "--store", "copy.db").code == 0
    assert registered("digest", "--store", "copy.db").out == registered("digest").out
    again = registered("import", "log", "-", "--store", "copy.db", stdin=packed)
    assert "0 of 2 events imported, 2 were there" in again.out


def test_what_stands_before_damage_in_a_packed_file_is_in(
    registered: Command, folder: Path
) -> None:
    first, second = registered("export", "-").out.encode(), b"x" * 100
    (folder / "log.jsonl.gz").write_bytes(gzip.compress(first) + gzip.compress(second)[:-20])
    code, _, err = registered("import", "log", "log.jsonl.gz", "--store", "copy.db")
    assert code == 2
    assert err.startswith("serverdomain: FILE: 'log.jsonl.gz' ends at byte")
    assert registered("digest", "--store", "copy.db").out == registered("digest").out


def test_an_export_is_told_as_json(registered: Command) -> None:
    assert registered("export", "log.jsonl", "--json").json == {
        "export": "log.jsonl",
        "format": "log",
        "lines": 1,
        "after": 0,
        "position": 1,
    }
    whole = registered("digest", "--json").json
    assert whole.keys() == {"sha256", "events", "position"}
    assert registered("digest", "--until", "1", "--json").json == whole


def test_a_log_with_an_id_of_its_own_keeps_it_and_says_so(registered: Command) -> None:
    assert registered("export", "log.jsonl").code == 0
    assert registered("store", "init", "copy.db").code == 0
    ran = registered("import", "log", "log.jsonl", "--store", "copy.db")
    assert ran.out.splitlines()[1:] == [
        "the log has an id of its own, so that older checkpoints are not of it"
    ]


def test_what_is_wrong_is_told_in_a_line(registered: Command) -> None:
    Path("notes").write_text("mine", "utf-8")
    for arguments, code, why in (
        (("export", "notes"), 2, "FILE: 'notes' holds something else than an export"),
        (("export", "-", "--after", "2"), 1, "position 2 came, the log ends at position 1"),
        (("digest", "--until", "2"), 1, "position 2 came, the log ends at position 1"),
        (("import", "log", "notes"), 2, "line 1: it has no end"),
        (("import", "log", "nowhere"), 2, "FILE: 'nowhere' cannot be read: No such file"),
        (("import", "log", "notes", "--read-only"), 3, "nothing can be imported"),
        (("export", "-", "--store", "none.db"), 3, "there is no store at"),
    ):
        ran = registered(*arguments)
        assert (ran.code, ran.out) == (code, ""), arguments
        assert why in ran.complaint
    assert not Path("none.db").exists()
