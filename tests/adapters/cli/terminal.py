"""The command as a person or a script uses it: within this process, or in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

SERVER_ID = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
OLD_IMAGE = "0b4c3a2d-6a1e-4f0e-9d3b-8c7f6e5d4c3b"
NEW_IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
PASSWORD = "seekr3t"


class Terminal(io.StringIO):
    """A stdout that is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Ran(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self.err
        return json.loads(self.out)

    @property
    def server(self) -> dict[str, Any]:
        server = self.json["server"]
        assert isinstance(server, dict)
        return server

    @property
    def complaint(self) -> str:
        """The one line on stderr, without its beginning."""
        line = self.err.removesuffix("\n")
        assert line.startswith("serverdomain: "), self.err
        assert line.isprintable(), self.err
        return line.removeprefix("serverdomain: ")


def environment(**more: str) -> dict[str, str]:
    """This process's, without settings of ours."""
    ours = {name: value for name, value in os.environ.items() if "SERVERDOMAIN" not in name}
    return ours | {"LOGNAME": "fake"} | more


def process(*arguments: str, folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run ``python -m serverdomain`` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "serverdomain", *arguments],
        **{"capture_output": True, "env": environment()} | options,
        cwd=folder,
        text=True,
        check=False,
    )
