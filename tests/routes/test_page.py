"""The page of routes is what the table of routes and the tests say."""

from __future__ import annotations

import re

import pytest

from tests.house.imports import ROOT
from tests.routes.page import PAGE, TESTS, names, page, said, those_that_show
from tests.routes.recording import record


def test_every_route_has_a_row_and_no_other_has() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == names()
    assert set(said()) == set(names())


def test_what_is_said_of_a_route_stands_in_its_row() -> None:
    rows = {row.split("`")[1]: row for row in PAGE.read_text("utf-8").splitlines() if "| `" in row}
    for name, told in said().items():
        assert f"| {told.nova} | {told.ours} |" in rows[name]
        for one in told.shown_by:
            assert f"`{one}`" in rows[name]
            assert (ROOT / TESTS / one.partition("::")[0]).is_file()


def test_a_route_that_no_test_saw_is_no_row() -> None:
    with pytest.raises(AssertionError, match="asked for it"):
        page({})


@pytest.mark.slow
def test_the_page_is_what_the_tests_show() -> None:
    assert PAGE.read_text("utf-8") == page(record(those_that_show())), "make routes writes it anew"
