"""Events as stored: a topic (``serverdomain:ImageChanged:1``) and canonical JSON.

The name is permanent and owes nothing to where a class lives. When the members of an event must
change, its version grows by one and a step says how a stored older one is read today; what is
stored is never rewritten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from operator import methodcaller
from typing import Any
from uuid import UUID, uuid5

import msgspec

from serverdomain.domain.events import EVENTS, Event
from serverdomain.errors import InvalidInput, StoreDamaged, UnknownEvent

PREFIX = "serverdomain:"
"""How the topic of every event of ours begins; others' topics are passed over."""

Upcast = Callable[[dict[str, Any]], dict[str, Any]]
"""Reads the members of one version as those of the next."""

stream_of: Callable[[str], str] = methodcaller("replace", "-", "")
"""The stream of a server's facts, by its id: 32 hex digits."""


def server_id_of(stream: str) -> str:
    """The id of the server whose facts are in a stream."""
    # Cut, not read as a UUID: the digits are our own, and reading them was a fifth of a replay.
    return f"{stream[:8]}-{stream[8:12]}-{stream[12:16]}-{stream[16:20]}-{stream[20:]}"


def refusals_of(server_id: str) -> str:
    """The stream of what was refused to a server: 32 hex digits, and no other server's."""
    return uuid5(UUID(server_id), "refusals").hex


class Codec:
    """Event <-> topic and JSON.

    ``steps`` maps an event's name to the ways from each older version to the next: with one step
    the event is at version 2, and stored version 1 is read through it.
    """

    def __init__(
        self,
        events: Mapping[str, type[Event]] = EVENTS,
        steps: Mapping[str, tuple[Upcast, ...]] | None = None,
    ) -> None:
        steps = steps or {}
        self._topics: dict[type[Event], tuple[str, Callable[[str | bytes], Event]]] = {}
        self.readers: dict[str, Callable[[str | bytes], Event]] = {}
        """What reads the JSON of each topic."""
        for name, event in events.items():
            ways = steps.get(name, ())
            for version in range(1, len(ways) + 1):
                self.readers[_topic(name, version)] = _upcasting(event, ways[version - 1 :])
            current = _topic(name, len(ways) + 1)
            read = self.readers[current] = msgspec.json.Decoder(event).decode
            self._topics[event] = current, read
        self._encoder = msgspec.json.Encoder(order="sorted")
        self._latest: tuple[object, list[tuple[str, str]]] = ((), [])

    def encode(self, event: Event) -> tuple[str, str]:
        """The topic and the JSON of an event.

        Raises `InvalidInput` for what is none of ours, or could not be read again.
        """
        kept_as = self._topics.get(type(event))
        if kept_as is None:
            raise InvalidInput("event", f"a {type(event).__name__} came, an event is allowed")
        topic, read = kept_as
        try:
            state = self._encoder.encode(event)
            read(state)
        except UnicodeEncodeError:
            wrong = "a lone surrogate has no UTF-8 form"
        except (msgspec.ValidationError, TypeError) as error:
            wrong = str(error)
        else:
            return topic, state.decode()
        raise InvalidInput("event", f"a {type(event).__name__} came that cannot be kept: {wrong}")

    def encode_all(self, events: Iterable[Event]) -> list[tuple[str, str]]:
        """The topic and the JSON of each event; raises as `encode` does."""
        # What was hashed a moment ago is what is kept now.
        latest, encoded = self._latest
        if events is not latest:
            encoded = [self.encode(event) for event in events]
            if type(events) is tuple:
                self._latest = events, encoded
        return encoded

    def decode(self, topic: str, state: str | bytes, position: int) -> Event:
        """The event at a position.

        Raises `UnknownEvent` for a newer release's, `StoreDamaged` for what cannot be read.
        """
        reader = self.readers.get(topic)
        if reader is None:
            raise UnknownEvent(topic, position)
        try:
            return reader(state)
        except msgspec.DecodeError as error:
            raise StoreDamaged(
                f"position {position} of the log holds a {topic!r} that cannot be read: {error}"
            ) from error

    def sha256(self, events: Iterable[Event]) -> str:
        """One hash of events as they are stored, in hex."""
        stored = "\n".join(chain.from_iterable(self.encode_all(events)))
        return hashlib.sha256(stored.encode()).hexdigest()


def _topic(name: str, version: int) -> str:
    return f"{PREFIX}{name}:{version}"


def _upcasting(event: type[Event], ways: tuple[Upcast, ...]) -> Callable[[str | bytes], Event]:
    read = msgspec.json.Decoder(dict[str, Any]).decode

    def upcast(state: str | bytes) -> Event:
        members = read(state)
        for step in ways:
            members = step(members)
        return msgspec.convert(members, event)

    return upcast


CODEC = Codec()
"""The codec of this release: every event is at version 1."""
