"""Lines of a log for whoever reads them, if anybody does: no call waits for that.

A thread writes what has come together. Where it cannot, because nobody reads the pipe, lines are
held up to a bound and then dropped; how many were, a line says once there is room again.
"""

from __future__ import annotations

import logging
import os
import select
from threading import Event, Lock, Thread

MOST_BYTES = 1024 * 1024
"""What the lines weigh that wait to be written, at most."""

GATHER = 0.01
"""Seconds in which lines come together: a thread woken for each would cost every call."""

LAST_SECONDS = 1.0
"""How long the last lines may take to be written once the log is closed."""


class LinesApart(logging.Handler):
    """Writes records to a file descriptor, which stays its owner's, in a thread of its own."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._waiting: list[bytes] = []
        self._weight = 0
        self._dropped = 0
        self._counting = Lock()
        self._some = Event()
        self._ending = Event()
        self._thread = Thread(target=self._work, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Leave a record to the thread, or drop it where too many wait."""
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
        except Exception:
            self.handleError(record)
            return
        with self._counting:
            if self._weight + len(line) > MOST_BYTES:
                self._dropped += 1
                return
            self._weight += len(line)
            self._waiting.append(line)
        if not self._some.is_set():
            self._some.set()

    def close(self) -> None:
        """Write what waits, for a second at most."""
        self._ending.set()
        self._some.set()
        if self._thread.is_alive():  # It may never have begun, where no thread can.
            self._thread.join(LAST_SECONDS)
        super().close()

    def _work(self) -> None:
        while not self._ending.is_set():
            self._some.wait()
            self._ending.wait(GATHER)
            self._some.clear()
            while lines := self._take():
                self._write(b"".join(lines))
                with self._counting:
                    self._weight -= sum(map(len, lines))

    def _take(self) -> list[bytes]:
        with self._counting:
            lines, self._waiting = self._waiting, []
            dropped, self._dropped = self._dropped, 0
        if dropped:
            told = logging.makeLogRecord(
                {
                    "name": "serverdomain.http",
                    "levelname": "WARNING",
                    "msg": "lines dropped, which nobody read in time",
                    "dropped": dropped,
                }
            )
            lines.append(f"{self.format(told)}\n".encode())
            with self._counting:
                self._weight += len(lines[-1])
        return lines

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [])
            except OSError:
                return  # The reader is gone, or the disk is full: there is nobody to tell.
