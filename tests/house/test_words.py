"""The house style, as far as it can be asked of a file."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.house.imports import ROOT, python_files

# In brackets, so that this file does not hold what it looks for.
OF_ONE_MACHINE = {
    "a package registry": r"(py[p]i|python[h]osted|ana[c]onda|np[m]js)\.(org|com)",
    "an address to download from": r"\w+://\S+\.(wh[l]|tar\.\w+|zi[p])|gi[t]\+|-inde[x]-url",
    "a path of one machine": r"(?<![\w.}])/(tm[p]|roo[t]|wor[k]|hom[e]/\w+|User[s]/\w+)/",
}
UNNAMED_CONCEPTS = {"utils", "util", "helpers", "helper", "base", "common", "manager", "managers"}


def committed() -> list[Path]:
    asked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    files = [ROOT / name for name in asked.stdout.split("\0") if name]
    if not files:
        pytest.skip("not a clone: git knows no files here")
    return [path for path in files if path.is_file()]


@pytest.mark.parametrize("what", OF_ONE_MACHINE)
def test_no_committed_file_holds(what: str) -> None:
    pattern = re.compile(OF_ONE_MACHINE[what])
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in committed()
        # What was recorded elsewhere stays as it was recorded.
        if not path.is_relative_to(ROOT / "tests/data")
        and (found := pattern.search(path.read_text("utf-8", errors="replace")))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a package registry", "simple = https://py" + "pi.org/simple"),
        ("an address to download from", "https://example.com/a/b.wh" + "l"),
        ("an address to download from", "pip install --inde" + "x-url x"),
        ("a path of one machine", "cd /tm" + "p/clone"),
    ],
)
def test_the_search_finds(what: str, text: str) -> None:
    assert re.search(OF_ONE_MACHINE[what], text)


def test_every_module_opens_with_its_intent() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in python_files("src", "benchmarks")
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_every_file_is_named_for_a_concept() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in python_files("src", "tests", "benchmarks")
        if UNNAMED_CONCEPTS & set(path.stem.split("_")) or path.parent.name in UNNAMED_CONCEPTS
    ]
    assert wrong == []
