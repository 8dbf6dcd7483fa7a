"""The engine on PostgreSQL needs nothing that others who speak its protocol lack."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.imports import python_files

ENGINE = "src/serverdomain/store/postgresql"
OPTIONAL = {"guards.py": ["plpgsql", "TRUNCATE"], "hints.py": ["LISTEN"]}
"""What is optional may need more, and each stands in a file of its own."""

FORBIDDEN = {
    "sequences": r"\bSEQUENCE\b|\bnextval\b|\b(?:BIG|SMALL)?SERIAL\b|\bGENERATED\b",
    "advisory locks": r"advisory",
    "LISTEN": r"\bLISTEN\b|\bNOTIFY\b|pg_notify",
    "plpgsql": r"plpgsql|\bCREATE (?:OR REPLACE )?(?:FUNCTION|PROCEDURE|TRIGGER)\b|\bDO \$",
    "TRUNCATE": r"\bTRUNCATE\b",
    "savepoints": r"\bSAVEPOINT\b",
    "LOCK TABLE": r"\bLOCK\s+(?:TABLE|\{schema\})|\bIN (?:\w+ )*(?:EXCLUSIVE|SHARE) MODE\b",
    "jsonb": r"jsonb",
}


def strings(path: Path) -> Iterator[str]:
    """A file's strings; its docstrings are prose."""
    tree = ast.parse(path.read_text("utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def needed(path: Path) -> list[str]:
    """What of the list a file's SQL needs."""
    text = "\n".join(strings(path))
    return [what for what, words in FORBIDDEN.items() if re.search(words, text, re.IGNORECASE)]


def test_the_sql_of_the_engine_on_postgres_needs_nothing_of_the_list() -> None:
    files = [path for path in python_files(ENGINE) if path.name not in OPTIONAL]
    assert len(files) > 10
    assert {path.name: found for path in files if (found := needed(path))} == {}


def test_what_is_optional_needs_no_more_of_it_than_it_says() -> None:
    optional = {path.name: path for path in python_files(ENGINE) if path.name in OPTIONAL}
    assert {name: needed(path) for name, path in optional.items()} == OPTIONAL


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("CREATE TABLE t (id BIGSERIAL)", "sequences"),
        ("SELECT nextval('s')", "sequences"),
        ("id bigint GENERATED ALWAYS AS IDENTITY", "sequences"),
        ("SELECT pg_advisory_xact_lock(1)", "advisory locks"),
        ("LISTEN events", "LISTEN"),
        ("SELECT pg_notify('events', '')", "LISTEN"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql", "plpgsql"),
        ("truncate {schema}.head", "TRUNCATE"),
        ("SAVEPOINT one", "savepoints"),
        ("LOCK TABLE {schema}.head", "LOCK TABLE"),
        ("LOCK {schema}.head IN EXCLUSIVE MODE", "LOCK TABLE"),
        ("state::jsonb", "jsonb"),
    ],
)
def test_what_is_on_the_list_is_found(sql: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        f'"""LISTEN and TRUNCATE are prose here."""\nSQL = f"""{sql} {{1}}"""\n', "utf-8"
    )
    assert needed(path) == [what]
