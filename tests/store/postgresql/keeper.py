"""Runs a PostgreSQL server for as long as somebody holds a lock on a file, and removes it then.

A process of its own, ``python keeper.py PROGRAMS FOLDER USED``: whoever uses the server may be
killed at any moment, and a lock on ``USED`` goes with its process. It imports nothing of ours.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 60
"""How long a server may take to start."""

LOOK_AGAIN = 0.1
_SETTINGS = {
    # Nothing outlives the run, so nothing need reach the disk.
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "panic",
    # In its folder, with which it goes: elsewhere each end at once would leave some behind.
    "dynamic_shared_memory_type": "mmap",
}


def nobody() -> dict[str, Any]:
    """Whom a server runs as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    from pwd import getpwnam

    user = getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def keep(programs: Path, folder: Path, used: Path, *, synced: bool = False) -> None:
    """Start a server in ``folder``, and end it once nobody holds a lock on ``used``."""
    server: subprocess.Popen[bytes] | None = None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    # The lock is held to the very end: who comes then waits, and starts a server anew.
    with used.open() as file:
        try:
            found = reachable(programs, folder)
            make(found, folder / "data")
            server = _start(found, folder / "data", folder, synced)
            while not _unused(file.fileno()) and server.poll() is None:
                time.sleep(LOOK_AGAIN)
        finally:
            if server is not None and server.poll() is None:
                server.send_signal(signal.SIGQUIT)
                server.wait()
            shutil.rmtree(folder, ignore_errors=True)


def reachable(programs: Path, folder: Path) -> Path:
    """The programs where nobody may run them: a copy, if no other way leads there."""
    who = nobody()
    if not who:
        return programs
    os.chown(folder, who["user"], who["group"])
    try:
        subprocess.run([programs / "postgres", "--version"], **who, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        shutil.copytree(programs.parent, folder / "programs")
        return folder / "programs" / programs.name
    return programs


def make(programs: Path, data: Path) -> None:
    made = subprocess.run(
        [
            programs / "initdb",
            *("--pgdata", data, "--username=postgres", "--encoding=UTF8", "--locale=C"),
            *("--auth=trust", "--no-sync", "--no-instructions"),
        ],
        **nobody(),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if made.returncode:
        raise SystemExit(made.stdout.decode(errors="replace"))
    # Whom a test gives a password is asked for it.
    (data / "pg_hba.conf").write_text(
        "local all +asked_for_a_password scram-sha-256\nlocal all,replication all trust\n", "utf-8"
    )


def _start(
    programs: Path, data: Path, folder: Path, synced: bool = False
) -> subprocess.Popen[bytes]:
    settings = _SETTINGS | {"unix_socket_directories": str(folder)}
    if synced:
        settings |= dict.fromkeys(("fsync", "full_page_writes"), "on")
    server = subprocess.Popen(
        [
            programs / "postgres",
            *("-D", data),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ],
        **nobody(),
        cwd="/",
        stdin=subprocess.DEVNULL,
    )
    ready = until(lambda: is_ready(data) or server.poll() is not None)
    if not ready or server.poll() is not None:
        raise SystemExit("the server did not start")
    return server


def is_ready(data: Path) -> bool:
    """Whether the server takes connections: it says so itself, in the last line of its file."""
    try:
        return (data / "postmaster.pid").read_text("utf-8").splitlines()[7:8] == ["ready   "]
    except OSError:
        return False


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _unused(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


if __name__ == "__main__":
    keep(*map(Path, sys.argv[1:4]), synced=sys.argv[4:] == ["synced"])
