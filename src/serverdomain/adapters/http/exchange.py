"""One request on its way to its answer: what it says of itself, and what became known of it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from starlette.responses import Response
from starlette.types import Scope

from serverdomain.adapters.http import log, microversion, request_ids
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.faults import Fault, fault
from serverdomain.domain.limits import shown
from serverdomain.errors import ServerdomainError, StoreError
from serverdomain.store.context import new_request_id

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}", re.ASCII)


class Exchange:
    """A request and what became known of it: its id, its route's name, its server, its call.

    ``answers_v21`` is whether the answer says the version that it was given in.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: str = scope.get("query_string", b"").decode("latin-1")
        self.headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.request_id = new_request_id()
        self.key_sent = False
        self.route: str | None = None
        self.server_id: str | None = None
        self.call: Call | None = None
        self.answers_v21 = False

    @property
    def is_read(self) -> bool:
        """Whether it only asks."""
        return self.method in ("GET", "HEAD")

    @property
    def correlation_id(self) -> str | None:
        """The client's global request id."""
        return request_ids.correlation_id_of(self.headers)

    def segments(self) -> list[str]:
        """The path's segments, below the place where the app is mounted."""
        raw, mounted = self.scope.get("raw_path"), self.scope.get("root_path")
        path: bytes = quote(self.path).encode() if raw is None else raw.partition(b"?")[0]
        if mounted:
            path = path.removeprefix(quote(mounted).encode())
        try:
            if b"%" not in path:
                return [part for part in path.decode().split("/") if part]
            # Cut before it is decoded: a tenant may have a slash of its own, as %2F.
            return [unquote_to_bytes(part).decode() for part in path.split(b"/") if part]
        except UnicodeDecodeError:
            raise Fault(400, "Malformed request URL: its path is no UTF-8") from None

    def root(self) -> str:
        """The root that links begin with: the request's scheme and host, and the app's mount."""
        host = self.headers.get("host")
        if host is None:
            name, port = self.scope.get("server") or ("localhost", None)
            host = name if port is None else f"{name}:{port}"
        if not _HOST.fullmatch(host):
            raise Fault(400, f"Host: {shown(host)} came, a name with or without a port is allowed")
        mounted = quote(self.scope.get("root_path", ""))
        return f"{self.scope.get('scheme', 'http')}://{host}{mounted}"

    def refusal(self, error: Exception) -> Response:
        """The answer to what was raised on the way, which the log is told of."""
        if isinstance(error, StoreError) or not isinstance(error, Fault | ServerdomainError):
            log.trouble(error, self.request_id, self.route)
        elif self.call is not None and not self.is_read:
            log.refused(self.call, error)
        return fault(error, key_sent=self.key_sent, request_id=self.request_id)

    def complete(self, response: Response) -> Response:
        """An answer with what every answer has: the call's id, and on `/v2.1` the version."""
        named = self.request_id.encode()
        response.raw_headers.extend((name, named) for name in request_ids.ID_HEADERS)
        if self.answers_v21:
            response.raw_headers.extend(microversion.HEADERS)
        if self.method == "HEAD":
            response.body = b""
        return response
