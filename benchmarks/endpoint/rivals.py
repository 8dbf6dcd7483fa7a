"""Who is asked the same over HTTP, and the store that is asked without."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.endpoint import bare
from benchmarks.endpoint.load import drive, request
from benchmarks.endpoint.mimic import Mimic
from benchmarks.endpoint.processes import Process, on_the_servers_core
from benchmarks.measure import Took
from benchmarks.ours import Ours
from benchmarks.rival import IMAGES, server_id
from serverdomain import Server, Servers
from serverdomain.adapters.compute_json import render

CALLERS = 8
"""Who ask at a time: enough that the server never waits for one."""

HANGS = "86400"
"""Seconds that a rebuild takes: here it is completed between the rounds, which are not timed."""


class Asked(Protocol):
    """A server, or a store, that is asked as often in each round."""

    name: str

    def ask(self, number: int) -> Took:
        """One round."""

    def undo(self, number: int) -> None:
        """What makes another possible; not timed."""

    def close(self) -> None:
        """Let go of it."""


def serve(store: Path, *options: str) -> list[str]:
    """The command whose endpoint is measured, with everything that it does by default."""
    return [
        *(sys.executable, "-m", "serverdomain", "serve", "--port", "0"),
        *("--store", f"sqlite:///{store}", *options),
    ]


def answer_of(server: Server, admin_pass: str | None = None) -> bytes:
    """The documented answer, whose size those that do nothing answer too."""
    shown = render(
        server, endpoint="http://127.0.0.1:8774", path="v2.1", project=None, admin_pass=admin_pass
    )
    return json.dumps({"server": shown}).encode()


def body_of(number: int) -> bytes:
    """A rebuild that changes image and name; the documented metadata comes again."""
    rebuild = {
        "imageRef": IMAGES[number % 2],
        "name": f"rebuilt {number}",
        "adminPass": "seekr3t",
        "metadata": {"meta var": "meta val"},
    }
    return json.dumps({"rebuild": rebuild}).encode()


class OverHttp:
    """A process that is sent requests, all of which it must answer alike."""

    name: str
    status: int

    def __init__(self, process: Process) -> None:
        self._process = process

    def requests(self, number: int) -> Sequence[bytes]:
        """What is sent in a round."""
        raise NotImplementedError

    def ask(self, number: int) -> Took:
        """One round by all callers."""
        load = drive(self._process.port, self.requests(number), CALLERS)
        if set(load.statuses) != {self.status}:
            raise RuntimeError(
                f"{self.name} answered {dict(load.statuses)}, {self.status} is right"
            )
        return load.seconds, load.each

    def undo(self, number: int) -> None:
        """Nothing is left behind."""

    def close(self) -> None:
        """End the process."""
        self._process.close()


class Endpoint(OverHttp):
    """`serverdomain serve` on a store in a file, in which servers have lived through a rebuild."""

    name = "serverdomain"

    def __init__(self, folder: Path, servers: int) -> None:
        self._store = folder / "ours.db"
        filled = Ours(folder)
        filled.fill(servers, 1)
        filled.close()
        self._servers = Servers.open(f"sqlite:///{self._store}")
        self.answer = answer_of(self._servers.get(str(server_id(0))), "seekr3t")
        self._ids = [str(server_id(number)) for number in range(servers)]
        super().__init__(Process(serve(self._store, "--rebuild-seconds", HANGS), folder))

    def close(self) -> None:
        """End the process, and close what looked at its store."""
        super().close()
        self._servers.close()


class EndpointGet(Endpoint):
    """It is asked for servers, one after the other."""

    status = 200

    def requests(self, number: int) -> Sequence[bytes]:
        """A ``GET`` for each."""
        return [request("GET", f"/v2.1/openstack/servers/{server}") for server in self._ids]


class EndpointRebuild(Endpoint):
    """It is asked to rebuild each of its servers."""

    status = 202

    def requests(self, number: int) -> Sequence[bytes]:
        """A rebuild for each."""
        body = body_of(number)
        return [
            request("POST", f"/v2.1/openstack/servers/{server}/action", body)
            for server in self._ids
        ]

    def undo(self, number: int) -> None:
        """Complete them from outside, as any hypervisor may."""
        for server in self._ids:
            self._servers.complete_rebuild(server)


class Hello(OverHttp):
    """starlette, answering one body."""

    name = "starlette hello-world"
    status = 200

    def __init__(self, folder: Path, answer: bytes, times: int) -> None:
        document = folder / "answer.json"
        document.write_bytes(answer)
        super().__init__(Process([sys.executable, bare.__file__, document], folder))
        self._times = times

    def requests(self, number: int) -> Sequence[bytes]:
        """As many as the endpoint gets."""
        return [request("GET", "/")] * self._times


class BarePost(Hello):
    """starlette, parsing a rebuild's body and answering another."""

    name = "starlette bare POST"
    status = 202

    def requests(self, number: int) -> Sequence[bytes]:
        """As many as the endpoint gets, of the same bytes."""
        return [request("POST", "/", body_of(number))] * self._times


class StoreAlone:
    """The same rebuilds without HTTP, one after the other, on the core that the servers have."""

    name = "serverdomain's store alone"

    def __init__(self, folder: Path, servers: int) -> None:
        folder = folder / "alone"
        folder.mkdir()
        self._ours = Ours(folder)
        self._ours.fill(servers, 1)
        self._numbers = range(servers)

    def ask(self, number: int) -> Took:
        """A rebuild of each."""
        each = []
        with on_the_servers_core():
            began = time.perf_counter()
            for server in self._numbers:
                step = time.perf_counter()
                self._ours.rebuild(server, IMAGES[number % 2], f"rebuilt {number}")
                each.append(time.perf_counter() - step)
            return time.perf_counter() - began, each

    def undo(self, number: int) -> None:
        """Complete them."""
        for server in self._numbers:
            self._ours.complete(server)

    def close(self) -> None:
        """Close the store."""
        self._ours.close()


class MimicGet:
    """mimic, asked for one server, which it has."""

    name = "mimic 2.2.0"

    def __init__(self, folder: Path, times: int, *, make: bool) -> None:
        self._mimic = Mimic(folder, make=make)
        self._request = self._mimic.request("GET", f"/servers/{self._mimic.create()}")
        self._times = times

    def ask(self, number: int) -> Took:
        """One round by all callers."""
        load = drive(self._mimic.port, [self._request] * self._times, CALLERS)
        if set(load.statuses) != {200}:
            raise RuntimeError(f"{self.name} answered {dict(load.statuses)}")
        return load.seconds, load.each

    def undo(self, number: int) -> None:
        """Nothing is left behind."""

    def close(self) -> None:
        """End it."""
        self._mimic.close()
