"""Mutants of what mutmut does not see, for it changes the bodies of functions alone.

That is the tables of the fold, the decisions and the lifecycle, with their lambdas, and the guards
in SQL.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.mutation.changes import change_between
from tests.mutation.parts import Part
from tests.mutation.survivors import Survivor

ROOT = Path(__file__).parents[2]


class Mutant(NamedTuple):
    """A file's text with one change in it; ``change`` tells which, as a diff's lines."""

    path: str
    text: str
    change: str


TESTS = {
    "src/serverdomain/domain/server.py": [
        "tests/domain/test_server.py",
        "tests/domain/test_decisions.py",
    ],
    "src/serverdomain/domain/decisions.py": ["tests/domain/test_decisions.py"],
    "src/serverdomain/domain/lifecycle.py": ["tests/domain/test_lifecycle.py"],
    "src/serverdomain/store/sqlite/schema.py": [
        "tests/store/test_schema.py",
        "tests/store/test_recorder.py",
        "tests/store/test_sqlite_store.py::TestInMemory",
    ],
}
"""Which of a part's tests have to notice a mutant of a file."""


def survivors(_: Part, children: int) -> tuple[Counter[str], list[Survivor]]:
    """How many mutants were killed and how many survived, and those."""
    everyone = list(mutants())
    with ThreadPoolExecutor(children) as workers:
        for path, tests in TESTS.items():
            sound = Mutant(path, (ROOT / path).read_text("utf-8"), "")
            broken = Mutant(path, "raise AssertionError", "")
            assert not _is_noticed(sound), f"{tests} fail without any change"
            assert _is_noticed(broken), f"{tests} do not run the changed {path}"
        noticed = list(workers.map(_is_noticed, everyone))
    print()
    pairs = zip(everyone, noticed, strict=True)
    found = [Survivor(mutant.path, mutant.change) for mutant, seen in pairs if not seen]
    return Counter(killed=len(everyone) - len(found), survived=len(found)), found


def _is_noticed(mutant: Mutant) -> bool:
    with TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "src", folder, dirs_exist_ok=True)
        Path(folder, *Path(mutant.path).parts[1:]).write_text(mutant.text, "utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow"]
            + TESTS[mutant.path],
            cwd=ROOT,
            env={
                **os.environ,
                "HYPOTHESIS_PROFILE": "mutants",
                "PYTHONPATH": folder,
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    print("." if run.returncode else "S", end="", flush=True)
    return run.returncode != 0


def mutants() -> Iterator[Mutant]:
    for path in ("domain/server.py", "domain/decisions.py", "domain/lifecycle.py"):
        yield from _of_tables(f"src/serverdomain/{path}")
    yield from _of_sql("src/serverdomain/store/sqlite/schema.py")


def _of_tables(path: str) -> Iterator[Mutant]:
    """Each entry of a module's dicts dropped, each constant in them changed, each choice made."""
    source = (ROOT / path).read_text("utf-8")
    for statement in ast.parse(source).body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values, strict=True):
                    yield _changed(path, source, _entry(source, key, value), "")
                    if isinstance(value, ast.Constant):
                        yield _changed(path, source, _span(source, value), "'XX'")
            elif isinstance(node, ast.IfExp):
                for choice in (node.body, node.orelse):
                    after = ast.unparse(choice)
                    yield _changed(path, source, _span(source, node), after)


def _span(source: str, node: ast.expr) -> tuple[int, int]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = starts[node.lineno - 1] + node.col_offset
    return start, starts[node.end_lineno - 1] + node.end_col_offset


def _entry(source: str, key: ast.expr | None, value: ast.expr) -> tuple[int, int]:
    # What is spread out has no key and two stars. An entry ends with its comma, and with the
    # bracket that may stand around its value.
    start, end = _span(source, value)
    start = start - len("**") if key is None else _span(source, key)[0]
    end += re.match(r"[\s)]*,?", source[end:]).end()  # type: ignore[union-attr]
    return start, end


_SQL = (
    (r"\bNOT NULL\b", ""),
    (r"\bAUTOINCREMENT\b", ""),
    (r"(?<!,\n        )CHECK \((?:[^()]|\([^()]*\))*\)", ""),
    (r",\s+(?:CHECK|UNIQUE) \([^()]*\)", ""),
    (r"CREATE UNIQUE INDEX", "CREATE INDEX"),
    (r" WHERE refused = 0\"", '"'),
    (r'"CREATE (?:UNIQUE )?INDEX [^"]*",', ""),
    (r"SELECT RAISE\(.*?;", "SELECT 1;"),
    (r"(?<=WHERE )NEW\.\S+ (?:<>|=) \S+\s+AND ", ""),
    (r"\s+AND NEW\.\w+ <= [^;]*(?=;)", ""),
    (r" AND refused = 0(?=\s)", ""),
    (r"\bMAX\b", "MIN"),
    (r"\+ 1 FROM", "FROM"),
    (r"<=", "<"),
    (r" < ", " <= "),
    (r"\bDESC\b", "ASC"),
    (r"CASE WHEN .*? END", "NEW.originator_version"),
    (r"CASE WHEN .*? END", "1"),
    (r"WHERE originator_id = NEW\.originator_id", ""),
    (r"WHERE request_id = NEW\.request_id AND", "WHERE"),
    (r'\("stored_events", "commands", "log"\)', '("commands", "log")'),
    (r'\("stored_events", "commands", "log"\)', '("stored_events", "log")'),
    (r'\("stored_events", "commands", "log"\)', '("stored_events", "commands")'),
    (r'\("UPDATE", "DELETE"\)', '("DELETE",)'),
    (r'\("UPDATE", "DELETE"\)', '("UPDATE",)'),
)
"""What may be weaker in a schema, as patterns and what takes their place."""


def _of_sql(path: str) -> Iterator[Mutant]:
    source = (ROOT / path).read_text("utf-8")
    functions = source.index("\ndef ")
    for pattern, after in _SQL:
        found = list(re.finditer(pattern, source[:functions], re.DOTALL))
        assert found, f"{pattern} weakens nothing: the schema has changed"
        yield from (_changed(path, source, one.span(), after) for one in found)


def _changed(path: str, source: str, span: tuple[int, int], after: str) -> Mutant:
    start, end = span
    changed = source[:start] + after + source[end:]
    return Mutant(path, changed, change_between(source.splitlines(), changed.splitlines()))
