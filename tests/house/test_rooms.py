"""Imports run one way through the house, and a framework stays in its room."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import serverdomain
from tests.house.imports import ROOT, Import, imports_of, module_of, python_files

ROOMS = (
    "errors",
    "domain",
    "store",
    "projections",
    "audit",
    "servers",
    "simulation",
    "analysis",
    "adapters",
    "testing",
)
"""From left to right: a room is entered from itself and from those right of it."""

OF_THE_HOUSE = python_files("src")
# They name their modules in tables, so that nothing loads until a name is asked for.
RESOLVING = {
    "serverdomain",
    "serverdomain.adapters.compute_json",
    "serverdomain.analysis",
    "serverdomain.testing",
}


def room_of(module: str) -> str:
    """The room that a module of ours lies in; of the public names, that of the facade."""
    parts = module.split(".")
    if len(parts) == 1:
        return "servers"
    return "adapters" if parts[1] == "__main__" else parts[1]


def told(path: Path, one: Import) -> str:
    return f"{path.relative_to(ROOT)}:{one.line} imports {one.module}"


def test_every_module_lies_in_a_room_of_the_house() -> None:
    rooms = {room_of(module_of(path)) for path in OF_THE_HOUSE}
    assert rooms == set(ROOMS)


def test_a_room_is_entered_only_from_itself_or_from_the_right() -> None:
    wrong = [
        told(path, one)
        for path in OF_THE_HOUSE
        if (importer := module_of(path)) != "serverdomain"
        for one in imports_of(path)
        if one.package == "serverdomain"
        and ROOMS.index(room_of(one.module)) > ROOMS.index(room_of(importer))
    ]
    assert wrong == []


def test_the_rule_sees_lazy_imports_those_for_types_and_those_by_name(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from serverdomain.store import accept\n"
        "def lazy():\n    import serverdomain.servers\n"
        "    importlib.import_module('serverdomain.audit')\n    import_module(name)\n",
        "utf-8",
    )
    assert imports_of(path) == [
        Import("typing", 1, top_level=True, for_types=False),
        Import("serverdomain.store.accept", 3, top_level=True, for_types=True),
        Import("serverdomain.servers", 5, top_level=False, for_types=False),
        Import("serverdomain.audit", 6, top_level=False, for_types=False),
        Import("<name>", 7, top_level=False, for_types=False),
    ]


def test_a_module_is_imported_by_a_name_that_can_be_read() -> None:
    wrong = [
        told(path, one)
        for path in OF_THE_HOUSE
        if module_of(path) not in RESOLVING
        for one in imports_of(path)
        if one.module.startswith("<")
    ]
    assert wrong == []


def test_the_domain_knows_msgspec_and_the_standard_library_alone() -> None:
    allowed = {"serverdomain", "msgspec", *sys.stdlib_module_names}
    wrong = [
        told(path, one)
        for path in python_files("src/serverdomain/domain")
        for one in imports_of(path)
        if one.package not in allowed
    ]
    assert wrong == []


def test_eventsourcing_is_known_to_the_store_and_to_what_compares_with_it() -> None:
    at_home = ("src/serverdomain/store", "tests/store", "tests/oracle", "notebooks", "benchmarks")
    wrong = [
        told(path, one)
        for path in [*python_files("src", "tests"), *ROOT.glob("*.py")]
        if not path.is_relative_to(ROOT / "tests/house")
        and not any(path.is_relative_to(ROOT / home) for home in at_home)
        for one in imports_of(path)
        if one.package == "eventsourcing"
    ]
    assert wrong == []


def _packages(requirements: list[str]) -> set[str]:
    names = {requirement.split(">")[0].split("[")[0] for requirement in requirements}
    modules = packages_distributions()
    # What is not installed here is imported under the name that it is installed by, and a
    # distribution may write its own name in capitals.
    there = {module for module, those in modules.items() if names & {one.lower() for one in those}}
    return there | names


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
# pydantic is released with one core and documents errors as that core's.
ALWAYS_THERE = {*_packages(PROJECT["dependencies"]), "pydantic_core"}
WITH_EXTRA = {
    extra: _packages(requirements)
    for extra, requirements in PROJECT["optional-dependencies"].items()
    if extra not in ("dev", "all", "everything")
}
ROOM_OF_EXTRA = {
    "analysis": "serverdomain.analysis",
    "audit": (
        "serverdomain.audit",
        "serverdomain.adapters.cli",
        "serverdomain.adapters.audit_page",
    ),
    "bus": "serverdomain.adapters.incoming",
    "cadf": "serverdomain.adapters.exchange",
    "cli": "serverdomain.adapters.cli",
    "clients": ("serverdomain.testing", "serverdomain.adapters.incoming"),
    "cloudevents": "serverdomain.adapters.exchange",
    "http": ("serverdomain.adapters.http", "serverdomain.adapters.audit_page"),
    "notebooks": "serverdomain.adapters.charts",
    "incoming": "serverdomain.adapters.incoming",
    "postgres": "serverdomain.store.postgresql",
    "testing": "serverdomain.testing",
}


def test_whatever_is_imported_is_declared_and_an_extra_stays_in_its_room() -> None:
    wrong = []
    for path in OF_THE_HOUSE:
        # Which Python brings from 3.14 on.
        allowed = {"serverdomain", "compression", *sys.stdlib_module_names, *ALWAYS_THERE}
        for extra, room in ROOM_OF_EXTRA.items():
            if module_of(path).startswith(room):
                allowed |= WITH_EXTRA[extra]
        wrong += [
            told(path, one)
            for one in imports_of(path)
            if not one.for_types and not one.module.startswith("<") and one.package not in allowed
        ]
    assert wrong == []


@pytest.mark.parametrize(
    "statement",
    ["import serverdomain", "import serverdomain.testing", "from serverdomain import *"],
)
def test_what_loads_when_a_fresh_process_runs(statement: str) -> None:
    asked = f"import sys; {statement}; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT
    )
    heavy = {"eventsourcing", "msgspec", "pydantic", "sqlite_utils", "typer", "rich", "pytest"}
    loaded = heavy & set(run.stdout.split())
    if statement.endswith("*"):
        assert {"msgspec", "eventsourcing"} <= loaded, "the question finds what is loaded"
    else:
        assert loaded == set()


@pytest.mark.parametrize("package", ["serverdomain", "serverdomain.testing"])
def test_the_public_names_are_those_that_type_checkers_see(package: str) -> None:
    module = sys.modules.get(package) or __import__(package, fromlist=["__all__"])
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text("utf-8"))
    seen = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.If)
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert seen == set(module.__all__)
    assert len(module.__all__) == len(seen), "no name stands there twice"
    assert set(module.__all__) <= set(dir(module))
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.parametrize("name", serverdomain.__all__)
def test_a_public_name_says_what_it_is(name: str) -> None:
    thing = getattr(serverdomain, name)
    documented = type(thing) if name == "SYSTEM" else thing
    # A dataclass or Struct without a docstring would show its own signature.
    assert documented.__doc__
    assert not documented.__doc__.startswith(f"{documented.__name__}(")
    for member, value in vars(documented).items():
        if callable(value) and not member.startswith("_"):
            assert value.__doc__, f"{name}.{member}"
