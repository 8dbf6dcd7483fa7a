"""Circles of modules that import each other, lazily or for type checkers alone, too."""

from collections.abc import Mapping, Set

from tests.house.imports import imports_of, module_of, python_files


def imported() -> dict[str, set[str]]:
    """What each module of ours imports of ours."""
    modules = {module_of(path): path for path in python_files("src")}
    return {
        module: {
            one.module for one in imports_of(path) if one.module in modules and one.module != module
        }
        for module, path in modules.items()
    }


def circles(imports: Mapping[str, Set[str]]) -> list[list[str]]:
    """The sets of modules of which each is reached from each."""
    reached = {module: _reached(module, imports) for module in imports}
    found = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in imports
        if module in reached[module]
    }
    return [list(circle) for circle in sorted(found)]


def _reached(module: str, imports: Mapping[str, Set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = set(imports[module])
    while ahead:
        reached |= ahead
        ahead = {one for module in ahead for one in imports[module]} - reached
    return reached
