"""The ways through the house stay short, and the house does not grow unnoticed."""

import re
import subprocess
import sys

from tests.house.circles import circles
from tests.house.counting import Way, code_lines, long_functions
from tests.house.imports import ROOT

LIMITS = {
    # Of the writer's four, one raises what came, one waits for its turn, one leads, and one has
    # each command of a batch accepted, now and wherever it is decided anew.
    "frames from Servers.rebuild to decisions._rebuild": 9,
    # Two of them remember servers within a bound in bytes, and one tells text that is no UTF-8.
    # A command is left to a thread: its way there is three, and the loop wakes once for many.
    # The app itself is one: it sends a call past the control's router. Where the log ends is known
    # from the transaction before.
    "files that a rebuild by POST enters": 40,
    # A history goes on from what is remembered, in pages, and each row is read before it is used.
    # Members of the document are shown by functions, in its order: images between two times.
    "changes of file in a rebuild by POST": 113,
    "files of more than 200 lines that it enters, domain's apart": 0,
    "files that a list one event behind enters": 20,
    # Many pages may be written together: it is asked whether this one is enough. A page that is
    # folded asks once for the servers before it, of whoever has them.
    "changes of file in a list one event behind": 66,
    "circles of modules": 0,
    "files that import sqlite3 and are no home of it": 0,
    "lines of code": 33_000,
    "lines of the median file": 100,
    "functions of more than 40 lines": 0,
}
"""The most that there may be of what `counting` counts; whoever needs more says here why."""


def test_nothing_is_longer_or_more_than_its_limit():
    # In a process of its own, where nothing else runs code of ours.
    run = subprocess.run(
        [sys.executable, "-m", "tests.house.counting"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=ROOT,
    )
    counted = {
        what: int(number.replace(",", ""))
        for number, what in re.findall(r"^ *([\d,]+)  (\S.*)$", run.stdout, re.MULTILINE)
    }
    assert list(counted) == list(LIMITS)
    assert {what: number for what, number in counted.items() if number > LIMITS[what]} == {}, (
        run.stdout
    )


def test_a_change_of_file_is_counted_in_each_thread_from_its_first_file_on():
    way = Way({1: ["a.py", "a.py", "b.py", "a.py"], 2: ["a.py"]}, [])
    assert way.changes == 4
    assert way.files == ["a.py", "b.py"]


def test_modules_that_reach_each_other_are_a_circle():
    imports = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a", "e"}, "e": set()}
    assert circles(imports) == [["a", "b", "c"]]
    assert circles(imports | {"e": {"d"}}) == [["a", "b", "c"], ["d", "e"]]
    assert circles(imports | {"c": set()}) == []


def test_a_line_of_code_is_no_comment_and_no_docstring(tmp_path):
    path = tmp_path / "one.py"
    path.write_text(
        '"""Intent\n\nof two lines."""\n\n# why\nA = 1  # so many\n"""Explains A."""\n\n\n'
        'def f(\n    a,\n):\n    """Docstring."""\n    return """\nb\n"""\n',
        "utf-8",
    )
    assert code_lines(path) == 8


def test_a_long_function_is_found(tmp_path):
    path = tmp_path / "one.py"
    path.write_text(
        "def f():\n" + 39 * "    1\n" + "\n\nasync def g():\n" + 40 * "    1\n", "utf-8"
    )
    assert list(long_functions(path)) == ["one.py:43 g 41"]
