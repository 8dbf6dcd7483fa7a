"""The same cuts under a PostgreSQL server, whose data lies on the disk, with a file of SQLite's.

A program, ``python -m tests.power_cut.postgres_by_the_kernel CUTS sure|commit|fsync``, prints what
it saw as JSON. ``commit`` runs with ``synchronous_commit=off``, and SQLite with NORMAL; ``fsync``
with ``fsync=off``. Image, mount and socket lie in a folder with a short name, where a server may
read.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Thread
from typing import NamedTuple

from serverdomain import Context, Servers
from serverdomain.store.postgresql import making
from serverdomain.store.postgresql.address import Address
from serverdomain.store.sqlite import open_connections
from serverdomain.testing.store_contract import SERVER, adopted
from tests.power_cut.by_the_kernel import (
    CANNOT_MOUNT,
    CannotMount,
    Disk,
    in_a_child,
    read_until,
)
from tests.store.postgresql import keeper, server

SIZE = 256 * 1024 * 1024
A_DISK = 20
WRITERS = 4
MODES = {"sure": (), "commit": ("synchronous_commit=off",), "fsync": ("fsync=off",)}
_SETTINGS = (
    "listen_addresses=",
    "shared_buffers=16MB",
    "log_min_messages=panic",
    "min_wal_size=32MB",
    "max_wal_size=48MB",
    "wal_recycle=off",
    # Each start is one after a cut.
    "recovery_init_sync_method=syncfs",
)


class Server:
    """A server whose data lies on a disk."""

    def __init__(self, programs: Path, disk: Disk, socket: Path, mode: str) -> None:
        self._programs = programs
        self._data = disk.mount / "data"
        self._socket = socket
        self._settings = (*_SETTINGS, *MODES[mode], f"unix_socket_directories={socket}")
        self._process: subprocess.Popen[bytes] | None = None
        lower = "&synchronous_commit=off" if mode == "commit" else ""
        self.url = f"{server.url_of(socket)}&schema=cloud{lower}"

    def make(self) -> None:
        self._data.mkdir()
        who = keeper.nobody()
        if who:
            os.chown(self._data, who["user"], who["group"])
        keeper.make(self._programs, self._data)

    def start(self) -> bool:
        """Whether it could be started."""
        # That of before the cut says that it is ready.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        given = (part for setting in self._settings for part in ("-c", setting))
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, *given],
            **keeper.nobody(),
            cwd="/",
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        process, ready = self._process, lambda: keeper.is_ready(self._data)
        return keeper.until(lambda: ready() or process.poll() is not None) and ready()

    def end(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def kill(self) -> None:
        assert self._process is not None
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children")
        pids = [parent, *map(int, children.read_text().split())] if children.exists() else []
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self._process.wait()
        while any(map(_holds_files, pids)):
            time.sleep(0.01)  # They are nobody's children now, and hold the disk until they end.


def _holds_files(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def at_work(disk: Disk, url: str, number: int, pipe: int) -> None:
    """Write into both until the end of the world; what is acknowledged is told."""

    def write(engine: str, servers: Servers, writer: int) -> None:
        count = 0
        while True:
            request_id = f"req-{number}-{writer}-{count}"
            servers.rename(SERVER, request_id, Context(request_id=request_id))
            os.write(pipe, f"{engine} {request_id}\n".encode())
            count += 1

    threads = []
    for engine, store in (("postgres", url), ("sqlite", f"sqlite:///{disk.mount / 'cloud.db'}")):
        servers = Servers.open(store)
        if servers.latest() is None:
            servers.register(adopted())
        threads += [
            Thread(target=write, args=(engine, servers, writer), daemon=True)
            for writer in range(WRITERS)
        ]
    # What is told of their end goes to nobody.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def look(disk: Disk, url: str, is_up: bool, acknowledged: list[list[str]], pipe: int) -> None:
    """Tell what is lost of what was acknowledged, and what does not hold."""
    told: dict[str, int] = {}
    wrong = []
    for engine, store in (("postgres", url), ("sqlite", f"sqlite:///{disk.mount / 'cloud.db'}")):
        requests = [request_id for which, request_id in acknowledged if which == engine]
        told[engine] = len(requests)
        try:
            if engine == "postgres" and not is_up:
                raise OSError("PostgreSQL does not start")
            with Servers.open(store, create=False, view=disk.mount / f"{engine}.view") as servers:
                with servers._log.reading() as log:
                    told[engine] = sum(log.command(one) is None for one in requests)
                wrong += [f"{engine}: {finding}" for finding in servers.check()]
        except Exception as error:
            wrong.append(f"{engine}: {error!r}")
    os.write(pipe, json.dumps([told, wrong]).encode())


class Cut(NamedTuple):
    """What one cut did: what was acknowledged, how much each engine lost, and what is wrong."""

    acknowledged: int
    lost: dict[str, int]
    wrong: list[str]


def cut_once(disk: Disk, server: Server, number: int) -> Cut:
    after = Random(number).randrange(20, 400)
    worker, pipe = in_a_child(lambda pipe: at_work(disk, server.url, number, pipe))
    told = read_until(pipe, lambda told: told.count(b"\n") >= after, 60)
    told += read_until(pipe, lambda told: False, 0)
    disk.cut()
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)
    server.kill()
    os.close(pipe)
    disk.unplug()
    acknowledged = [line.split(" ", 1) for line in told.decode().splitlines()]
    disk.plug_in()
    is_up = server.start()
    looker, pipe = in_a_child(lambda pipe: look(disk, server.url, is_up, acknowledged, pipe))
    lost, wrong = json.loads(read_until(pipe, lambda told: False, 600))
    os.waitpid(looker, 0)
    os.close(pipe)
    return Cut(len(acknowledged), lost, wrong)


def cut_often(disk: Disk, server: Server, cuts: int) -> Iterator[Cut]:
    is_fresh = False
    for number in range(cuts):
        if number % A_DISK == 0 or not is_fresh:
            if number:
                server.kill()
                disk.unplug()
            disk.format()
            disk.plug_in()
            server.make()
            assert server.start()
            making.init(Address(server.url))
            # What was made is on the disk once it was taken out, whatever the server syncs.
            server.end()
            disk.unplug()
            disk.plug_in()
            assert server.start()
        cut = cut_once(disk, server, number)
        yield cut
        # Where something was lost, more may be wrong: it is not gone on with.
        is_fresh = not any(cut.lost.values())
    server.kill()
    disk.unplug()


def main(cuts: str, mode: str) -> None:
    open_connections.SYNCHRONOUS = "FULL" if mode == "sure" else "NORMAL"
    folder = server.short_folder()
    try:
        found = server.programs()
        assert found is not None
        programs = keeper.reachable(found, folder)
        disk = Disk(folder, SIZE)
        seen = [*cut_often(disk, Server(programs, disk, folder, mode), int(cuts))]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wrong = [f"cut {number}: {one}" for number, cut in enumerate(seen) for one in cut.wrong]
    lost = {name: sum(cut.lost[name] for cut in seen) for name in ("postgres", "sqlite")}
    acknowledged = sum(cut.acknowledged for cut in seen)
    print(json.dumps({"acknowledged": acknowledged, **lost, "wrong": wrong}))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except CannotMount as cannot:
        print(cannot, file=sys.stderr)
        sys.exit(CANNOT_MOUNT)
