"""The power is cut by the kernel: a file system of its own ends with what it had not written.

A program: ``python -m tests.power_cut.by_the_kernel FOLDER CUTS FULL|NORMAL|OFF`` prints what it
saw as JSON. The image of the file system and its mount lie in the folder. For each cut a child has
writers, a replay, a reaction and a checkpoint at work, and tells through a pipe what was
acknowledged. The parent counts what came before it asks for the cut. Another child looks at what is
there once the file system is mounted again.
"""

from __future__ import annotations

import fcntl
import json
import os
import random
import select
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import NamedTuple

from serverdomain import Context, Servers, StoreError
from serverdomain.store.sqlite import open_connections
from serverdomain.testing.store_contract import SERVER, adopted

SHUTDOWN, NO_FLUSH = 0x8004587D, struct.pack("I", 2)
"""ext4's own ioctl, and to end with nothing more written, not even its journal."""

CANNOT_MOUNT = 2
"""The exit code where there is no right to mount a file system, or no ext4."""

WRITERS = 8
"""So many that several share a commit."""

A_DISK = 20
"""Cuts after which a new disk is taken, for the log not to grow long."""


class CannotMount(Exception):
    """Why a file system of its own cannot be made or mounted here."""


class Cut(NamedTuple):
    """What one cut did: things that were acknowledged, those that are lost, and what is wrong.

    ``commits`` says with how many the commands were written.
    """

    acknowledged: int
    commits: int
    lost: int
    wrong: list[str]


class Disk:
    """An ext4 in a file, mounted through a loop device."""

    def __init__(self, folder: Path, size: int = 64 * 1024 * 1024) -> None:
        self._size = size
        self.image, self.mount = folder / "image", folder / "mounted"
        self.mount.mkdir()

    def format(self) -> None:
        with self.image.open("wb") as image:
            image.truncate(self._size)
        self._run("mkfs.ext4", "-q", "-F", str(self.image))

    def plug_in(self) -> None:
        self._run("mount", "-o", "loop", str(self.image), str(self.mount))

    def unplug(self) -> None:
        self._run("umount", str(self.mount))

    def cut(self) -> None:
        folder = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, SHUTDOWN, NO_FLUSH)
        finally:
            os.close(folder)

    def _run(self, *command: str) -> None:
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotMount(f"{command[0]}: {getattr(error, 'stderr', error)}") from error


def at_work(disk: Disk, number: int, pipe: int) -> None:
    """Work on the store until the end of the world; what is acknowledged is told."""
    servers = Servers.open(f"sqlite:///{disk.mount / 'cloud.db'}")
    if servers.latest() is None:
        servers.register(adopted())

    def tell(*what: object) -> None:
        os.write(pipe, f"{' '.join(map(str, what))}\n".encode())

    def write(writer: int) -> None:
        count = 0
        while True:
            request_id = f"req-{number}-{writer}-{count}"
            servers.rename(SERVER, f"{number} {writer} {count}", Context(request_id=request_id))
            tell("command", request_id)
            if writer == 0:
                tell("commits", servers._log.connections.commits)
            count += 1

    def replay() -> None:
        while True:
            servers.view.replay()

    def sign() -> None:
        while True:
            made = servers.ledger.checkpoint(disk.mount / "key", disk.mount / "checkpoint")
            tell("checkpoint", made.checkpoint.size)

    def until_the_end(work: Callable[[], None]) -> Callable[[], None]:
        def run() -> None:
            try:
                work()
            except (StoreError, OSError):
                pass  # The end has come.
            except Exception as error:
                tell("error", repr(error))

        return run

    servers.react("watch", lambda told: None, start="beginning")
    works = [replay, sign, *(lambda writer=writer: write(writer) for writer in range(WRITERS))]
    threads = [Thread(target=until_the_end(work), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def look(disk: Disk, acknowledged: list[list[str]], pipe: int) -> None:
    """Tell what is lost of what was acknowledged, and what does not hold."""
    wrong = [name for what, name in acknowledged if what == "error"]
    lost = len(acknowledged)
    try:
        with Servers.open(f"sqlite:///{disk.mount / 'cloud.db'}", create=False) as servers:
            with servers._log.reading() as log:
                commands = [name for what, name in acknowledged if what == "command"]
                lost = sum(log.command(request_id) is None for request_id in commands)
                head = log.head()
            for bookmark in servers.reactions():
                lost += bookmark.position > head
            signed = [int(size) for what, size in acknowledged if what == "checkpoint"]
            if signed:
                verdict = servers.ledger.verify(disk.mount / "checkpoint", [disk.mount / "key"])
                lost += verdict.checkpoint.size < max(signed)
                wrong += [str(problem) for problem in verdict.problems]
            wrong += [str(finding) for finding in servers.check()]
            servers.list()
    except Exception as error:
        wrong.append(repr(error))
    os.write(pipe, json.dumps([lost, wrong]).encode())


def in_a_child(work: Callable[[int], None]) -> tuple[int, int]:
    """The child's id, and where what it tells is read."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    return child, reading


def read_until(pipe: int, enough: Callable[[bytes], bool], seconds: float) -> bytes:
    told = b""
    while not enough(told) and select.select([pipe], [], [], seconds)[0]:
        some = os.read(pipe, 65536)
        if not some:
            break
        told += some
    return told


def cut_once(disk: Disk, number: int) -> Cut:
    after = random.Random(number).randrange(1, 120)
    disk.plug_in()
    worker, pipe = in_a_child(lambda pipe: at_work(disk, number, pipe))
    told = read_until(pipe, lambda told: told.count(b"\n") >= after, 60)
    # Whatever is in the pipe by now was acknowledged before the cut; what comes later need not be.
    told += read_until(pipe, lambda told: False, 0)
    disk.cut()
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    os.close(pipe)
    disk.unplug()
    lines = [line.split(" ", 1) for line in told.decode().splitlines()]
    commits = max((int(many) for what, many in lines if what == "commits"), default=0)
    acknowledged = [line for line in lines if line[0] != "commits"]
    disk.plug_in()
    looker, pipe = in_a_child(lambda pipe: look(disk, acknowledged, pipe))
    lost, wrong = json.loads(read_until(pipe, lambda told: False, 600))
    os.waitpid(looker, 0)
    os.close(pipe)
    disk.unplug()
    return Cut(len(acknowledged), commits, lost, wrong)


def main(folder: str, cuts: str, synchronous: str) -> None:
    open_connections.SYNCHRONOUS = synchronous
    disk = Disk(Path(folder))
    seen = []
    for number in range(int(cuts)):
        if number % A_DISK == 0:
            disk.format()
        seen.append(cut_once(disk, number))
    wrong = [f"cut {number}: {one}" for number, cut in enumerate(seen) for one in cut.wrong]
    sums = {what: sum(getattr(cut, what) for cut in seen) for what in Cut._fields[:-1]}
    print(json.dumps({**sums, "wrong": wrong}))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except CannotMount as cannot:
        print(cannot, file=sys.stderr)
        sys.exit(CANNOT_MOUNT)
