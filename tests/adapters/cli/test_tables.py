"""Tables fit the terminal, and are whole elsewhere."""

from __future__ import annotations

import sys

import pytest
from rich.cells import cell_len
from rich.text import Text

from serverdomain.adapters.cli.tables import say_table, shortened
from tests.adapters.cli.terminal import Terminal

IDS = ("075e40fe-9f03-4652-ba8e-5f8e2547899a", "70a599e0-31e7-49b7-b260-868f441e862b")
LIKE = "075e40fe-9f03-4652-ba8e-000000000000"
REQUEST = f"req-{IDS[0]}"
TIME = "2024-11-11T13:12:00.123456Z"


def printed(monkeypatch: pytest.MonkeyPatch, columns: int, *table: object, **how: object) -> str:
    """What a table prints on a terminal of so many columns, without its colours."""
    page = Terminal()
    monkeypatch.setattr(sys, "stdout", page)
    monkeypatch.setenv("COLUMNS", str(columns))
    say_table(*table, **how)  # type: ignore[arg-type]
    lines = Text.from_ansi(page.getvalue()).plain.splitlines()
    assert max(map(cell_len, lines)) <= columns, "no line is broken by the terminal"
    return "\n".join(lines)


def test_what_fits_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    table = ("id", "time"), [(IDS[0], TIME)]
    assert printed(monkeypatch, 65, *table).split() == ["id", "time", IDS[0], TIME]


def test_times_lose_their_parts_of_a_second_then_ids_their_ends_then_times_their_seconds_and_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def row(columns: int) -> list[str]:
        head = ("server", "request", "time")
        return printed(monkeypatch, columns, head, [(IDS[0], REQUEST, TIME)]).split()[3:]

    assert row(107) == [IDS[0], REQUEST, TIME]
    assert row(106) == [IDS[0], REQUEST, "2024-11-11T13:12:00Z"]
    assert row(99) == [IDS[0], "req-075e40fe", "2024-11-11T13:12:00Z"]
    assert row(71) == ["075e40fe", "req-075e40fe", "2024-11-11T13:12:00Z"]
    assert row(43) == ["075e40fe", "req-075e40fe", "2024-11-11T13:12Z"]
    assert row(40) == ["075e40fe", "req-075e40fe", "2024-11-11"]


def test_short_ids_stay_different(monkeypatch: pytest.MonkeyPatch) -> None:
    page = printed(monkeypatch, 30, ["id"], [(IDS[0],), (LIKE,), (IDS[1],)])
    assert page.split() == ["id", IDS[0][:25], LIKE[:25], IDS[1][:25]]


def test_text_is_shortened_in_the_middle_or_wrapped_between_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [("a-name-that-is-long", "backup, cost-center, env")]
    page = printed(monkeypatch, 30, ("name", "keys"), rows, wrapped=["keys"])
    assert page.splitlines() == [
        *("name            keys", "a-name-…s-long  backup,"),
        *(f"{'':16}cost-center,", f"{'':16}env"),
    ]


def test_numbers_stand_at_the_right_off_a_terminal_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_table(("what", "n", "share", "took"), [("a", 1, "5.0%", "-"), ("b", 100, "50.0%", "0:01")])
    assert capsys.readouterr().out == (
        "what    n  share  took\na       1   5.0%     -\nb     100  50.0%  0:01\n"
    )


def test_a_long_table_that_does_not_fit_is_a_record_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    table = ("id", "image", "n"), [(*IDS, 1), (*IDS[::-1], 20)]
    assert printed(monkeypatch, 78, *table, long=True).split("\n")[1] == f"{IDS[0]}  {IDS[1]}   1"
    assert printed(monkeypatch, 77, *table, long=True) == (
        f"id     {IDS[0]}\nimage  {IDS[1]}\nn      1\n\nid     {IDS[1]}\nimage  {IDS[0]}\nn      20"
    )


@pytest.mark.parametrize("columns", [12, 20, 40, 60])
def test_where_little_would_be_left_of_a_column_a_row_is_a_record_too(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    names = [f"column-{number}" for number in range(7)]
    row = [f"a value that is long {number}" for number in range(7)]
    page = printed(monkeypatch, columns, names, [row])
    assert page.startswith("column-0")
    assert "".join(page.split()) == "".join(
        f"{name}{value}".replace(" ", "") for name, value in zip(names, row, strict=True)
    )


def test_wide_characters_take_the_cells_that_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    page = printed(monkeypatch, 24, ("name", "n"), [("サーバー" * 9, 1), ("b", 2)])
    assert {cell_len(line) for line in page.splitlines()} == {24}
    assert shortened("サーバー", 5) == "サ…ー"


def test_text_is_shortened_to_any_width() -> None:
    assert [shortened("abcdefgh", width) for width in range(1, 10)] == [
        *("…", "a…", "a…h", "ab…h", "ab…gh", "abc…gh", "abc…fgh", "abcdefgh", "abcdefgh"),
    ]


def test_no_rows_are_a_head_alone(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("id", "name"), [])
    assert capsys.readouterr().out == "id  name\n"


def test_what_is_empty_is_a_hyphen(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("image", "now"), [("", 1)])
    assert capsys.readouterr().out.split() == ["image", "now", "-", "1"]
