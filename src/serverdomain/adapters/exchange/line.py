"""An event of the log as a line of JSON with all that the log holds of it, and back.

What the log keeps as JSON stands in its line as it is, byte for byte, so that the same row comes
back. docs/export.md names the members.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from itertools import product
from types import NoneType
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from serverdomain.domain import limits, moment
from serverdomain.domain.events import CommandRefused
from serverdomain.errors import InvalidInput, StoreDamaged
from serverdomain.store.codec import CODEC, PREFIX, refusals_of, stream_of
from serverdomain.store.log import LARGEST, Row

LONGEST = 16 * 1024 * 1024
"""The bytes of a line, at most."""


class Line(Struct, frozen=True, gc=False):
    """A line. ``command_id`` and what follows are absent in another application's event.

    ``behind`` is the position before, where that is not one less.
    """

    log_id: str
    position: int
    stream: str
    version: int
    topic: str
    behind: int | UnsetType = UNSET
    data: Raw | UnsetType = UNSET
    state: str | UnsetType = UNSET
    state_base64: str | UnsetType = UNSET
    command_id: int | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    server_id: str | UnsetType = UNSET
    members: Raw | UnsetType = UNSET
    user_id: str | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    roles: Raw | UnsetType = UNSET
    request_id: str | UnsetType = UNSET
    correlation_id: str | UnsetType | None = UNSET
    caused_by: str | UnsetType | None = UNSET
    occurred_at: str | UnsetType = UNSET
    recorded_at: str | UnsetType = UNSET
    refused: bool | UnsetType = UNSET

    @property
    def before(self) -> int:
        """The position of the event before it."""
        return self.position - 1 if self.behind is UNSET else self.behind

    def row(self) -> Row:
        """The event as the log stores it. Raises `ValueError` where no log could hold it."""
        event = (self.position, self.stream, self.version, self.topic)
        if not (0 <= self.before < self.position <= LARGEST and 0 < self.version < LARGEST):
            raise ValueError("a position or version that none can have")
        if self.command_id is UNSET:
            return (*event, self._state(), *[None] * 13)
        return (*event, *self._of_command())

    def _state(self) -> str | bytes:
        if self.topic.startswith(PREFIX):
            raise ValueError(f"{self.topic!a} without its command")
        if isinstance(self.state, str):
            return self.state
        if isinstance(self.state_base64, str):
            return b64decode(self.state_base64, validate=True)
        raise ValueError("neither state nor state_base64")

    def _of_command(self) -> Row:
        values = [getattr(self, name) for name in _OF_COMMAND]
        if (
            any(one is UNSET for one in values)
            or self.data is UNSET
            or not self.topic.startswith(PREFIX)
        ):
            raise ValueError("a member is missing")
        state = _text(self.data)
        event = CODEC.decode(self.topic, state, self.position)
        server_id, refused = values[2], values[12]
        if refused != isinstance(event, CommandRefused):
            raise ValueError(f"refused: {refused!r} does not go with {self.topic!a}")
        limits.canonical_uuid("server_id", server_id)
        if self.stream != (refusals_of if refused else stream_of)(server_id):
            raise ValueError("stream: it is not the server's")
        if getattr(event, "server_id", server_id) != server_id:
            raise ValueError("data: it tells of another server")
        msgspec.json.decode(values[3], type=dict[str, Any])
        msgspec.json.decode(values[6], type=list[str])
        values[3], values[6] = _text(values[3]), _text(values[6])
        values[10], values[11] = _micros(values[10]), _micros(values[11])
        if not 0 < self.command_id <= LARGEST:  # type: ignore[operator]
            raise ValueError("a command_id that no command can have")
        return (state, *values[:12], int(refused))


_OF_COMMAND = Line.__struct_fields__[Line.__struct_fields__.index("command_id") :]
_encoder = msgspec.json.Encoder()
_decode = msgspec.json.Decoder(Line).decode
_read = msgspec.json.Decoder(Raw).decode


# What a row may hold is asked in one breath: column by column would cost as much as the rest.
_OURS = {
    (int, str, int, str, str, int, *[str] * 7, correlation_id, caused_by, int, int, int)
    for correlation_id, caused_by in product((str, NoneType), repeat=2)
}
_THEIRS = {(int, str, int, str, state, *[NoneType] * 13) for state in (str, bytes)}


def is_ours(row: Row) -> bool:
    """Whether an event with its command holds in each column what may be there."""
    return tuple(map(type, row)) in _OURS


class Lines:
    """Makes lines of a log's rows, in their order."""

    def __init__(self, log_id: str) -> None:
        self._log_id = log_id
        self._topics: set[str] = set()
        self._roles: dict[str, Raw] = {}
        self._micros, self._text = 0, moment.exact(0)

    def of(self, rows: Iterable[Row], before: int) -> bytes:
        """The lines of rows, each with its end; ``before`` is the position before the first.

        Raises `StoreDamaged` for a row that no log of ours could hold.
        """
        lines = []
        for row in rows:
            try:
                lines.append(self._line(row, before))
            except (ValueError, TypeError, OverflowError, RecursionError):
                raise _damaged(row[0]) from None
            before = row[0]
        try:
            return _encoder.encode_lines(lines)
        except (ValueError, OverflowError):
            return b"".join(map(_alone, lines))  # It says which of them.

    def _line(self, row: Row, before: int) -> Line:
        kinds = tuple(map(type, row))
        if kinds in _OURS:
            return self._ours(row, before)
        if kinds in _THEIRS:
            return self._theirs(row, before)
        raise TypeError

    def _ours(self, row: Row, before: int) -> Line:
        position, stream, version, topic, state, command_id, kind, server_id, members = row[:9]
        user_id, project_id, roles, request_id, correlation_id, caused_by = row[9:15]
        occurred_at, recorded_at, refused = row[15:]
        known = self._roles.get(roles)
        if known is None:
            known = self._roles[roles] = _json(roles, "[", "]")
        if topic not in self._topics:
            self._topics.add(_require_ours(topic))
        if refused not in (0, 1) or not (stream.isalnum() and stream.isascii()):
            raise ValueError
        recorded = self._time(recorded_at)
        return Line(
            self._log_id,
            position,
            stream,
            version,
            topic,
            UNSET if before == position - 1 else before,
            _json(state, "{", "}"),
            UNSET,
            UNSET,
            command_id,
            kind,
            server_id,
            _json(members, "{", "}"),
            user_id,
            project_id,
            known,
            request_id,
            correlation_id,
            caused_by,
            recorded if occurred_at == recorded_at else self._time(occurred_at),
            recorded,
            refused == 1,
        )

    def _time(self, micros: int) -> str:
        # Several events of a command have one.
        if micros != self._micros:
            if not moment.EARLIEST <= micros <= moment.LATEST:
                raise ValueError
            self._micros, self._text = micros, moment.exact(micros)
        return self._text

    def _theirs(self, row: Row, before: int) -> Line:
        position, stream, version, topic, state, *_ = row
        if topic.startswith(PREFIX):
            raise ValueError
        behind = UNSET if before == position - 1 else before
        line = Line(self._log_id, position, stream, version, topic, behind)
        if isinstance(state, bytes):
            return replace(line, state_base64=b64encode(state).decode())
        return replace(line, state=state)


def _alone(line: Line) -> bytes:
    try:
        return _encoder.encode(line) + b"\n"
    except (ValueError, OverflowError):
        raise _damaged(line.position) from None


def _damaged(position: object) -> StoreDamaged:
    return StoreDamaged(
        f"position {position!a} holds what no log is given: serverdomain check says more"
    )


def read(line: bytes, number: int) -> tuple[Line, Row]:
    """The line that the ``number`` counts, from 1, and its row.

    Raises `InvalidInput` for what is none, `UnknownEvent` for an event of a newer release.
    """
    try:
        if len(line) > LONGEST:
            raise ValueError(f"it is longer than {LONGEST} bytes")
        if not line.endswith(b"\n"):
            raise ValueError("it has no end, as one that was cut off")
        found = _decode(line)
        row = found.row()
    except (ValueError, TypeError, StoreDamaged, RecursionError) as error:
        why = "it is nested too deep"
        if not isinstance(error, RecursionError):
            why = str(error).partition("\n")[0]
        raise InvalidInput(
            f"line {number}", f"{why}; an event as serverdomain export writes it is allowed"
        ) from None
    return found, row


def _require_ours(topic: str) -> str:
    if not topic.startswith(PREFIX):
        raise ValueError
    return topic


def _json(text: str, first: str, last: str) -> Raw:
    """JSON as it is kept, on one line. Raises `ValueError` for anything else."""
    if not (text.startswith(first) and text.endswith(last)) or "\n" in text or "\r" in text:
        raise ValueError
    return _read(text)


def _micros(text: str) -> int:
    micros = moment.parse(text)
    if moment.exact(micros) != text:
        raise ValueError(f"{text!a}: a time in UTC with six digits of a second is allowed")
    return micros


def _text(raw: Raw) -> str:
    text = bytes(raw).decode()
    if "\r" in text:
        raise ValueError("a line break stands in it")
    return text
