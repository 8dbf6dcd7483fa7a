"""The pictures of the audit page in the docs, made by a browser.

With ``SCREENS=docs/screens`` in the environment they are made anew. What fonts make of a page
differs, so otherwise it is only tried that there is one of each, as large.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.browser.conftest import Many, Watched
from tests.house.imports import ROOT

FOLDER = ROOT / "docs/screens"
PAGE = (ROOT / "docs/audit-page.md").read_text("utf-8")


class Screen(NamedTuple):
    """A picture: of which place, how wide and high a screen shows it, and in which theme."""

    place: str
    width: int
    height: int
    theme: str


SCREENS = {
    "fleet-laptop-light": Screen("", 1440, 900, "light"),
    "server-laptop-dark": Screen("server?id={server}&row=30", 1440, 900, "dark"),
    "server-phone-light": Screen("server?id={server}&row=30", 390, 844, "light"),
    "compare-laptop-light": Screen("compare?id={server}", 1440, 900, "light"),
    "request-laptop-light": Screen("request?id={request}", 1440, 900, "light"),
    "rebuilds-laptop-dark": Screen("reports", 1440, 900, "dark"),
    "images-laptop-light": Screen("reports?show=images", 1440, 900, "light"),
    "metadata-phone-dark": Screen("reports?show=metadata", 390, 844, "dark"),
    "ledger-laptop-light": Screen("ledger?verify=yes", 1440, 900, "light"),
    "server-wall-light": Screen("server?id={server}&row=30", 2560, 1440, "light"),
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_picture_of_the_page(browser: Any, many: Many, name: str, tmp_path: Path):
    screen = SCREENS[name]
    watched = Watched(
        browser,
        color_scheme=screen.theme,
        viewport={"width": screen.width, "height": screen.height},
    )
    watched.page.goto(many.root + screen.place.format(**many.ids))
    watched.page.wait_for_load_state("load")
    folder = Path(os.environ.get("SCREENS", tmp_path))
    made = folder / f"{name}.png"
    watched.page.screenshot(path=made)
    watched.close()
    assert size(made) == size(FOLDER / f"{name}.png") == (screen.width, screen.height)


def test_every_picture_stands_in_the_page_with_words_for_who_does_not_see_it():
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(SCREENS)
    for name in SCREENS:
        before, _, _ = PAGE.partition(f"](screens/{name}.png)")
        assert before != PAGE, name
        assert len(before.rpartition("![")[2]) > 30, name


def size(picture: Path) -> tuple[int, int]:
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    return width, height
