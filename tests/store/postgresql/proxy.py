"""A way to a PostgreSQL server that can be cut, or fall silent, before or after a statement ran."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Event, Thread
from typing import Literal

from serverdomain.store.postgresql.address import Address


class Proxy:
    """Forwards connections from a port of this machine; ``url`` leads through it."""

    def __init__(self, url: str) -> None:
        address = Address(url)
        given = address.parameters()
        self._host, self._port = str(given.get("host", "localhost")), int(given.get("port", 5432))
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        who = f"{given.get('user', 'postgres')}:{given.get('password', '')}"
        self.url = (
            f"postgresql://{who}@127.0.0.1:{port}/{given.get('dbname', 'postgres')}"
            f"?schema={address.schema}&sslmode=disable&gssencmode=disable"
        )
        self._open: list[socket.socket] = []
        self._cut_at: tuple[bytes, Literal["before", "after"]] | None = None
        self._is_silent = self._is_for_good = False
        self.has_cut = Event()
        self._closed = False
        Thread(target=self._accept, daemon=True).start()

    def cut_at(
        self, statement: bytes, when: Literal["before", "after"], *, for_good: bool = False
    ) -> None:
        """Cut the connection that next sends this, ``before`` or ``after`` the server has run it.

        The server's answer to it goes to nobody. ``for_good``, no other leads there from then on.
        """
        self.has_cut.clear()
        self._is_for_good = for_good
        self._cut_at, self._is_silent = (statement, when), False

    def swallow_at(self, statement: bytes, when: Literal["before", "after"]) -> None:
        """The same, but nobody is told that the connection is cut: it stays open and silent."""
        self.cut_at(statement, when)
        self._is_silent = True

    def close(self) -> None:
        self._closed = True
        for one in [self._listening, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = self._connected()
                self._open += [client, server]
                if self._closed:
                    self.close()
                Thread(target=self._to_server, args=(client, server), daemon=True).start()

    def _connected(self) -> socket.socket:
        if not self._host.startswith("/"):
            return socket.create_connection((self._host, self._port))
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self._host}/.s.PGSQL.{self._port}")
        return server

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        cutting = Event()
        Thread(target=self._to_client, args=(server, client, cutting), daemon=True).start()
        with suppress(OSError):
            while sent := client.recv(65_536):
                cut = self._cut_at
                if cut is not None and cut[0] in sent:
                    self._cut_at = None
                    cutting.set()
                    if cut[1] == "before":
                        self._end(client, server)
                        if not self._is_silent:
                            return
                if self._is_silent and self.has_cut.is_set() and cutting.is_set():
                    continue
                server.sendall(sent)
        # The other thread, which waits for it, holds it open otherwise.
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
        server.close()

    def _to_client(self, server: socket.socket, client: socket.socket, cutting: Event) -> None:
        with suppress(OSError):
            while answer := server.recv(65_536):
                if not cutting.is_set():
                    client.sendall(answer)
                elif self._is_silent:
                    self.has_cut.set()
                else:
                    break
        if cutting.is_set():
            self._end(client, server)

    def _end(self, client: socket.socket, server: socket.socket) -> None:
        if self._is_for_good:
            self.close()
        for one in () if self._is_silent else (client, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.has_cut.set()
