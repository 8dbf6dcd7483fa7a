"""Hints that the log has grown, where a server gives them: whoever waits looks at once.

They are optional, and no more than hints. Whoever waits asks the log itself now and then, so that a
hint that is lost delays and loses nothing. ``LISTEN`` is not standard SQL; so it stands in this
file alone. Where a pool stands between, which hands sessions on, nobody listens.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Lock, Thread

import psycopg

from serverdomain.errors import StoreError
from serverdomain.store.postgresql.connection import Watched, connect
from serverdomain.store.postgresql.connections import Connections

TOGETHER = 0.02
"""Seconds between two hints of a process: the commits of that time are told by one."""

_TRY_AGAIN = 5.0
"""Seconds until somebody listens again who could not, or whose connection went."""

_LOOK_WHETHER_OVER = 0.5

_log = logging.getLogger("serverdomain")


def channel(schema: str) -> str:
    """The name under which it is told that the log in a schema has grown."""
    return f"serverdomain_{schema}"[:63]


def notify(schema: str) -> str:
    """The statement that tells it."""
    return f'NOTIFY "{channel(schema)}"'


def notify_unsynced(schema: str) -> str:
    """The same, as a transaction that waits for no disk: to tell is a commit, too."""
    return f"BEGIN; SET LOCAL synchronous_commit = off; {notify(schema)}; COMMIT"


def listen(schema: str) -> str:
    """The statement behind which a session is told it."""
    return f'LISTEN "{channel(schema)}"'


class Hints:
    """Tells other processes that this one has written, and hears of theirs.

    ``heard`` is what is to happen then.
    """

    def __init__(self, connections: Connections, heard: Callable[[], None]) -> None:
        self._connections = connections
        self._heard = heard
        self._over = Event()
        self._grown = Event()
        self._beginning = Lock()
        self._threads: dict[str, Thread] = {}
        self.listening = Event()
        """Set while those who wait are woken; otherwise the log is to be asked more often."""

    def tell(self) -> None:
        """Have the others told, soon, that something was written."""
        self._grown.set()
        self._begin("telling", self._tell)

    def listen(self) -> None:
        """Have those who wait in this process woken, from now on, by what others write."""
        self._begin("listening", self._listen)

    def close(self) -> None:
        """Stop, without waiting."""
        self._over.set()
        self._grown.set()

    def _begin(self, name: str, work: Callable[[], None]) -> None:
        if name in self._threads:
            return
        with self._beginning:
            if name not in self._threads and not self._over.is_set():
                self._threads[name] = Thread(target=work, name=f"log {name}", daemon=True)
                self._threads[name].start()

    def _tell(self) -> None:
        while self._grown.wait() and not self._over.is_set():
            self._grown.clear()
            try:
                told = notify_unsynced(self._connections.address.schema)
                with self._connections.errors(), self._connections.asked(None) as (connection, _):
                    connection.execute(told, prepare=False)
            except StoreError as error:
                _log.debug("nobody is told that the log has grown: %s", error)
            self._over.wait(TOGETHER)

    def _listen(self) -> None:
        while not self._over.is_set():
            try:
                with connect(self._connections.address) as connection:
                    self._hear(connection)
            except (psycopg.Error, StoreError) as error:
                _log.debug("nobody tells that the log has grown: %s", error)
            self.listening.clear()
            self._over.wait(_TRY_AGAIN)

    def _hear(self, connection: Watched) -> None:
        if connection.prepare_threshold is None:
            return  # A pool between them: what one session asked for, another would hear.
        connection.execute(listen(self._connections.address.schema))
        self.listening.set()
        self._heard()  # What was written before that, nobody told.
        while not self._over.is_set():
            for _ in connection.notifies(timeout=_LOOK_WHETHER_OVER, stop_after=1):
                self._heard()
