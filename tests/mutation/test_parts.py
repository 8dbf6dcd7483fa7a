"""The parts name what is there, and the list names what the parts change."""

import re
import tomllib

import pytest

from tests.mutation.asked import functions, of_the_list, of_the_types
from tests.mutation.outside_functions import ROOT
from tests.mutation.parts import IN_NO_PART, PARTS, ROOMS, TABLES
from tests.mutation.survivors import LIST, Reason, Survivor, not_asked, reasons


@pytest.mark.parametrize("part", [*PARTS, TABLES], ids=lambda part: part.name)
def test_a_part_names_files_that_are_there(part):
    for below, names in (("src/serverdomain", part.sources), ("tests", part.tests + part.without)):
        for name in names:
            assert list((ROOT / below).glob(name.partition("::")[0])), name


def test_a_source_belongs_to_one_part():
    sources = [
        path
        for part in PARTS
        for name in part.sources
        for path in (ROOT / "src/serverdomain").glob(name)
    ]
    assert len(sources) == len(set(sources))


def test_a_module_of_these_rooms_is_in_a_part_or_says_why_not():
    below = ROOT / "src/serverdomain"
    there = {path for room in ROOMS for path in below.glob(f"{room}/**/*.py")}
    named = {path for part in PARTS for one in part.sources for path in below.glob(one)}
    assert {str(path.relative_to(below)) for path in there - named} == set(IN_NO_PART)
    assert all(IN_NO_PART.values())


def test_the_list_has_tables_for_parts_alone():
    named = {part.name for part in (*PARTS, TABLES)} | {"not-asked"}
    assert set(tomllib.loads(LIST.read_text("utf-8"))) <= named


@pytest.mark.parametrize("part", [*PARTS, TABLES], ids=lambda part: part.name)
def test_a_reason_is_of_lines_that_are_still_there(part):
    sources = [path for name in part.sources for path in (ROOT / "src/serverdomain").glob(name)]
    lines = {line.strip() for path in sources for line in path.read_text("utf-8").splitlines()}
    for reason in reasons(part.name):
        if reason.change is not None:
            gone = {line[2:] for line in reason.change.splitlines() if line.startswith("- ")}
            assert gone <= lines, reason


def is_not_asked(before, after):
    return any(re.fullmatch(pattern, f"- {before}\n+ {after}") for pattern in not_asked())


def test_the_wording_of_a_message_is_not_asked_and_nothing_else_of_a_text():
    assert is_not_asked('raise Lost("a word came", name)', 'raise Lost("XXa word cameXX", name)')
    assert is_not_asked('"A word came",', '"a word came",')
    assert is_not_asked('execute("SELECT a FROM b")', 'execute("select a from b")')
    assert not is_not_asked('execute("SELECT a FROM b")', 'execute("XXSELECT a FROM bXX")')
    assert not is_not_asked('found["name"]', 'found["XXnameXX"]')
    assert not is_not_asked('found["name"]', 'found["NAME"]')
    assert not is_not_asked('raise Lost("a word came", name)', 'raise Lost("a word came", None)')


MUTATED = """
def x_half__mutmut_orig(of):
    return of // 2

def x_half__mutmut_1(of):
    return of * 2

def x_half__mutmut_2(of):
    return of // None
"""


def test_what_the_types_notice_is_left_to_them_unless_the_original_is_as_wrong():
    def error(line, message):
        return {"file": "half.py", "line": line, "severity": "error", "message": message}

    wrapped, wrong = error(3, "wrapped"), error(9, "no operand")
    errors = [wrapped, error(6, "wrapped"), wrong]
    assert of_the_types(list(functions(MUTATED)), errors) == {8: {"message": "the types"}}


def test_what_the_list_leaves_out_is_found_among_the_mutants():
    mutated = MUTATED.replace("of * 2", 'of // 2, "A word"').replace(
        "return of // 2\n\ndef x_half__mutmut_1", 'return of // 2, "a word"\n\ndef x_half__mutmut_1'
    )
    found = of_the_list(list(functions(mutated)), mutated.splitlines())
    assert found == {5: {"message": "the list"}}


def test_a_reason_excuses_its_change_in_its_place_and_nothing_else():
    one = Survivor("a.b", "- x\n+ y")
    assert Reason("a.b", "- x\n+ y", None).excuses(one)
    assert Reason("a.b", None, "^- x").excuses(one)
    assert not Reason("a.b", "- x\n+ z", None).excuses(one)
    assert not Reason("a.c", None, "^- x").excuses(one)
    assert not Reason("a.b", None, "^- y").excuses(one)
