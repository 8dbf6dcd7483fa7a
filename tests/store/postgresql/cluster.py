"""A primary and its replica on loopback, whose primary can be killed and whose replica promoted.

Everything lies in one short folder. What fails over once is used again: the promoted node is the
primary then, and gets a new replica.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.store.postgresql import keeper, server

_SETTINGS = {
    # Processes are killed here, not machines: what is written stays.
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "16MB",
    "log_min_messages": "panic",
    "dynamic_shared_memory_type": "mmap",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "100ms",
}
_PR_SET_PDEATHSIG = 1


class Node:
    """A server of its own, as a child of this process; it ends with it."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = _SETTINGS | {
            "port": str(self.port),
            "unix_socket_directories": str(self.folder.parent),
        }
        given = (part for name, value in settings.items() for part in ("-c", f"{name}={value}"))
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self.folder, *given],
            **keeper.nobody(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            preexec_fn=_end_with_parent,  # noqa: PLW1509
        )
        ready = {"ready   ", "standby "}
        wait_until(lambda: self._said()[7:8] in [[word] for word in ready], "it to start")

    def _said(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text("utf-8").splitlines()
        except OSError:
            return []

    def kill(self) -> None:
        """Kill it with all of its processes at once, as when its machine goes."""
        assert self._process is not None
        segment = self._said()[6].split()[-1]
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split()
        for pid in [parent, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        # Its memory would stay with the system, which has few places for such.
        with suppress(FileNotFoundError):
            subprocess.run(["ipcrm", "-m", segment], capture_output=True, check=False)

    def end(self) -> None:
        """End it, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def ask(self, *statements: str) -> list[tuple[object, ...]]:
        """The rows of the last of some statements, each of them a transaction."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                rows = connection.execute(statement)
            return rows.fetchall() if rows.description else []


class Cluster:
    """A primary, and a replica once there is one; ``url`` names both."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._folder = folder
        self._programs = keeper.reachable(programs, folder)
        keeper.make(self._programs, folder / "0")
        with (folder / "0" / "pg_hba.conf").open("a", encoding="utf-8") as file:
            file.write("host all,replication all 127.0.0.1/32 trust\n")
        self.primary = Node(self._programs, folder / "0")
        self.primary.start()
        self._made = 0
        self.replica: Node | None = None

    @property
    def url(self) -> str:
        """Where a log lies, whichever of the two is the primary."""
        assert self.replica is not None
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in (self.primary, self.replica))
        return f"postgresql://postgres@{hosts}/postgres?schema=cloud"

    def add_replica(self, *, synchronous: bool) -> None:
        """Make a new replica in place of any before, and wait until it follows."""
        if self.replica is not None:
            self.replica.end()
            shutil.rmtree(self.replica.folder)
        names = "*" if synchronous else ""
        self.primary.ask(
            f"ALTER SYSTEM SET synchronous_standby_names = '{names}'", "SELECT pg_reload_conf()"
        )
        self._made += 1
        self.replica = Node(self._programs, self._folder / str(self._made))
        subprocess.run(
            [
                *(self._programs / "pg_basebackup", "--dbname", self.primary.url),
                *("--pgdata", self.replica.folder, "--checkpoint=fast", "--no-sync"),
                "--write-recovery-conf",
            ],
            **keeper.nobody(),
            cwd="/",
            check=True,
            capture_output=True,
        )
        self.replica.start()
        state = "sync" if synchronous else "async"
        wait_until(lambda: (state,) in self._followed(), "the replica to follow")

    def _followed(self) -> list[tuple[object, ...]]:
        return self.primary.ask(
            "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
        )

    def stop_sending(self) -> None:
        """Stop the process that sends to the replica, as a network that is full does."""
        ((pid,),) = self.primary.ask("SELECT pid FROM pg_stat_replication")
        os.kill(int(str(pid)), signal.SIGSTOP)

    def fail_over(self, *, clear: bool = True) -> None:
        """Kill the primary and promote the replica.

        It inherits whom to wait for, and nobody follows it: that is ``clear``-ed.
        """
        gone, promoted = self.primary, self.replica
        assert promoted is not None
        gone.kill()
        promoted.ask("SELECT pg_promote()")
        if clear:
            self.wait_for_nobody(promoted)
        self.primary, self.replica = promoted, None
        shutil.rmtree(gone.folder)

    def wait_for_nobody(self, promoted: Node) -> None:
        """Let a promoted node commit without a replica."""
        promoted.ask("ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")

    def close(self) -> None:
        for node in (self.primary, self.replica):
            if node is not None:
                node.end()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster that has a primary; it goes at the end."""
    found = server.programs()
    if found is None:
        pytest.skip("no PostgreSQL is installed")
    folder = server.short_folder()
    try:
        made = Cluster(found, folder)
        try:
            yield made
        finally:
            made.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:g} s for {what}")
        time.sleep(0.01)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
