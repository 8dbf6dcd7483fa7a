"""What CONTRIBUTING.md names is there: files, targets, tests, and the commands of a morning."""

from __future__ import annotations

import re
from pathlib import Path

from tests.house.imports import ROOT
from tests.house.pages import TARGETS, run

PAGE = ROOT / "CONTRIBUTING.md"
TEXT = PAGE.read_text("utf-8")
IN_THE_HOUSE = ROOT / "src/serverdomain"


def test_every_file_that_it_names_is_there() -> None:
    named = re.findall(r"`((?:\w[\w.-]*/)+[\w.-]*)`", TEXT)
    # A name in capitals stands for one that the contributor chooses.
    named = [name for name in named if not re.search(r"[A-Z]{4}", name)]
    assert len(named) > 25
    missing = [
        name for name in named if not (ROOT / name).exists() and not (IN_THE_HOUSE / name).exists()
    ]
    assert missing == []


def test_every_target_that_it_names_is_there() -> None:
    named = re.findall(r"`make ([a-z-]+)`", TEXT)
    named += re.findall(r"^make (\S+)$", TEXT, re.MULTILINE)
    table = re.search(r"\| changed \| make \|\n\|---\|---\|\n((?:\|.*\n)+)", TEXT)
    assert table is not None
    named += [
        name
        for row in table[1].splitlines()
        for name in re.findall(r"`([a-z-]+)`", row.split("|")[2])
    ]
    assert len(named) > 10
    assert sorted({*named} - {*TARGETS}) == []


def test_its_commands_run(tmp_path: Path) -> None:
    run(PAGE, ROOT, TMPDIR=str(tmp_path))


def test_a_link_leads_to_a_file() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(targets) > 4
    assert [target for target in targets if not (ROOT / target).exists()] == []
