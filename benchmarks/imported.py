"""A file of a cloud's notifications taken in, beside a loop that parses it and writes rows."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from benchmarks.measure import Round, at_rate
from benchmarks.ours import Ours
from benchmarks.rival import DOCUMENTED, IMAGES, server_id
from serverdomain import Servers
from serverdomain.adapters.incoming import nova
from serverdomain.adapters.incoming.files import told
from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.adapters.incoming.sources import source
from serverdomain.adapters.incoming.taking import Taking, take_in
from serverdomain.servers.bulk import MOST_COMMANDS

_KINDS = ("rebuild_scheduled", "exists", "rebuild.start", "rebuild.end", "lock", "unlock")


def write(path: Path, first: int, messages: int) -> None:
    """So many messages as JSON lines, none of which is in a file with another first number."""
    with path.open("w") as file:
        for number in range(first, first + messages):
            file.write(json.dumps(_message(number)) + "\n")


def _message(number: int) -> dict[str, Any]:
    minutes, second = divmod(number, 60)
    hour, minute = divmod(minutes, 60)
    flavor = {"nova_object.version": "1.4", "nova_object.data": {"flavorid": "1", "vcpus": 1}}
    address = {"address": "192.168.0.3", "version": 4, "label": "private"}
    data = {
        "uuid": str(server_id(number // (10 * len(_KINDS)))),
        "display_name": DOCUMENTED["name"],
        "tenant_id": DOCUMENTED["project_id"],
        "user_id": DOCUMENTED["user_id"],
        "image_uuid": IMAGES[number // len(_KINDS) % 2],
        "flavor": flavor,
        "host": "compute",
        "state": "active",
        "progress": 0,
        "metadata": DOCUMENTED["metadata"],
        "ip_addresses": [{"nova_object.version": "1.0", "nova_object.data": address}],
        "auto_disk_config": "AUTO",
        "request_id": f"req-{UUID(int=number // len(_KINDS))}",
        "action_initiator_user": "fake",
        "action_initiator_project": DOCUMENTED["project_id"],
        "created_at": "2012-09-01T00:00:00Z",
        "updated_at": "2012-09-12T00:00:00Z",
    }
    return {
        "event_type": f"instance.{_KINDS[number % len(_KINDS)]}",
        "message_id": str(UUID(int=number)),
        "timestamp": f"2012-10-{1 + hour // 24 % 28:02} {hour % 24:02}:{minute:02}:{second:02}",
        "payload": {
            "nova_object.name": "InstanceActionPayload",
            "nova_object.version": "1.9",
            "nova_object.data": data,
        },
    }


class Imported:
    """`serverdomain`, all guards on."""

    name = Ours.name

    def __init__(self, messages: int, folder: Path) -> None:
        self._messages = messages
        self._file = folder / f"messages-{type(self).__name__}.jsonl"
        self._open(folder)

    def _open(self, folder: Path) -> None:
        self._servers = Servers.open(folder / "imported.db", create=True)

    def ask(self, number: int) -> Round:
        """A file of messages that did not come before."""
        write(self._file, number * self._messages, self._messages)
        began = time.perf_counter()
        self._take()
        return at_rate(time.perf_counter() - began, [], self._messages)

    def _take(self) -> None:
        rejects = Rejects()
        taker = Taking(self._servers, rejects)
        with source(str(self._file)) as (stream, _):
            for _ in take_in(told(stream, "messages", nova.read), taker, rejects):
                pass
        taker.write()
        assert not taker.counts.rejected

    def close(self) -> None:
        """Let go of the files."""
        self._servers.close()


class Parsed(Imported):
    """The same file parsed by msgspec, a row a message, in transactions of the same size."""

    name = "msgspec and sqlite3 in a bare loop"

    def _open(self, folder: Path) -> None:
        self._rows = sqlite3.connect(folder / "parsed.db", isolation_level=None)
        self._rows.execute("PRAGMA journal_mode = WAL")
        self._rows.execute("PRAGMA synchronous = FULL")
        self._rows.execute("CREATE TABLE message (id TEXT UNIQUE, server TEXT, at TEXT, body TEXT)")

    def _take(self) -> None:
        decode = msgspec.json.Decoder().decode
        waiting: list[tuple[Any, ...]] = []
        with self._file.open("rb") as file:
            for line in file:
                message = decode(line)
                server = message["payload"]["nova_object.data"]["uuid"]
                waiting.append((message["message_id"], server, message["timestamp"], line.decode()))
                if len(waiting) == MOST_COMMANDS:
                    self._insert(waiting)
        self._insert(waiting)

    def _insert(self, waiting: list[tuple[Any, ...]]) -> None:
        self._rows.execute("BEGIN IMMEDIATE")
        self._rows.executemany("INSERT INTO message VALUES (?, ?, ?, ?)", waiting)
        self._rows.execute("COMMIT")
        waiting.clear()

    def close(self) -> None:
        """Let go of the file."""
        self._rows.close()
