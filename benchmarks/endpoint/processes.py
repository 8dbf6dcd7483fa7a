"""Servers as processes of their own, all on one core, while who asks them has the other."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_AVAILABLE = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
CORES = (_AVAILABLE[0], _AVAILABLE[1]) if len(_AVAILABLE) > 1 else None
"""The core of the servers and that of the callers; ``None`` where they cannot be kept apart."""

PORT = re.compile(r"(?:127\.0\.0\.1:|starting on )(\d+)")
ENOUGH = 60
"""Seconds after which a server has not started."""


@contextmanager
def on_the_servers_core() -> Iterator[None]:
    """What runs here, or begins here, runs on the core of the servers; afterwards on the other."""
    if CORES is None:
        yield
        return
    os.sched_setaffinity(0, {CORES[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, {CORES[1]})


class Process:
    """A server that says on which port it listens, and logs into a file as anybody's would."""

    def __init__(self, command: Sequence[str | Path], folder: Path) -> None:
        with on_the_servers_core(), (folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.port = self._port()

    def _port(self) -> int:
        assert self._process.stdout is not None
        too_late = threading.Timer(ENOUGH, self._process.kill)
        too_late.start()
        try:
            for line in self._process.stdout:
                if found := PORT.search(line):
                    # Whatever it says from now on must not fill the pipe.
                    self._reading = threading.Thread(target=self._process.stdout.read, daemon=True)
                    self._reading.start()
                    return int(found[1])
        finally:
            too_late.cancel()
        self._process.stdout.close()
        raise RuntimeError(f"it ended before it listened: {self._process.args!r}")

    def close(self) -> None:
        """End it, and wait until it has."""
        self._process.terminate()
        try:
            self._process.wait(ENOUGH)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._reading.join(ENOUGH)
        self._process.stdout.close()
