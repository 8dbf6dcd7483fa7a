"""How soon something answers: a process that is started, or the fixture of a test."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from benchmarks.endpoint import bare
from benchmarks.endpoint.mimic import Mimic
from benchmarks.endpoint.processes import Process
from benchmarks.endpoint.rivals import serve
from benchmarks.environment import MIMIC
from benchmarks.measure import Round
from benchmarks.ours import Ours


class Start:
    """A process that is started, asked once, and ended."""

    def __init__(self, name: str, start: Callable[[], Process | Mimic], path: str) -> None:
        self.name = name
        self._start = start
        self._path = path

    def ask(self, number: int) -> Round:
        """Start it, and wait for an answer, whatever it is."""
        began = time.perf_counter()
        process = self._start()
        try:
            urllib.request.urlopen(
                f"http://127.0.0.1:{process.port}{self._path}", timeout=60
            ).close()
        except urllib.error.HTTPError as answered:
            answered.close()
        took = time.perf_counter() - began
        process.close()
        return Round(took * 1e3, [took])

    def close(self) -> None:
        """Nothing is left running."""


class Fixture:
    """The endpoint that the pytest fixture gives, made in a process that has begun already."""

    name = "the fixture, once pytest runs"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(self, number: int) -> Round:
        """Make it, and wait for an answer."""
        from serverdomain.testing.compute_endpoint import ComputeEndpoint

        began = time.perf_counter()
        with ComputeEndpoint(self._folder) as endpoint:
            urllib.request.urlopen(f"{endpoint.url}/v2.1/servers", timeout=60).close()
            took = time.perf_counter() - began
        return Round(took * 1e3, [took])

    def close(self) -> None:
        """Nothing is left running."""


def endpoint(folder: Path) -> Start:
    """Our own endpoint."""
    return Start(
        Ours.name, lambda: Process(serve(folder / "s.db"), folder), "/v2.1/openstack/servers"
    )


def hello(folder: Path) -> Start:
    """starlette's."""
    document = folder / "answer.json"
    document.write_text("{}", "utf-8")
    command: list[str | Path] = [sys.executable, bare.__file__, document]
    return Start("starlette hello-world", lambda: Process(command, folder), "/")


def mimic(folder: Path) -> Start:
    """mimic, if it is there."""
    MIMIC.program("twistd")
    return Start("mimic 2.2.0", lambda: Mimic(folder), "/identity/v2.0")
