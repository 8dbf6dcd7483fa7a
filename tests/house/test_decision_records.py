"""The decision records in docs/adr: short, of one form, and each held to by tests that exist."""

import ast
import re
from pathlib import Path

import pytest

from tests.house.imports import ROOT

LIST = ROOT / "docs/adr/README.md"
RECORDS = sorted(path for path in LIST.parent.glob("*.md") if path != LIST)
HEADINGS = ["Context", "Decision", "Consequences", "Confirmed by"]
MOST_WORDS = 285
"""About 250 and the headings; marks, and the tests that it names, do not count."""

each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.stem)


def test_no_two_records_have_one_number() -> None:
    numbers = [record.name[:5] for record in RECORDS]
    assert all(re.fullmatch(r"\d{4}-", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert len(RECORDS) >= 11


@each_record
def test_a_record_has_its_title_and_four_parts(record: Path) -> None:
    text = record.read_text("utf-8")
    assert re.match(rf"# {int(record.name[:4])}\. \S.*\n", text)
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    parts = re.split(r"^## .*$", text, flags=re.MULTILINE)[1:]
    assert all(part.strip() for part in parts)


@each_record
def test_a_record_is_short(record: Path) -> None:
    text = record.read_text("utf-8").partition("## Confirmed by\n")[0]
    assert len(re.findall(r"\S*\w\S*", text)) <= MOST_WORDS


@each_record
def test_what_confirms_a_record_is_there(record: Path) -> None:
    named = re.findall(r"^[*-] `(\S+)`$", record.read_text("utf-8"), re.MULTILINE)
    assert named, "a record names at least one test"
    confirmed_by = record.read_text("utf-8").partition("## Confirmed by\n")[2]
    assert len(named) == len(confirmed_by.strip().splitlines()), "a test a line, and nothing else"
    missing = [name for name in named if not is_test(*name.split("::"))]
    assert missing == []


def is_test(path: str, *names: str) -> bool:
    """Whether a file has a test, a class of tests, or a test in a class, of that name."""
    if not (ROOT / path).is_file():
        return False
    inside: list[ast.stmt] = ast.parse((ROOT / path).read_text("utf-8")).body
    for name in names:
        found = [
            node
            for node in inside
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name
        ]
        if not found:
            return False
        inside = found[0].body
    return names[-1].startswith(("test_", "Test"))


def test_a_test_that_is_not_there_is_noticed() -> None:
    here = "tests/house/test_decision_records.py"
    assert is_test(here, "test_a_record_is_short")
    contract = "src/serverdomain/testing/store_contract.py"
    assert is_test(contract, "LogContract", "test_the_view_is_the_fold")
    assert not is_test(contract, "test_the_view_is_the_fold")
    assert not is_test(here, "test_a_record_is_long")
    assert not is_test(here, "is_test")
    assert not is_test("tests/house/test_nothing.py", "test_a_record_is_short")


def test_the_list_has_every_record_by_its_number_and_title() -> None:
    listed = re.findall(r"^(\d+)\. \[(.*)\]\((.*)\)$", LIST.read_text("utf-8"), re.MULTILINE)
    titles = [record.read_text("utf-8").splitlines()[0].removeprefix("# ") for record in RECORDS]
    assert [f"{number}. {title}" for number, title, _ in listed] == titles
    assert [name for _, _, name in listed] == [record.name for record in RECORDS]
