"""The last thousand calls and their answers, without secrets.

Secrets are hidden when a call is kept, not when it is shown: memory may end up in a core file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from starlette.responses import Response

from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.secrets import hidden, without_secrets
from serverdomain.domain import moment

MOST = 1000

LARGEST = 32 * 1024
"""The largest body that is kept, in bytes; of a larger one only the size is."""


class CallSeen(Struct, frozen=True):
    """A call, its answer's ``status`` (``None`` if it was dropped), and the id of its ``fault``.

    ``at`` is the clock's time, aware. Of bodies over `LARGEST` only the sizes are kept. The caller
    and ``body_bytes`` are ``None`` if the call was answered before they were known.
    """

    request_id: str
    correlation_id: str | None
    at: datetime
    route: str | None
    method: str
    path: str
    query: str
    named: str | None
    user_id: str | None
    project_id: str | None
    headers: Mapping[str, str]
    body: bytes
    body_bytes: int | None
    fault: str | None
    status: int | None
    answer_headers: list[tuple[bytes, bytes]]
    answer: bytes
    answer_bytes: int

    @property
    def server_id(self) -> str | None:
        """The server that the path names, or that the call made."""
        if self.route == "servers.create" and self.status == 202:
            made = without_secrets(self.answer)
            return made["server"]["id"] if isinstance(made, dict) and "server" in made else None
        return self.named

    def as_json(self) -> dict[str, Any]:
        """What ``/control/requests`` shows of it."""
        return {
            "request_id": self.request_id,
            "correlation_id": self.correlation_id,
            "at": moment.exact(moment.to_micros(self.at)),
            "route": self.route,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "server_id": self.server_id,
            "user_id": self.user_id,
            "project_id": self.project_id,
            "headers": self.headers,
            "body": without_secrets(self.body),
            "body_bytes": self.body_bytes,
            "fault": self.fault,
            "answer": None
            if self.status is None
            else {
                "status": self.status,
                "headers": {
                    name.decode("latin-1"): value.decode("latin-1")
                    for name, value in self.answer_headers
                },
                "body": without_secrets(self.answer),
                "body_bytes": self.answer_bytes,
            },
        }


class CallsSeen:
    """The latest calls; older ones are forgotten."""

    def __init__(self) -> None:
        self._seen: deque[CallSeen] = deque(maxlen=MOST)

    def add(self, call: Call, at: datetime, answer: Response | None, fault: str | None) -> None:
        """Remember a call, its answer, if it got one, and the fault that struck it, if one did."""
        known = call.admitted
        self._seen.append(
            CallSeen(
                request_id=call.request_id,
                correlation_id=call.correlation_id,
                at=at,
                route=call.route,
                method=call.method,
                path=call.path,
                query=call.query,
                named=call.server_id,
                user_id=call.actor.user_id if known else None,
                project_id=call.actor.project_id if known else None,
                headers=call.headers,
                body=_kept(call.sent),
                body_bytes=len(call.sent) if known else None,
                fault=fault,
                **_answered(answer, call.method),
            )
        )

    def of(self, server_id: str | None = None, route: str | None = None) -> list[CallSeen]:
        """Calls, oldest first: all, or those about a server, or of a route, or both."""
        return [
            seen
            for seen in self._seen.copy()
            if (server_id is None or seen.server_id == server_id)
            and (route is None or seen.route == route)
        ]

    def clear(self) -> None:
        """Forget all."""
        self._seen.clear()


def _answered(answer: Response | None, method: str) -> dict[str, Any]:
    body = b"" if answer is None else bytes(answer.body)
    return {
        "status": None if answer is None else answer.status_code,
        # The list itself: the headers of every answer are added to it later.
        "answer_headers": [] if answer is None else answer.raw_headers,
        # Only the answer to a change may hold a secret.
        "answer": body if method == "GET" and len(body) <= LARGEST else _kept(body),
        "answer_bytes": len(body),
    }


def _kept(body: bytes) -> bytes:
    return hidden(body) if 0 < len(body) <= LARGEST else b""
