"""CADF records of calls to Nova's API, as keystonemiddleware's audit filter writes them.

They say that something was asked, by whom, from where and how it ended, never what: each becomes
one `CallReported`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

import msgspec
from msgspec import UNSET, Struct, field

from serverdomain.adapters.incoming.message import (
    PassedOver,
    Reported,
    actor,
    context,
    decoded,
    unwrapped,
)
from serverdomain.domain import events as e
from serverdomain.domain import limits, moment
from serverdomain.errors import InvalidInput

_SERVER = re.compile(r"/servers/([^/?]+)")
_ZONE = re.compile(r"([+-]\d\d)(\d\d)$")
_COLLECTIONS = ("detail", "action")  # What stands behind /servers/ and is no server.


class _Host(Struct):
    address: str | None = None


class _Initiator(Struct):
    id: str | None = None
    project_id: str | None = None
    request_id: str | None = None
    global_request_id: str | None = None
    host: _Host | None = None


class _Reason(Struct):
    code: str | int | None = field(name="reasonCode", default=None)


class _Record(Struct):
    id: str
    action: str
    outcome: str
    at: str = field(name="eventTime")
    initiator: _Initiator = field(default_factory=_Initiator)
    reason: _Reason | None = None
    path: str | None = field(name="requestPath", default=None)


_read_record = msgspec.json.Decoder(_Record).decode


def read(raw: bytes) -> Iterator[Reported | PassedOver]:
    """What one record becomes, in a notification or bare. Raises `InvalidInput`."""
    envelope, own = unwrapped(raw)
    kind = envelope.event_type
    if kind and not kind.startswith("audit."):
        yield PassedOver(kind)
        return
    content = bytes(envelope.payload) if kind else own
    record: _Record = decoded(_read_record, content, "record")
    server_id = _server(record.path)
    if server_id is None:
        yield PassedOver(record.action)
        return
    who = record.initiator
    asked = context(
        "cadf",
        # A call is told twice under one id, as it comes and as it is answered.
        envelope.message_id or f"{record.id}/{record.outcome}",
        actor((who.id, who.project_id), (envelope.user_id, envelope.project_id)),
        who.request_id or envelope.request_id,
        who.global_request_id or envelope.global_request_id,
    )
    address = who.host.address if who.host else None
    call = e.CallReported(
        action=record.action,
        outcome=limits.one_of("outcome", record.outcome, get_args(e.CallOutcome)),  # type: ignore[arg-type]
        code=UNSET if record.reason is None else _code(record.reason.code),
        address=address or UNSET,
    )
    at = moment.parse(_ZONE.sub(r"\1:\2", record.at), "eventTime")
    yield Reported(server_id, (call,), asked, at)


def _server(path: str | None) -> str | None:
    found = _SERVER.search(path or "")
    if found is None or found[1] in _COLLECTIONS:
        return None
    return limits.canonical_uuid("requestPath", found[1])


def _code(given: str | int | None) -> int | msgspec.UnsetType:
    if given is None:
        return UNSET
    text = str(given)
    if not re.fullmatch("[1-5][0-9][0-9]", text):
        raise InvalidInput("reasonCode", f"{limits.shown(given)} came, 100 to 599 is allowed")
    return int(text)
