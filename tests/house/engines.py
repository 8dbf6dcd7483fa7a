"""Who knows SQLite: the engines' folders, and those who keep files of their own beside the log."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.imports import imports_of, module_of, python_files

ENGINES = ("serverdomain.store.sqlite", "serverdomain.store.postgresql")
"""A folder for each engine."""

FILES_OF_THEIR_OWN = {
    "serverdomain.projections.view_file": "opens the file of a view, and knows damage from absence",
    "serverdomain.projections.view_place": "finds the file of a view, or makes it",
    "serverdomain.projections.view_owner": "reads in the file of a view whose it is",
    "serverdomain.projections.generations": "keeps a view's tables side by side in its file",
    "serverdomain.projections.following": "writes what the log says into them",
    "serverdomain.projections.kept_rows": "says what a view does with a connection to its file",
    "serverdomain.projections.server_rows": "writes and reads the rows of the server view",
    "serverdomain.projections.server_query": "asks them",
    "serverdomain.projections.timeline_rows": "writes the rows of the timeline",
    "serverdomain.projections.timeline": "reads them",
    "serverdomain.audit.check": "reads the file of a view that may be damaged",
    "serverdomain.audit.check_timeline": "compares the rows in it with the log",
    "serverdomain.audit.check_view": "compares the rows in it with the log",
    "serverdomain.audit.keyframes": "keeps rows of the fleet in files of its own",
    "serverdomain.audit.fleet": "reads these where they lie, in a database in memory",
}
"""Who imports `sqlite3` outside an engine's folder, and why."""

_TABLES = "stored_events|commands|reactions|log"
_SQL = re.compile(
    rf"\b(?:FROM|INTO|UPDATE|JOIN|TABLE|ON)\s+(?:\{{schema\}}\.)?(?:{_TABLES})\b|^stored_events$"
)


def is_of_an_engine(module: str) -> bool:
    return any(f"{module}.".startswith(f"{engine}.") for engine in ENGINES)


def at_home_with_sqlite3(module: str) -> bool:
    """Whether a module may import `sqlite3`."""
    return is_of_an_engine(module) or module in FILES_OF_THEIR_OWN


def importing_sqlite3() -> list[str]:
    """The modules that import `sqlite3`, for types, too."""
    return [
        module_of(path)
        for path in python_files("src")
        if any(one.package == "sqlite3" for one in imports_of(path))
    ]


def entering_engines() -> list[str]:
    """The modules outside an engine's folder that import what lies in it."""
    return [
        module
        for path in python_files("src")
        if not is_of_an_engine(module := module_of(path))
        and any(is_of_an_engine(one.module) for one in imports_of(path))
    ]


def naming_tables() -> list[str]:
    """The modules that hold SQL over the log's tables."""
    return [module_of(path) for path in python_files("src") if any(sql_of(path))]


def sql_of(path: Path) -> Iterator[str]:
    """What of a file's strings is SQL over the log's tables; its docstrings are none."""
    tree = ast.parse(path.read_text("utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from _SQL.findall(node.value)
