"""Processes of callers on one file, begun together, whose notes are read as they come."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.house.imports import ROOT

from .calls import Call


class Process:
    """A process of callers; once it has made so many notes, something is done to it."""

    def __init__(
        self,
        url: str,
        name: str,
        threads: int,
        steps: int,
        then: Mapping[int, Callable[[Process], None]] | None = None,
    ) -> None:
        self._then = then or {}
        self.notes = 0
        self.has_ended = False
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.linear.callers", url, name, str(threads), str(steps)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
        )
        assert self._popen.stdout is not None
        self._out = self._popen.stdout

    def begin(self) -> None:
        """Let it begin, once it is ready."""
        pickle.load(self._out)
        assert self._popen.stdin is not None
        self._popen.stdin.write(b"\n")
        self._popen.stdin.flush()

    def signal(self, number: int) -> None:
        self._popen.send_signal(number)

    def calls(self) -> list[Call]:
        """What its callers noted, to its end: of each call the last."""
        noted: dict[tuple[str, int], Call] = {}
        try:
            while True:
                one: Call = pickle.load(self._out)
                noted[one.who, one.began] = one
                self.notes += 1
                if self.notes in self._then:
                    self._then[self.notes](self)
        except (EOFError, pickle.UnpicklingError):
            self.has_ended = True
        _, errors = self._popen.communicate()
        assert errors == b"", errors.decode()
        return list(noted.values())


def calls_of(processes: Sequence[Process]) -> list[Call]:
    """Let all of them begin, and give back what their callers noted."""
    for process in processes:
        process.begin()
    with ThreadPoolExecutor(len(processes)) as readers:
        return [one for calls in readers.map(Process.calls, processes) for one in calls]
