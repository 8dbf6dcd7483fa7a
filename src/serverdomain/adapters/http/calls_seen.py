"""The last thousand calls and their answers, to be asked what a client sent; without secrets."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.responses import Response

from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.secrets import without_secrets
from serverdomain.domain import moment

MOST = 1000


@dataclass(frozen=True)
class CallSeen:
    """A call, its ``answer`` (``None`` where the connection was dropped), and the ``fault``'s id.

    ``at`` is the clock's time, aware.
    """

    call: Call
    at: datetime
    answer: Response | None
    fault: str | None

    @property
    def server_id(self) -> str | None:
        """The server that the path names, or that the call made."""
        if self.call.route == "servers.create" and self.answer is not None:
            made = without_secrets(bytes(self.answer.body))
            return made["server"]["id"] if "server" in made else None
        return self.call.server_id

    def as_json(self) -> dict[str, Any]:
        """What ``/control/requests`` shows of it."""
        call, answer = self.call, self.answer
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
            "fault": self.fault,
            "answer": None
            if answer is None
            else {
                "status": answer.status_code,
                "headers": dict(answer.headers),
                "body": without_secrets(bytes(answer.body)),
            },
        }


class CallsSeen:
    """A list of calls that forgets the oldest."""

    def __init__(self) -> None:
        self._seen: deque[CallSeen] = deque(maxlen=MOST)

    def add(self, call: Call, at: datetime, answer: Response | None, fault: str | None) -> None:
        """Remember a call."""
        self._seen.append(CallSeen(call, at, answer, fault))

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
