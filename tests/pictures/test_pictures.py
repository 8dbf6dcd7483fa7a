"""The pictures in docs/pictures are what the commands print, and need nothing from elsewhere."""

from __future__ import annotations

import json
import re

import pytest
from rich.cells import cell_len
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.adapters.cli.test_documented import commands
from tests.house.imports import ROOT
from tests.pictures.commands import COLUMNS, FIRST, PICTURES, UNSEEN, pictures, printed
from tests.pictures.drawing import DARK, LIGHT, drawn

FOLDER = ROOT / "docs/pictures"
PAGE = (ROOT / "docs/cli.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int, str]]:
    return list(printed(tmp_path_factory.mktemp("pictures")))


@pytest.fixture(scope="module")
def anew(screens: list[tuple[str, int, str]]) -> dict[str, str]:
    return dict(pictures(screens))


def test_every_picture_is_what_its_command_prints(anew: dict[str, str]) -> None:
    there = {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()}
    assert there.keys() == anew.keys()
    other = sorted(name for name in anew if anew[name] != there[name])
    assert other == [], "make pictures draws them anew"


def test_every_command_has_a_picture_or_a_reason_for_none() -> None:
    lines = [picture.line for picture in PICTURES.values()]
    there = [words for words, _ in commands()]
    seen = {words for words in there if any(f"{line} ".startswith(f"{words} ") for line in lines)}
    assert sorted(seen | UNSEEN.keys()) == sorted(there)
    assert not seen & UNSEEN.keys()


def test_every_picture_stands_in_the_page_of_commands_at_both_widths() -> None:
    narrow, wide = COLUMNS
    assert sorted(re.findall(r"\(pictures/(\S+?)\)", PAGE)) == sorted(
        f"{name}-{columns}.svg" for name in PICTURES for columns in (narrow, wide)
    )


def test_a_picture_names_no_font_and_no_file() -> None:
    for path in FOLDER.iterdir():
        svg = path.read_text("utf-8")
        assert set(re.findall(r"font-family: (\S+);", svg)) <= {"monospace", "sans-serif"}
        assert "@" not in re.sub(r">[^<]*<", "><", svg)
        links = set(re.findall(r"\w+://[^\s\"&<]+", re.sub(r">[^<]*<", "><", svg)))
        assert links == {"http://www.w3.org/2000/svg"}


def test_what_a_terminal_would_break_is_broken_in_its_picture() -> None:
    svg = drawn("x", "a" * 25, 10)
    assert [len(line) for line in re.findall(r">(a+)<", svg)] == [10, 10, 5]


def test_the_readme_shows_a_history_on_the_ground_that_its_reader_prefers() -> None:
    name = "-".join(map(str, FIRST))
    (picture,) = re.findall(r"<picture>.*?</picture>", README, re.DOTALL)
    assert README.index(picture) < README.index("\n## ")
    dark, light = f'"docs/pictures/{name}.svg"', f'"docs/pictures/{name}-light.svg"'
    assert f'<source media="(prefers-color-scheme: dark)" srcset={dark}>' in picture
    assert re.search(f'<img src={light} alt="[^"]+">', picture)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=["dark", "light"])
def test_every_colour_can_be_read_on_the_ground(theme: TerminalTheme) -> None:
    def light(colour: tuple[int, int, int]) -> float:
        parts = [part / 255 for part in colour]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return sum(
            share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
        )

    ground = light(theme.background_color)
    for number in range(1, 16):
        seen = light(theme.ansi_colors[number])
        lighter, darker = max(seen, ground), min(seen, ground)
        assert (lighter + 0.05) / (darker + 0.05) > 4.5, number


def test_the_terminal_breaks_no_line(screens: list[tuple[str, int, str]]) -> None:
    broken = {
        (name, line)
        for name, columns, text in screens
        if not is_read_by_programs(name, text)
        for line in Text.from_ansi(text).plain.splitlines()
        # An error, or what is said beside the answer, is one line on stderr.
        if cell_len(line) > columns and not line.startswith("serverdomain: ")
    }
    assert broken == set()


def is_read_by_programs(name: str, text: str) -> bool:
    """Whether what was printed is JSON, CSV or commands of a shell, which are never wrapped."""
    if "--csv" in PICTURES[name].line:
        return True
    try:
        json.loads(text)
    except ValueError:
        return all(line.startswith("export ") for line in text.splitlines())
    return True
