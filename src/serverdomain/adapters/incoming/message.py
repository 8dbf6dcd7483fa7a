"""A message of a cloud, and what it became: facts about a server, or nothing that a server shows.

What a message becomes depends on it alone, never on what came before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct, field

from serverdomain.domain import limits, moment
from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.domain.events import Event
from serverdomain.errors import InvalidInput
from serverdomain.store.context import Context

_FITTING = 200
_NAIVE = re.compile(r"[^T ]+[T ][\d:.]+", re.ASCII)
_actor = lru_cache(maxsize=4096)(Actor)
_canonical = msgspec.json.Encoder(order="sorted").encode


class Reported(Struct, frozen=True):
    """The facts of one message about a server; ``occurred_at`` in microseconds since 1970 UTC."""

    server_id: str
    events: tuple[Event, ...]
    context: Context
    occurred_at: int


class PassedOver(Struct, frozen=True):
    """A message of a type that says nothing of a server here."""

    type: str


Read = Callable[[bytes], Iterable[Reported | PassedOver]]
"""Reads the messages of a JSON value; raises `InvalidInput` for one that cannot be read."""


Time = Annotated[str, Meta(max_length=64)]
"""Many messages bear the same one, which is kept once it was read: so it must be short."""


class Envelope(Struct):
    """What `oslo.messaging` puts around a payload, plain or within its own envelope."""

    inner: Raw = field(name="oslo.message", default=Raw(b""))
    event_type: str | None = None
    payload: Raw = Raw(b"null")
    message_id: str | None = None
    timestamp: Time | None = None
    request_id: Any = field(name="_context_request_id", default=None)
    global_request_id: Any = field(name="_context_global_request_id", default=None)
    user_id: Any = field(name="_context_user_id", default=None)
    project_id: Any = field(name="_context_project_id", default=None)


_read_envelope = msgspec.json.Decoder(Envelope).decode
_read_text = msgspec.json.Decoder(str).decode
_read_any = msgspec.json.Decoder().decode


def decoded(read: Callable[[bytes], Any], raw: bytes, what: str) -> Any:
    """What a decoder makes of JSON. Raises `InvalidInput`."""
    try:
        return read(raw)
    except msgspec.ValidationError as error:
        raise InvalidInput(what, _words(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(what, f"is no JSON: {error}") from None
    except RecursionError:
        raise InvalidInput(what, "is nested too deep") from None


def _words(error: msgspec.ValidationError) -> str:
    return str(error).replace("`", "").replace("$.", "")


def unwrapped(raw: bytes) -> tuple[Envelope, bytes]:
    """A message, and its own JSON: within `oslo.messaging`'s envelope it is text."""
    envelope: Envelope = decoded(_read_envelope, raw, "message")
    inner = bytes(envelope.inner)
    if not inner:
        return envelope, raw
    if inner.startswith(b'"'):
        inner = decoded(_read_text, inner, "oslo.message").encode()
    return decoded(_read_envelope, inner, "oslo.message"), inner


def identity(envelope: Envelope, raw: bytes) -> str:
    """What makes a message the same as one that came before: its id, else its canonical hash."""
    if envelope.message_id:
        return envelope.message_id
    return hash_of(decoded(_read_any, raw, "message"))


def hash_of(value: object) -> str:
    """The SHA-256, in hex, of a value's canonical JSON."""
    return hashlib.sha256(_canonical(value)).hexdigest()


def context(
    source: str, named: str, actor: Actor, request_id: Any, global_request_id: Any = None
) -> Context:
    """The context of a message's command.

    Its request id is made from the message's identity; the cloud's own, which many messages bear,
    is what caused it.
    """
    try:
        if len(named) <= _FITTING:
            return Context(actor, f"{source}-{named}", global_request_id, request_id)
    except InvalidInput:
        pass  # One of them is none, or not what every source calls one.
    own = f"{source}-{named}" if len(named) <= _FITTING and _is_id(named) else None
    return Context(
        actor,
        own or f"{source}-{hash_of(named)}",
        global_request_id if _is_id(global_request_id) else None,
        request_id if _is_id(request_id) else None,
    )


def _is_id(given: object) -> bool:
    try:
        limits.request_id("request_id", given)
    except InvalidInput:
        return False
    return True


def actor(*given: tuple[object, object]) -> Actor:
    """The first of these users and projects that is one, else the system itself."""
    for user_id, project_id in given:
        if isinstance(user_id, str) and user_id:
            has_project = isinstance(project_id, str) and project_id
            return _actor(user_id, project_id if has_project else SYSTEM.project_id)
    return SYSTEM


def utc(text: str, name: str) -> int:
    """A time of Nova's, in microseconds since 1970 UTC; one without a zone is UTC.

    Raises `InvalidInput`.
    """
    # What is no time in either way is told as it came.
    return moment.parse(f"{text}Z" if _NAIVE.fullmatch(text) else text, name)
