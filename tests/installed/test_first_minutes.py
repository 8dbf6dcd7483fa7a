"""Each reader's first five minutes, in an empty folder, with the wheel and one extra installed.

``first_minutes/READER.md`` is what the reader types. The run says how many commands that are, and
how long they and the installation before them took.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.house.imports import ROOT
from tests.house.pages import blocks, commands, run
from tests.installed.conftest import Install

PAGES = Path(__file__).parent / "first_minutes"
INSTALLED = {
    "anybody": ("cli",),
    "service": ("",),
    "auditor": ("audit",),
    "client": ("clients", "pytest"),
    "teacher": ("notebooks",),
}
"""What each reader installs: an extra, and the pytest that a reader has."""


@pytest.mark.slow
@pytest.mark.parametrize("reader", INSTALLED)
def test_the_first_five_minutes_of(
    reader: str, install: Install, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = PAGES / f"{reader}.md"
    begun = time.monotonic()
    programs = install(*INSTALLED[reader])
    installed = time.monotonic()
    run(
        page,
        tmp_path,
        PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
        HOME=str(tmp_path),
        CLONE=str(ROOT),  # The notebooks come with a clone, not with the wheel.
    )
    count = sum(
        len(commands(block))
        for block in blocks(page.read_text("utf-8"))
        if block.language == "console"
    )
    seconds = time.monotonic() - installed
    with capsys.disabled():
        print(
            f"\n{reader}: {count} commands in {seconds:.0f} s, "
            f"after {installed - begun:.0f} s of installing"
        )


def test_there_is_a_page_for_each_reader() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == set(INSTALLED)
