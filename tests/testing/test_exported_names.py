"""What the package offers, and that loading it loads nothing that was not asked for."""

import subprocess
import sys

import pytest

from serverdomain import testing
from serverdomain.errors import ExtraMissing

HEAVY = ("eventsourcing", "msgspec", "pydantic", "pytest", "hypothesis", "sqlite_utils")


def fresh(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    return ran.stdout.strip() or ran.stderr.strip().splitlines()[-1]


def loaded_by(statement: str) -> str:
    return fresh(f"import sys; {statement}; print(*[m for m in {HEAVY} if m in sys.modules], '.')")


def test_every_name_offered_is_there() -> None:
    for name in testing.__all__:
        assert getattr(testing, name) is not None
    assert set(testing.__all__) <= set(dir(testing))


def test_a_name_that_is_not_offered_is_named() -> None:
    with pytest.raises(AttributeError, match=r"'serverdomain.testing' has no attribute 'nonsense'"):
        testing.nonsense  # noqa: B018


def test_loading_the_package_loads_nothing_else() -> None:
    assert loaded_by("import serverdomain.testing") == "."


def test_telling_scenarios_needs_neither_pytest_nor_hypothesis() -> None:
    assert loaded_by("from serverdomain.testing import given, ManualClock") == "msgspec ."


def test_without_hypothesis_the_strategies_name_the_extra() -> None:
    said = fresh(
        "import sys; sys.modules['hypothesis'] = None; import serverdomain.testing.strategies"
    )
    missing = ExtraMissing("serverdomain.testing.strategies", "hypothesis", "testing")
    assert said == f"serverdomain.errors.ExtraMissing: {missing}"
