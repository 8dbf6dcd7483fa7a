"""A call: what was asked, by whom, under which ids, once it is known which route it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from serverdomain.adapters.compute_json import Path
from serverdomain.adapters.http.secrets import hidden_headers, without_secrets
from serverdomain.domain.actor import Actor
from serverdomain.store.context import Context


class Call(Struct, frozen=True, kw_only=True):
    """A request that found its route and its caller.

    ``route`` is the route's name (``"servers.rebuild"``), ``api`` the API of its path, ``project``
    the path's project if it has one, ``item`` what the path names besides a server (a metadata key,
    an action's request id, an image, a flavor). ``endpoint`` is the root that links begin with.
    ``sent`` is the body as it came, secrets and all: show `body` and `headers` instead.
    """

    route: str
    method: str
    path: str
    query: str
    api: Path
    project: str | None
    server_id: str | None
    item: str | None
    actor: Actor
    request_id: str
    correlation_id: str | None
    endpoint: str
    content_type: str | None
    sent: bytes
    sent_headers: Mapping[str, str]

    @property
    def context(self) -> Context:
        """The envelope of the command that this call asks for."""
        return Context(self.actor, self.request_id, self.correlation_id)

    @property
    def within(self) -> str | None:
        """The one project whose servers the caller reaches; ``None`` for an administrator."""
        return None if self.actor.is_admin else self.actor.project_id

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
