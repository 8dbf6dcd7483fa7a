"""UmaDB, over its own client: its server, as it is by default, is started on loopback.

A command reads the events that bear the server's tag, folds them, and appends with the condition
that nothing came meanwhile, as its documentation has it. No request id is looked up, no rule asked.
"""

from __future__ import annotations

import importlib
import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.environment import UMADB
from benchmarks.rival import ADDRESS, DOCUMENTED, IMAGES, PERCENTS, server_id

Change = tuple[str, dict[str, Any]]

_ENOUGH = 60
"""Seconds after which its server has not started."""


class UmaDB:
    name = "UmaDB"
    shared = True

    def __init__(self, folder: Path) -> None:
        program, modules = UMADB.program("umadb"), str(UMADB.modules())
        if modules not in sys.path:
            sys.path.append(modules)
        self._umadb: Any = importlib.import_module("umadb")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self._server = subprocess.Popen(
            [program, "--listen", f"127.0.0.1:{port}", "--db-path", folder / "uma.db"],
            stdout=subprocess.DEVNULL,
        )
        self._client = self._connected(f"http://127.0.0.1:{port}")

    def _connected(self, url: str) -> Any:
        until = time.monotonic() + _ENOUGH
        while True:
            try:
                client = self._umadb.Client(url)
                client.head()
                return client
            except self._umadb.TransportError:
                if time.monotonic() > until or self._server.poll() is not None:
                    self.close()
                    raise
                time.sleep(0.02)

    def fill(self, servers: int, cycles: int) -> None:
        for number in range(servers):
            begun = DOCUMENTED | {
                "id": str(server_id(number)),
                "status": "ACTIVE",
                "addresses": {"private": [ADDRESS]},
            }
            events: list[Change] = [("ServerRegistered", begun)]
            for cycle in range(1, cycles + 1):
                events += _rebuild(IMAGES[cycle % 2], f"name {cycle}")
                events += [("RebuildProgressed", {"progress": percent}) for percent in PERCENTS]
                events += [_COMPLETED, ("ServerStopped", {"status": "SHUTOFF"})]
                events.append(("ServerStarted", {"status": "ACTIVE"}))
            self._append(number, events, None)

    def rename(self, number: int, name: str) -> None:
        _, head = self._read(number)
        self._append(number, [("ServerRenamed", {"name": name})], head)

    def rebuild(self, number: int, image_id: str, name: str) -> None:
        server, head = self._read(number)
        assert server["status"] != "REBUILD"
        self._append(number, _rebuild(image_id, name), head)

    def complete(self, number: int) -> None:
        server, head = self._read(number)
        assert server["status"] == "REBUILD"
        self._append(number, [_COMPLETED], head)

    def get(self, number: int) -> object:
        return self._read(number)[0]

    def _read(self, number: int) -> tuple[dict[str, Any], int | None]:
        events, head = self._client.read(query=self._of(number)).collect_with_head()
        server: dict[str, Any] = {}
        for one in events:
            server.update(json.loads(one.event.data))
        return server, head

    def _append(self, number: int, changes: list[Change], head: int | None) -> None:
        tags = [str(server_id(number))]
        self._client.append(
            [
                self._umadb.Event(name, json.dumps(members).encode(), tags)
                for name, members in changes
            ],
            condition=self._umadb.AppendCondition(self._of(number), after=head),
        )

    def _of(self, number: int) -> Any:
        item = self._umadb.QueryItem(tags=[str(server_id(number))])
        return self._umadb.Query(items=[item])

    def durability(self) -> str:
        return "its own: a commit is synced"

    def close(self) -> None:
        if hasattr(self, "_client"):
            self._client.close()
        self._server.terminate()
        self._server.wait()


_COMPLETED: Change = ("RebuildCompleted", {"status": "ACTIVE", "progress": 100})


def _rebuild(image_id: str, name: str) -> list[Change]:
    return [
        ("RebuildRequested", {"status": "REBUILD", "progress": 0}),
        ("ImageChanged", {"image_id": image_id}),
        ("ServerRenamed", {"name": name}),
    ]
