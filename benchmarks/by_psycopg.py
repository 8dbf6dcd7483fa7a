"""psycopg by hand: our very tables and our statement, and nothing that decides or remembers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock, local
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.batches import Batches
from benchmarks.by_hand import ByHand, Change
from benchmarks.postgres import OneServer, durability
from benchmarks.rival import server_id
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.arrays import COMMANDS, EVENTS, arrays_of
from serverdomain.store.postgresql.as_stored import in_schema
from serverdomain.store.postgresql.making import init
from serverdomain.store.postgresql.writing import WRITE


class Psycopg(ByHand):
    """Knows each server's version, so a command is one round trip."""

    name = "psycopg by hand"

    def __init__(self, folder: Path) -> None:
        self.url = OneServer.begin(folder)
        self._address = Address(self.url)
        init(self._address)
        self._view_path = folder / f"{uuid4().hex}.view.db"
        self._write = in_schema(WRITE, self._address.schema)
        self._own, self._opened, self._writing = local(), list[Any](), Lock()
        self._versions: dict[int, int] = {}
        self._commands: list[tuple[Any, ...]] = []
        self._events: list[tuple[Any, ...]] = []

    @property
    def _connection(self) -> psycopg.Connection[Any]:
        if not hasattr(self._own, "connection"):
            given: Any = self._address.parameters()
            self._own.connection = psycopg.connect(**given, autocommit=True)
            self._opened.append(self._own.connection)
        connection: psycopg.Connection[Any] = self._own.connection
        return connection

    @contextmanager
    def all_together(self) -> Iterator[None]:
        usually, self.together = self.together, 2_000
        yield
        self.commit()
        self.together = usually

    def commit(self) -> None:
        with self._writing:
            commands, self._commands = self._commands, []
            events, self._events = self._events, []
        if not commands:
            return
        last, many, written = commands[-1][10], len(commands), len(events)
        self._connection.execute(
            self._write,
            (
                *(written, many, last, 0, written, many),
                *arrays_of(commands, len(COMMANDS)),
                *arrays_of(events, len(EVENTS)),
            ),
        )

    def _append(self, number: int, kind: str, *events: Change) -> None:
        server_of, now = server_id(number), time.time_ns() // 1_000
        command = (
            *(kind, str(server_of), json.dumps(events[-1][1]), "fake", "openstack", '["member"]'),
            *(f"req-{uuid4()}", None, None, now, now, 0),
        )
        version = self._versions.get(number, 0)
        self._versions[number] = version + len(events)
        rows = [
            (server_of.hex, after, f"serverdomain:{name}:1", json.dumps(members))
            for after, (name, members) in enumerate(events, version + 1)
        ]
        with self._writing:
            self._commands.append(command)
            self._events += [(*row, len(self._commands)) for row in rows]
            is_full = len(self._commands) >= self.together
        if is_full:
            self.commit()

    def _all(self, query: str, *given: object) -> Iterator[tuple[Any, ...]]:
        with self._connection.transaction(), self._connection.cursor("rows") as cursor:
            cursor.itersize = 2_000
            yield from cursor.execute(in_schema(query, self._address.schema), given)

    def get(self, number: int) -> object:
        found: dict[str, Any] = {}
        query = (
            "SELECT state FROM {schema}.stored_events WHERE originator_id = %s"
            " ORDER BY originator_version"
        )
        for (state,) in self._all(query, server_id(number).hex):
            found.update(json.loads(state))
        return found

    def _states(self) -> Iterator[tuple[Any, ...]]:
        return self._all(
            "SELECT originator_id, state FROM {schema}.stored_events ORDER BY position"
        )

    def durability(self) -> str:
        return durability(self.url)

    def close(self) -> None:
        for connection in self._opened:
            connection.close()
        OneServer.end()


class PsycopgInBatches(Batches, Psycopg):
    """As many commands in a statement as ours."""

    name = "psycopg by hand, in batches of our size"
