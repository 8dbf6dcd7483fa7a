"""What the endpoint logs of its calls and their outcomes, with the request id.

Lines go to the standard library's loggers ``serverdomain.access`` and ``serverdomain.domain``, as a
few words and fields beside them; `as_json` writes them as a line of JSON each. No field ever holds
a body, a password or a token.
"""

from __future__ import annotations

import logging
from time import time
from traceback import walk_tb
from typing import Any, TextIO

import msgspec
from starlette.types import Scope

from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.lines_apart import LinesApart
from serverdomain.domain import moment
from serverdomain.domain.limits import shown
from serverdomain.errors import ServerdomainError
from serverdomain.servers import Accepted

ACCESS = logging.getLogger("serverdomain.access")
DOMAIN = logging.getLogger("serverdomain.domain")


def answered(call: Call, status: int | None, seconds: float) -> None:
    """A call was answered; without a ``status`` it got no answer."""
    if not ACCESS.isEnabledFor(logging.INFO):
        return
    fields = _asked(call.method, call.path, status, seconds, call.request_id, call.route)
    if call.admitted:
        fields["user_id"] = call.actor.user_id
        fields["project_id"] = call.actor.project_id
        if call.correlation_id is not None:
            fields["correlation_id"] = call.correlation_id
    _tell(ACCESS, "answered" if status is not None else "left without an answer", fields)


def visited(scope: Scope, status: int, seconds: float, request_id: str) -> None:
    """A page was shown, or why it was not; what was asked of it is not told."""
    if ACCESS.isEnabledFor(logging.INFO):
        fields = _asked(scope["method"], scope["path"], status, seconds, request_id, "audit")
        _tell(ACCESS, "answered", fields)


def happened(call: Call, accepted: Accepted) -> None:
    """A command was taken, now or, if this is a retry, before."""
    if not DOMAIN.isEnabledFor(logging.INFO):
        return
    fields: dict[str, Any] = {
        **_about(call, accepted.server.id),
        "events": [type(event).__name__ for event in accepted.events],
        "position": accepted.position,
        "replayed": accepted.replayed,
    }
    if call.dropped:
        fields["dropped"] = [shown(name)[1:-1] for name in call.dropped[:_MOST_NAMES]]
    _tell(DOMAIN, "taken", fields)


def refused(call: Call, error: Exception) -> None:
    """A command was refused; ``error``, one of ours, says why."""
    if DOMAIN.isEnabledFor(logging.INFO):
        fields = {**_about(call, call.server_id), "why": str(error)}
        DOMAIN.info("refused", extra=fields)


def trouble(error: Exception, request_id: str, route: str | None) -> None:
    """The store could not be used, or an error came that nobody foresaw.

    What a frame held is never logged: it may be a password. Of the unforeseen the type and where it
    was raised are told.
    """
    fields = {"request_id": request_id, "route": route, "error": type(error).__name__}
    if isinstance(error, ServerdomainError):
        DOMAIN.error("store trouble", extra={**fields, "why": str(error)})
        return
    DOMAIN.error("unexpected", extra={**fields, "at": _places(error)})


def as_json(stream: TextIO, level: int = logging.INFO) -> logging.Handler:
    """Write what ``serverdomain`` logs to a stream, each line as JSON; gives the handler.

    A stream with a file descriptor is written to by a thread, so that no call waits for its reader:
    see `LinesApart`. Close the handler after use.
    """
    handler: logging.Handler
    try:
        handler = LinesApart(stream.fileno())
    except OSError:
        handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("serverdomain")
    logger.addHandler(handler)
    logger.setLevel(level)
    return handler


class _Record(logging.LogRecord):
    """A record of a call that is cheap to make: logging is a good part of what a call costs.

    Where in the code it was made is not looked for, nor in which thread.
    """

    def __init__(self, name: str, message: str, fields: dict[str, Any]) -> None:
        now = time()
        self.__dict__ = {
            **_ALIKE,
            "name": name,
            "msg": message,
            "created": now,
            "msecs": now % 1 * 1000,
            **fields,
        }


class JsonLines(logging.Formatter):
    """A record as a line of JSON: ``timestamp``, ``level``, ``logger``, ``event``, its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "timestamp": moment.exact(int(record.created * 1_000_000)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line).decode()


# What every record has; the rest are fields.
_STANDARD = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})
_encode = msgspec.json.Encoder(enc_hook=repr).encode
_ALIKE = vars(logging.LogRecord(ACCESS.name, logging.INFO, __file__, 0, "", (), None))

_MOST_NAMES = 30


def _tell(logger: logging.Logger, message: str, fields: dict[str, Any]) -> None:
    logger.handle(_Record(logger.name, message, fields))


def _asked(
    method: str, path: str, status: int | None, seconds: float, request_id: str, route: str | None
) -> dict[str, Any]:
    return {
        "method": method,
        "path": path if path.isprintable() else shown(path)[1:-1],
        "status": status,
        "milliseconds": round(seconds * 1000, 3),
        "request_id": request_id,
        "route": route,
    }


def _about(call: Call, server_id: str | None) -> dict[str, Any]:
    return {
        "asked": call.route,
        "server_id": server_id,
        "user_id": call.actor.user_id,
        "project_id": call.actor.project_id,
        "request_id": call.request_id,
        "correlation_id": call.correlation_id,
    }


def _places(error: BaseException) -> list[str]:
    frames = ((frame.f_code, line) for frame, line in walk_tb(error.__traceback__))
    return [f"{code.co_filename}:{line} {code.co_qualname}" for code, line in frames]
