"""What is kept to be found again, within a bound in bytes."""

from __future__ import annotations

from collections.abc import Hashable
from sys import getsizeof
from threading import Lock
from typing import Generic, TypeVar

from serverdomain.domain.server import Server

_BARE = 2 * 1024
_ITEM = 256

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Weighed(Generic[Key, Value]):
    """Values by key that weigh at most ``most`` bytes together; shared between threads.

    Those that were not asked for the longest make room. What alone weighs more is not kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[Key, tuple[Value, int]] = {}
        self._lock = Lock()
        self.weight = 0
        """What all of them weigh."""

    def get(self, key: Key) -> Value | None:
        """The value of a key, if it is kept."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is None:
                return None
            self._kept[key] = found
            return found[0]

    def put(self, key: Key, value: Value, weight: int) -> None:
        """Keep a value, in place of an earlier one."""
        with self._lock:
            _, before = self._kept.pop(key, (None, 0))
            self.weight -= before
            if weight > self._most:
                return
            self._kept[key] = (value, weight)
            self.weight += weight
            while self.weight > self._most:
                _, lightened = self._kept.pop(next(iter(self._kept)))
                self.weight -= lightened

    def drop(self, key: Key) -> None:
        """Forget a value, if it is kept."""
        with self._lock:
            _, lightened = self._kept.pop(key, (None, 0))
            self.weight -= lightened

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()
            self.weight = 0

    def __contains__(self, key: object) -> bool:
        return key in self._kept

    def __len__(self) -> int:
        return len(self._kept)


def weight(server: Server) -> int:
    """What a server weighs in memory, in bytes, roughly."""
    texts = sum(getsizeof(text) for item in server.metadata.items() for text in item)
    items = len(server.metadata) + sum(map(len, server.addresses.values()))
    return _BARE + _ITEM * items + texts
