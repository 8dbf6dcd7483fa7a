"""Who is asked the same over HTTP, and the store that is asked without."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.callers import Callers, Work
from benchmarks.endpoint import bare
from benchmarks.endpoint.load import CALLERS, drive, request
from benchmarks.endpoint.processes import Process, on_the_servers_core
from benchmarks.measure import Round, at_rate
from benchmarks.ours import Ours
from benchmarks.rival import IMAGES, Rival, server_id
from serverdomain.adapters.compute_json import render

HANGS = "86400"
"""Seconds that a rebuild takes: each goes to a server of its own, and none ends meanwhile."""


def serve(store: Path, *options: str) -> list[str]:
    """The command whose endpoint is measured, with everything that it does by default."""
    return [
        *(sys.executable, "-m", "serverdomain", "serve", "--port", "0"),
        *("--store", f"sqlite:///{store}", *options),
    ]


def answer() -> bytes:
    """The documented answer, whose size those that do nothing answer too."""
    servers = Ours(None)
    servers.fill(1, 1)
    shown = render(
        servers.get(0),
        endpoint="http://127.0.0.1:8774",
        path="v2.1",
        project=None,
        admin_pass="seekr3t",
    )
    servers.close()
    return json.dumps({"server": shown}).encode()


def body_of(number: int) -> bytes:
    """A rebuild that changes image and name; the documented metadata comes again."""
    rebuild = {
        "imageRef": IMAGES[1],
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

    def ask(self, number: int) -> Round:
        """One round by all callers."""
        load = drive(self._process.port, self.requests(number), CALLERS)
        if set(load.statuses) != {self.status}:
            raise RuntimeError(
                f"{self.name} answered {dict(load.statuses)}, {self.status} is right"
            )
        return at_rate(load.seconds, load.each)

    def close(self) -> None:
        """End the process."""
        self._process.close()


class Endpoint(OverHttp):
    """`serverdomain serve` on a store in a file, in which servers lived through so many cycles."""

    name = "serverdomain"

    def __init__(self, folder: Path, servers: int, cycles: int) -> None:
        filled = Ours(folder)
        filled.fill(servers, cycles)
        filled.close()
        self._ids = [str(server_id(number)) for number in range(servers)]
        super().__init__(Process(serve(folder / "Ours.db", "--rebuild-seconds", HANGS), folder))


class EndpointGet(Endpoint):
    """It is asked for servers that have ten events, one after the other."""

    status = 200

    def __init__(self, servers: int, folder: Path) -> None:
        super().__init__(folder, servers, cycles=1)

    def requests(self, number: int) -> Sequence[bytes]:
        """A ``GET`` for each."""
        return [request("GET", f"/v2.1/openstack/servers/{server}") for server in self._ids]


class EndpointRebuild(Endpoint):
    """It is asked to rebuild servers, each once, with the hypervisor that takes all that up."""

    status = 202

    def __init__(self, servers: int, rounds: int, folder: Path) -> None:
        super().__init__(folder, servers * (rounds + 1), cycles=0)
        self._in_a_round = servers

    def requests(self, number: int) -> Sequence[bytes]:
        """A rebuild for each server of the round."""
        body = body_of(number)
        return [
            request("POST", f"/v2.1/openstack/servers/{server}/action", body)
            for server in self._ids[number * self._in_a_round :][: self._in_a_round]
        ]


class Hello(OverHttp):
    """starlette, answering one body."""

    name = "starlette hello-world"
    status = 200

    def __init__(self, times: int, folder: Path) -> None:
        document = folder / "answer.json"
        document.write_bytes(answer())
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
    """The same rebuilds without HTTP by sixteen callers, on the core that the servers have."""

    name = "serverdomain's store alone, 16 callers"

    def __init__(self, servers: int, rounds: int, folder: Path) -> None:
        folder = folder / "alone"
        folder.mkdir()
        # Every round rebuilds servers of its own, which nobody rebuilt before.
        self._callers = Callers(
            Ours,
            Work(self._rebuild, servers * (rounds + 1), 0, asked=range(servers), callers=16),
            folder,
        )
        self._in_a_round = servers

    def _rebuild(self, rival: Rival, number: int, server: int) -> None:
        rival.rebuild(number * self._in_a_round + server, IMAGES[1], f"rebuilt {number}")

    def ask(self, number: int) -> Round:
        """A rebuild of each server of the round."""
        with on_the_servers_core():
            return self._callers.ask(number)

    def close(self) -> None:
        """Close the store."""
        self._callers.close()
