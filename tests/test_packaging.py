import re
from importlib.metadata import metadata
from importlib.resources import files
from pathlib import Path

import pytest

import serverdomain

ROOT = Path(__file__).parent.parent


def test_the_package_ships_its_type_marker() -> None:
    assert files("serverdomain").joinpath("py.typed").is_file()


def test_the_package_says_its_version() -> None:
    assert serverdomain.__version__ == metadata("serverdomain")["Version"]
    assert "__version__" in dir(serverdomain)


def test_constraints_pin_versions_and_record_no_address() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert lines
    for line in lines:
        requirement = line.partition(" ; ")[0]
        assert re.fullmatch(r"[a-z0-9-]+==[a-z0-9.]+", requirement), line


@pytest.mark.slow
def test_the_oldest_python_is_the_one_the_constraints_are_made_for() -> None:
    assert metadata("serverdomain")["Requires-Python"] == ">=3.11"
    assert "--python-version 3.11" in (ROOT / "Makefile").read_text()
