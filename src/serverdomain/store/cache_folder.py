"""Where what is made from a log lies that is only read: in a cache of the user's own.

It is ``serverdomain`` in ``$XDG_CACHE_HOME`` (``~/.cache``), a folder for each log and file. All of
it can be removed at any time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

MOST = 2 * 1024**3
"""Bytes that may lie there when a log is opened; the folders unused for longest go first."""

_OTHERS = 0o077


def caches_of(log_id: str, log: Path) -> Path | None:
    """The path beside which lies what is made from a log in a file.

    ``None`` where there is no folder that this user alone may write.
    """
    key = hashlib.sha256(f"{log_id}\n{os.path.realpath(log)}".encode("utf-8", "surrogateescape"))
    try:
        home = _home()
        folder = home / key.hexdigest()[:32]
        home.parent.mkdir(parents=True, exist_ok=True)
        for one in (home, folder):
            one.mkdir(mode=0o700, exist_ok=True)
            _require_ours(one)
        os.utime(folder)
        _throw_away(home)
        folder.mkdir(mode=0o700, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder / log.name


def _home() -> Path:
    given = os.environ.get("XDG_CACHE_HOME", "")
    # Where it is not absolute it is to be overlooked, the specification says.
    return (Path(given) if os.path.isabs(given) else Path.home() / ".cache") / "serverdomain"


def _require_ours(folder: Path) -> None:
    found = folder.stat()
    if hasattr(os, "getuid") and found.st_uid != os.getuid():
        raise PermissionError(f"{folder} is another user's")
    if found.st_mode & _OTHERS:
        folder.chmod(0o700)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written")


def _throw_away(home: Path) -> None:
    folders = sorted(home.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
    held = 0
    for folder in folders:
        held += sum(_sizes(folder))
        if held > MOST:
            shutil.rmtree(folder, ignore_errors=True)


def _sizes(folder: Path) -> Iterator[int]:
    for found in folder.rglob("*"):
        try:
            yield found.stat().st_size
        except OSError:
            continue  # Another process has removed it.
