"""A call: a request, and what becomes known about it on its way to an answer."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote_to_bytes
from uuid import NAMESPACE_OID, NAMESPACE_URL, UUID, uuid5

from starlette.types import Scope

from serverdomain.adapters.compute_json import Json, Path
from serverdomain.adapters.compute_json.answer import url
from serverdomain.adapters.http.calls import head
from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.adapters.http.calls.secrets import hidden_headers, without_secrets
from serverdomain.domain import limits
from serverdomain.domain.actor import Actor
from serverdomain.errors import InvalidInput
from serverdomain.store.context import Context, new_request_id

KEY = "idempotency-key"
GLOBAL = "x-openstack-request-id"

_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}", re.ASCII)
_KEY = re.compile(r"[ -~]{0,254}[!-~]")
_ESCAPED = re.compile(r'\\(["\\])')


class Call:
    """A request, and what has become known about it.

    ``segments`` are those of the path, below the place where the app is mounted (``None`` if it is
    no UTF-8), ``correlation_id`` the client's global request id; ``repeats`` is whether a field of
    its head came on several lines. ``route`` is the route's name (``"servers.rebuild"``), ``None``
    until one is found; ``api`` is the API of the path, ``project`` its project, if it has one, and
    ``item`` what it names besides a server (a metadata key, an action's request id, an image, a
    flavor).

    A call that was ``admitted`` also has its ``actor``; ``within``, the one project whose servers
    it may reach (``None`` for an administrator's); ``endpoint``, the root that links begin with;
    ``sent``, its body; ``json``, the body that was parsed; and ``dropped``, the members of a create
    that decide nothing here.

    ``sent`` and ``sent_headers`` hold secrets: show `body` and `headers` instead.
    """

    actor: Actor
    json: Json

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: str = scope.get("query_string", b"").decode("latin-1")
        self.sent_headers: dict[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self.repeats = len(self.sent_headers) < len(scope["headers"])
        if self.repeats:
            self.sent_headers = head.fields(scope["headers"])
        self.segments = _segments(scope)
        self.is_read = self.method in ("GET", "HEAD")
        self.correlation_id = _correlation_id(self.sent_headers.get(GLOBAL))
        self.key_sent = False
        self.route: str | None = None
        self.api: Path = "v2"
        self.project: str | None = None
        self.server_id: str | None = None
        self.item: str | None = None
        self.admitted = False
        self.within: str | None = None
        self.endpoint = ""
        self.sent = b""
        self.dropped: tuple[str, ...] = ()
        self.request_id = new_request_id()

    def url(self, *segments: str) -> str:
        """The URL of something below the API and the project of the call's own path."""
        return url(self.endpoint, self.api, self.project, *segments)

    def links(self, *segments: str) -> list[dict[str, str]]:
        """That, and the URL without the API's version, as the documented answers show them."""
        bookmark = url(self.endpoint, self.project, *segments)
        return [{"href": self.url(*segments), "rel": "self"}, {"href": bookmark, "rel": "bookmark"}]

    def named(self, of: str, identity: str, name: str) -> dict[str, Any]:
        """What a list shows of something: its id, its name and its links."""
        return {"id": identity, "name": name, "links": self.links(of, identity)}

    def root(self) -> str:
        """The root that links begin with: the request's scheme and host, and the app's mount."""
        host = self.sent_headers.get("host")
        if host is None:
            name, port = self.scope.get("server") or ("localhost", None)
            host = name if port is None else f"{name}:{port}"
        if not _HOST.fullmatch(host):
            came = limits.shown(host)
            raise CallFault(400, f"Host: {came} came, a name with or without a port is allowed")
        mounted = quote(self.scope.get("root_path", ""))
        return f"{self.scope.get('scheme', 'http')}://{host}{mounted}"

    def take_key(self, project_id: str) -> None:
        """Take the request id that a project's calls under one ``Idempotency-Key`` share.

        ``"k"`` and a bare ``k`` are one key. Raises `InvalidInput` if what came is no key.
        """
        given = self.sent_headers[KEY]
        key = given.strip()
        if len(key) >= 2 and key[0] == key[-1] == '"':
            key = _ESCAPED.sub(r"\1", key[1:-1])
        if not _KEY.fullmatch(key):
            raise InvalidInput(
                "Idempotency-Key",
                f"{limits.shown(key)} came, 1 to 255 printable ASCII characters are allowed",
            )
        self.key_sent = True
        self.request_id = f"req-{_shared_by(project_id, key)}"

    @property
    def context(self) -> Context:
        """The envelope of the command that it asks for."""
        return Context(self.actor, self.request_id, self.correlation_id)

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers by their lower-case names, without secrets."""
        return hidden_headers(self.sent_headers)

    @property
    def body(self) -> Any:
        """The request's JSON without secrets; ``None`` where there is none."""
        return without_secrets(self.sent)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # Whoever prints a call, or a frame that holds one, sees no secret.
        return [(name, getattr(self, name)) for name in ("route", "method", "path", "request_id")]

    def __repr__(self) -> str:
        return f"Call({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"


def _shared_by(project_id: str, key: str) -> UUID:
    if ":" not in project_id:
        return uuid5(NAMESPACE_URL, f"serverdomain:{project_id}:{key}")
    # Else project `a:b` with key `c` would be project `a` with key `b:c`.
    return uuid5(NAMESPACE_OID, f"serverdomain:{len(project_id)}:{project_id}:{key}")


def _correlation_id(given: str | None) -> str | None:
    # A malformed one is overlooked, as Nova does.
    try:
        return None if given is None else limits.request_id(GLOBAL, given)
    except InvalidInput:
        return None


def _segments(scope: Scope) -> list[str] | None:
    raw, mounted = scope.get("raw_path"), scope.get("root_path")
    path: bytes = quote(scope["path"]).encode() if raw is None else raw.partition(b"?")[0]
    if mounted:
        path = path.removeprefix(quote(mounted).encode())
    try:
        if b"%" not in path:
            return [part for part in path.decode().split("/") if part]
        # Cut before it is decoded: a tenant may have a slash of its own, as %2F.
        return [unquote_to_bytes(part).decode() for part in path.split(b"/") if part]
    except UnicodeDecodeError:
        return None
