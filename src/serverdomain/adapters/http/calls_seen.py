"""The last thousand calls and their answers, to be asked what a client sent; without secrets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from starlette.responses import Response

from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.secrets import without_secrets
from serverdomain.domain import moment

MOST = 1000

LARGEST = 32 * 1024
"""Bytes of a body that are kept: of a larger one the size alone is told."""


@dataclass(frozen=True)
class CallSeen:
    """A call, its ``answer`` (``None`` where the connection was dropped), and the ``fault``'s id.

    ``at`` is the clock's time, aware; of bodies over `LARGEST` only the sizes are left.
    """

    call: Call
    at: datetime
    fault: str | None
    status: int | None
    headers: list[tuple[bytes, bytes]]
    answer: bytes
    body_bytes: int
    answer_bytes: int

    @property
    def server_id(self) -> str | None:
        """The server that the path names, or that the call made."""
        if self.call.route == "servers.create" and self.status == 202:
            made = without_secrets(self.answer)
            return made["server"]["id"] if isinstance(made, dict) and "server" in made else None
        return self.call.server_id

    def as_json(self) -> dict[str, Any]:
        """What ``/control/requests`` shows of it."""
        call = self.call
        return {
            "request_id": call.request_id,
            "correlation_id": call.correlation_id,
            "at": moment.exact(moment.to_micros(self.at)),
            "route": call.route,
            "method": call.method,
            "path": call.path,
            "query": call.query,
            "server_id": self.server_id,
            "user_id": call.actor.user_id,
            "project_id": call.actor.project_id,
            "headers": call.headers,
            "body": call.body,
            "body_bytes": self.body_bytes,
            "fault": self.fault,
            "answer": None
            if self.status is None
            else {
                "status": self.status,
                "headers": {
                    name.decode("latin-1"): value.decode("latin-1") for name, value in self.headers
                },
                "body": without_secrets(self.answer),
                "body_bytes": self.answer_bytes,
            },
        }


class CallsSeen:
    """A list of calls that forgets the oldest."""

    def __init__(self) -> None:
        self._seen: deque[CallSeen] = deque(maxlen=MOST)

    def add(self, call: Call, at: datetime, answer: Response | None, fault: str | None) -> None:
        """Remember a call."""
        sent = len(call.sent)
        body = b"" if answer is None else bytes(answer.body)
        self._seen.append(
            CallSeen(
                call=call if sent <= LARGEST else replace(call, sent=b""),
                at=at,
                fault=fault,
                status=None if answer is None else answer.status_code,
                headers=[] if answer is None else answer.raw_headers,
                answer=body if len(body) <= LARGEST else b"",
                body_bytes=sent,
                answer_bytes=len(body),
            )
        )

    def of(self, server_id: str | None = None, route: str | None = None) -> list[CallSeen]:
        """Calls, oldest first: all, or those about a server, or of a route, or both."""
        return [
            seen
            for seen in self._seen.copy()
            if (server_id is None or seen.server_id == server_id)
            and (route is None or seen.call.route == route)
        ]

    def clear(self) -> None:
        """Forget all."""
        self._seen.clear()
