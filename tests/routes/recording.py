"""A pytest plugin that notes which test that passed was answered what, on which route.

It reads the endpoint's own access log, so a test does not say what it shows: it shows it.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.house.imports import ROOT

Shown = dict[str, dict[str, list[int]]]
"""Of each route, by the test: the statuses that it was answered with."""


class Recording(logging.Handler):
    """Notes the calls of one test, and keeps them if it passes."""

    def __init__(self, file: Path) -> None:
        super().__init__(logging.INFO)
        self._file = file
        self._calls: list[tuple[str, int]] = []
        self._shown: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))

    def emit(self, record: logging.LogRecord) -> None:
        route, status = getattr(record, "route", None), getattr(record, "status", None)
        if route is not None and status is not None:
            self._calls.append((route, status))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        access = logging.getLogger("serverdomain.access")
        level = access.level
        access.setLevel(logging.INFO)
        access.addHandler(self)
        self._calls.clear()
        try:
            yield
        finally:
            access.removeHandler(self)
            access.setLevel(level)
        # Nothing was raised: it passed.
        for route, status in self._calls:
            self._shown[route][item.nodeid].add(status)

    def pytest_sessionfinish(self) -> None:
        shown = {
            route: {test: sorted(statuses) for test, statuses in sorted(tests.items())}
            for route, tests in sorted(self._shown.items())
        }
        self._file.write_text(json.dumps(shown, indent=1), "utf-8")


def record(tests: list[str]) -> Shown:
    """Run tests, which must all pass, in a process of their own; gives what they showed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shown.json"
        command = [sys.executable, "-m", "tests.routes.recording", file, *tests]
        done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(f"the tests that show the routes do not pass\n{done.stdout}")
        shown: Shown = json.loads(file.read_text("utf-8"))
        return shown


if __name__ == "__main__":
    into, *asked = sys.argv[1:]
    arguments = ["-q", "-p", "no:cacheprovider", *asked]
    sys.exit(pytest.main(arguments, plugins=[Recording(Path(into))]))
