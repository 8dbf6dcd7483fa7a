"""Each extra alone brings all that its uses need.

``extras/NAME.md`` uses what an extra promises, ``extras/none.md`` what needs none. Each is run in
an environment that has the extra and no other, and here, quickly, where nothing else is imported.
"""

from __future__ import annotations

import os
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.house.imports import ROOT
from tests.house.pages import EXTRAS, PROJECT, run
from tests.installed.conftest import Install

LONG = ("notebooks", "docs")
PAGES = Path(__file__).parent / "extras"


def page(extra: str) -> Path:
    return PAGES / f"{extra or 'none'}.md"


@pytest.mark.slow
@pytest.mark.parametrize("extra", ["", *EXTRAS])
def test_an_extra_alone_is_enough_in_an_environment_of_its_own(
    extra: str, install: Install, tmp_path: Path
) -> None:
    programs = install(extra)
    # The notebooks come with a clone, not with the wheel.
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    run(page(extra), tmp_path, PATH=path, HOME=str(tmp_path), CLONE=str(ROOT))


@pytest.mark.parametrize("extra", ["", *(extra for extra in EXTRAS if extra not in LONG)])
def test_an_extra_alone_is_enough_where_nothing_else_is_imported(
    extra: str, tmp_path: Path
) -> None:
    hidden = set(packages_distributions()) - modules(extra) - {"serverdomain"}
    (tmp_path / "hiding").mkdir()
    (tmp_path / "hiding/sitecustomize.py").write_text(HIDING.format(hidden=hidden), "utf-8")
    run(
        page(extra),
        tmp_path,
        PYTHONPATH=str(tmp_path / "hiding"),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",  # Other packages bring some.
    )


HIDING = """\
import sys


class Hiding:
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in {hidden}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Hiding)
"""


def test_what_is_hidden_is_all_that_the_extra_does_not_bring() -> None:
    assert {"starlette", "typer", "rich", "msgspec"} <= modules("http")
    assert modules("cli") & {"starlette", "cryptography", "hypothesis", "matplotlib"} == set()


def modules(extra: str) -> set[str]:
    """What can be imported where the library is installed with an extra, or with none."""
    found: set[tuple[str, str]] = set()
    ours = [Requirement(one) for one in PROJECT["dependencies"]]
    following = [("serverdomain", extra)]
    while following:
        one = name, wanted = following.pop()
        if one in found:
            continue
        found.add(one)
        if name == "serverdomain":
            asked = PROJECT["optional-dependencies"].get(wanted, [])
            requirements = [*ours, *map(Requirement, asked)]
        else:
            requirements = [*map(Requirement, distribution(name).requires or ())]
        for requirement in requirements:
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted}):
                following += [(requirement.name, more) for more in ("", *requirement.extras)]
    installed = {_plain(name) for name, _ in found}
    return {
        module
        for module, distributions in packages_distributions().items()
        if installed & {_plain(name) for name in distributions}
    }


def _plain(name: str) -> str:
    return name.lower().replace("_", "-")
