"""Answers: JSON, written by msgspec in one step, and the envelope of every fault."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.responses import Response

from serverdomain.errors import (
    Conflict,
    InvalidBody,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    Refused,
    RequestIdTaken,
    ServerdomainError,
    StoreError,
)

encode = msgspec.json.Encoder().encode

NAMES = {
    400: "badRequest",
    401: "unauthorized",
    403: "forbidden",
    404: "itemNotFound",
    405: "badMethod",
    409: "conflictingRequest",
    413: "overLimit",
    415: "badMediaType",
    429: "overLimit",
    501: "notImplemented",
    503: "serviceUnavailable",
}
"""A fault's name by its status; of any other it is ``computeFault``."""

OF_RULE = {"role": 403, "lock": 409, "state": 409, "image": 400, "quota": 403, "time": 400}
"""The status of a refusal by the rule that said no."""

# The first that fits: a taken request id is a conflict, too.
_STATUSES = {RequestIdTaken: 422, Conflict: 409, NotFound: 404, InvalidInput: 400}

NOWHERE = "The resource could not be found."


class CallFault(Exception):
    """A refusal that only HTTP knows: a status, what came and what is allowed."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        self.status = status
        self.headers = headers
        super().__init__(message)


def answer(content: Any, status: int = 200, **headers: str) -> Response:
    """A response with JSON."""
    return written(encode(content), status, **headers)


def written(content: bytes, status: int = 200, **headers: str) -> Response:
    """A response with JSON that is written already."""
    return Response(content, status, headers or None, "application/json")


def empty(status: int) -> Response:
    """A response without a body."""
    return Response(None, status)


def envelope(status: int, message: str, name: str | None = None, **headers: str) -> Response:
    """The answer that names a fault."""
    name = name or NAMES.get(status, "computeFault")
    return answer({name: {"code": status, "message": message}}, status, **headers)


def fault(error: Exception, *, key_sent: bool = False) -> Response:
    """The answer to an error; of one that nobody foresaw it tells nothing.

    ``key_sent`` is whether the call had an ``Idempotency-Key``, under which it may be repeated.
    """
    if isinstance(error, CallFault):
        headers = {name.replace("_", "-"): value for name, value in error.headers.items()}
        return envelope(error.status, str(error), **headers)
    if isinstance(error, InvalidBody):
        return envelope(error.status, str(error), error.fault)
    if isinstance(error, StoreError):
        return envelope(503, _repeat(error, key_sent))
    if isinstance(error, ServerdomainError):
        return envelope(_status(error), str(error))
    return envelope(500, "Unexpected API Error.")


def is_trouble(error: Exception) -> bool:
    """Whether an operator should look at it: the store's error, or one that nobody foresaw."""
    return isinstance(error, StoreError) or not isinstance(error, CallFault | ServerdomainError)


def _status(error: ServerdomainError) -> int:
    if isinstance(error, Refused):
        return OF_RULE[error.rule]
    return next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), 500)


def _repeat(error: StoreError, key_sent: bool) -> str:
    # Where the store is, is for the operator to know, and stands in the log.
    what, how = "nothing happened", "repeat the call, best under an Idempotency-Key."
    if isinstance(error, OutcomeUnknown):
        what = "whether it happened is unknown"
        how = (
            f"look for {error.request_id} in os-instance-actions before you repeat the call. "
            "Under an Idempotency-Key you could repeat it at once."
        )
    if key_sent:
        how = "repeat the call under its Idempotency-Key."
    return f"The store cannot be used, {what}: {how}"
