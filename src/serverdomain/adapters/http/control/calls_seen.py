"""The last calls and their answers, without secrets: a thousand, or as many as weigh so much.

Secrets are hidden when a call is kept, not when it is shown: memory may end up in a core file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from starlette.responses import Response

from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.secrets import as_it_stands, hidden, without_secrets
from serverdomain.domain import moment

MOST = 1000
"""The most calls that are kept."""

MOST_BYTES = 16 * 1024 * 1024
"""What the calls weigh that are kept, at most."""

LARGEST = 32 * 1024
"""The largest body that is kept, in bytes; of a larger one only the size is."""

_BARE, _TEXT = 4 * 1024, 80  # Bytes of a call, and of a text in it, whatever stands there.


class AnswerSeen(Struct, frozen=True):
    """The answer to a call, as it was sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    body_bytes: int

    def as_json(self) -> dict[str, Any]:
        """What ``/control/requests`` shows of it, its body as JSON that is written already."""
        headers = (
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers
        )
        return {
            **asdict(self),
            "headers": dict(headers),
            "body": as_it_stands(hidden(self.body)),
        }


class CallSeen(Struct, frozen=True):
    """A call, its ``answer`` (``None`` if it was dropped), and the id of its ``fault``.

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
    server_id: str | None
    user_id: str | None
    project_id: str | None
    headers: Mapping[str, str]
    body: bytes
    body_bytes: int | None
    fault: str | None
    answer: AnswerSeen | None

    @property
    def weight(self) -> int:
        """What it weighs in memory, in bytes, roughly."""
        texts = [self.path, self.query, self.body, *self.headers, *self.headers.values()]
        body = 0 if self.answer is None else len(self.answer.body)
        return _BARE + body + _TEXT * len(texts) + sum(map(len, texts))

    @property
    def about(self) -> str | None:
        """The server that the path names, or that the call made."""
        if self.route == "servers.create" and self.answer is not None and self.answer.status == 202:
            made = without_secrets(self.answer.body)
            return made["server"]["id"] if isinstance(made, dict) and "server" in made else None
        return self.server_id

    def as_json(self) -> dict[str, Any]:
        """What ``/control/requests`` shows of it, its body as JSON that is written already."""
        return {
            **asdict(self),
            "at": moment.exact(moment.to_micros(self.at)),
            "server_id": self.about,
            "body": as_it_stands(self.body),
            "answer": None if self.answer is None else self.answer.as_json(),
        }


class CallsSeen:
    """The latest calls; older ones are forgotten."""

    def __init__(self) -> None:
        self._seen: deque[tuple[CallSeen, int]] = deque()
        self.weight = 0
        """What all of them weigh."""

    def add(self, call: Call, at: datetime, answer: Response | None, fault: str | None) -> None:
        """Remember a call, its answer, if it got one, and the fault that struck it, if one did."""
        known = call.admitted
        self._keep(
            CallSeen(
                request_id=call.request_id,
                correlation_id=call.correlation_id,
                at=at,
                route=call.route,
                method=call.method,
                path=call.path,
                query=call.query,
                server_id=call.server_id,
                user_id=call.actor.user_id if known else None,
                project_id=call.actor.project_id if known else None,
                headers=call.headers,
                body=_kept(call.sent),
                body_bytes=len(call.sent) if known else None,
                fault=fault,
                answer=_answered(answer, call.method),
            )
        )

    def _keep(self, seen: CallSeen) -> None:
        weight = seen.weight
        self._seen.append((seen, weight))
        self.weight += weight
        while self.weight > MOST_BYTES or len(self._seen) > MOST:
            self.weight -= self._seen.popleft()[1]

    def of(
        self, servers: Collection[str] | None = None, routes: Collection[str] | None = None
    ) -> list[CallSeen]:
        """Calls, oldest first: all, or those about any of some servers, of some routes, or both."""
        return [
            seen
            for seen, _ in self._seen.copy()
            if (servers is None or seen.about in servers)
            and (routes is None or seen.route in routes)
        ]

    def clear(self) -> None:
        """Forget all."""
        self._seen.clear()
        self.weight = 0


def _answered(answer: Response | None, method: str) -> AnswerSeen | None:
    if answer is None:
        return None
    body = bytes(answer.body)
    # Only the answer to a change may hold a secret.
    kept = body if method == "GET" and len(body) <= LARGEST else _kept(body)
    # The list itself: the headers of every answer are added to it later.
    return AnswerSeen(answer.status_code, answer.raw_headers, kept, len(body))


def _kept(body: bytes) -> bytes:
    return hidden(body) if 0 < len(body) <= LARGEST else b""
