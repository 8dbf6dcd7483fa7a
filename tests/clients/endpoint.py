"""`serverdomain serve` as its users run it: a process of its own on a free port."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

URL = re.compile(r"http://127\.0\.0\.1:\d+")
ENOUGH = 60
"""Seconds after which a start or an end has failed, so that nothing waits for ever."""


class Endpoint(NamedTuple):
    """Where it listens, its process, and the file that it logs to."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    def logged(self) -> str:
        return self.log.read_text("utf-8")


@contextmanager
def served(*options: str, log: Path) -> Iterator[Endpoint]:
    """Start the endpoint, and end it as an operator would; it must end well."""
    command = [sys.executable, "-m", "serverdomain", "serve", "--port", "0", *options]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            env=without_settings(),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Endpoint(_url_said(process, log), process, log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(ENOUGH) == 0, log.read_text("utf-8")
        finally:
            process.kill()
            process.communicate()


def without_settings(**more: str) -> dict[str, str]:
    """The environment without what it says of stores and clouds, and with what is told here."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SERVERDOMAIN", "OS_"))
    }
    return kept | more


def _url_said(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    too_late = threading.Timer(ENOUGH, process.kill)
    too_late.start()
    try:
        for line in process.stdout:
            if found := URL.search(line):
                return found[0]
    finally:
        too_late.cancel()
    raise AssertionError(f"it ended before it said where it listens: {log.read_text('utf-8')}")
