"""Every import of a Python file, wherever in it it stands, as a test can judge it.

Lazy ones inside functions and those for type checkers alone count like any other.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


class Import(NamedTuple):
    """One module that is imported; ``line`` says where, and who sees it there."""

    module: str
    line: int
    top_level: bool
    for_types: bool

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert found, folders
    return sorted(found)


def module_of(path: Path) -> str:
    """The name under which a file in ``src`` is imported."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> list[Import]:
    package = path.parent.relative_to(SOURCE).parts if path.is_relative_to(SOURCE) else ()
    return list(_walk(ast.parse(path.read_text("utf-8")), package, top_level=True, for_types=False))


def _walk(
    node: ast.AST, package: tuple[str, ...], *, top_level: bool, for_types: bool
) -> Iterator[Import]:
    for module in _imported(node, package):
        yield Import(module, getattr(node, "lineno", 0), top_level, for_types)
    lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    types = isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
    for child in ast.iter_child_nodes(node):
        yield from _walk(
            child, package, top_level=top_level and not lazy, for_types=for_types or types
        )


def _imported(node: ast.AST, package: tuple[str, ...]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            above = package[: len(package) - level + 1] if level else ()
            home = ".".join([*above, *filter(None, [module])])
            # "from serverdomain.store import queries" imports a module, not only its package.
            yield from (_module_or_name(home, alias.name) for alias in names)
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[argument, *_],
        ):
            # A name that is put together when it runs cannot be judged here: it is told as it is.
            named = isinstance(argument, ast.Constant)
            yield str(argument.value) if named else f"<{ast.unparse(argument)}>"


def _module_or_name(home: str, name: str) -> str:
    inner = SOURCE.joinpath(*home.split("."), name)
    return f"{home}.{name}" if inner.is_dir() or inner.with_suffix(".py").exists() else home
