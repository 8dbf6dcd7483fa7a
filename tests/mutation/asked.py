"""Which mutants no test has to be asked about: what the types notice, and what no test must.

mutmut calls this where it would call mypy, in the folder of a part with all its mutants, and reads
what mypy would print: an error for each mutant that is not to be tried.
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.mutation.changes import change_between
from tests.mutation.survivors import not_asked


class Function(NamedTuple):
    """A function of a mutated file: the ``original``, or a mutant of it."""

    original: str
    name: str
    first: int
    last: int


def main() -> None:
    errors = list(_type_errors(sys.argv[2:]))
    for path in sorted({path for source in sys.argv[2:] for path in _files(source)}):
        text = path.read_text("utf-8")
        all_of_it = list(functions(text))
        told = of_the_types(all_of_it, [error for error in errors if Path(error["file"]) == path])
        told.update(of_the_list(all_of_it, text.splitlines()))
        for line, message in sorted(told.items()):
            print(json.dumps({"file": str(path), "line": line, "severity": "error"} | message))


def _files(source: str) -> list[Path]:
    return sorted(Path().glob(source)) if "*" in source else [Path(source)]


def _type_errors(sources: list[str]) -> Iterator[dict[str, str]]:
    files = [str(path) for source in sources for path in _files(source) if path.suffix == ".py"]
    asked = ["mypy", "--output", "json", "--no-warn-unused-ignores"]
    asked += ["--disable-error-code", "ignore-without-code", "--cache-dir", "../../.mypy_cache"]
    run = subprocess.run(
        [sys.executable, "-m", *asked, *files],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    yield from (json.loads(line) for line in run.stdout.splitlines() if line.startswith("{"))


def functions(text: str) -> Iterator[Function]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            original, mark, which = node.name.rpartition("__mutmut_")
            if mark:
                assert node.end_lineno is not None
                yield Function(original, which, node.lineno, node.end_lineno)


def of_the_types(
    functions: list[Function], errors: list[dict[str, str]]
) -> dict[int, dict[str, str]]:
    """Of the types: but not what an original says too, which mutmut's wrapping made unsound."""
    found = defaultdict(set)
    for error in errors:
        for one in functions:
            if error["severity"] == "error" and one.first <= int(error["line"]) <= one.last:
                found[one].add(error["message"])
    unsound: dict[str, set[str]] = defaultdict(set)
    for one, messages in found.items():
        if one.name == "orig":
            unsound[one.original] |= messages
    return {
        one.first: {"message": "the types"}
        for one, messages in found.items()
        if one.name != "orig" and messages - unsound[one.original]
    }


def of_the_list(functions: list[Function], lines: list[str]) -> dict[int, dict[str, str]]:
    patterns = list(not_asked())
    originals = {one.original: _lines(one, lines) for one in functions if one.name == "orig"}
    found = {}
    for one in functions:
        if one.name != "orig":
            change = change_between(originals[one.original], _lines(one, lines))
            if any(re.fullmatch(pattern, change) for pattern in patterns):
                found[one.first] = {"message": "the list"}
    return found


def _lines(one: Function, lines: list[str]) -> list[str]:
    return [line.replace(f"__mutmut_{one.name}", "") for line in lines[one.first - 1 : one.last]]


if __name__ == "__main__":
    main()
