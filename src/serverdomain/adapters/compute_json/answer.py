"""A server as the documented answer of *Rebuild server* shows it: links and password included.

The members and their order are `domain.document`'s. Here they get what only the request knows: the
endpoint that links begin with, the path and the project of its URL, and the password, once.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from serverdomain.adapters.compute_json.paths import PATHS, Path
from serverdomain.domain.document import document
from serverdomain.domain.server import Server
from serverdomain.domain.typed import require_types

_PLAIN = re.compile(r"[a-zA-Z0-9_.-]+")


def render(
    server: Server,
    *,
    endpoint: str,
    path: Path = "v2",
    project: str | None = None,
    admin_pass: str | None = None,
) -> dict[str, Any]:
    """The value of ``"server"`` in an answer: the documented members in the documented order.

    ``endpoint`` is the root that links begin with (``http://openstack.example.com``), ``project``
    the one in the request's URL, ``None`` where it had none (`/v2.1` alone). ``admin_pass`` is for
    the 202 of a rebuild or a create and stands in no other answer. `/v2.1` adds
    ``OS-DCF:diskConfig``; ``fault`` stands last of all.
    """
    given = (endpoint, project, admin_pass)
    if not (type(server) is Server and path in PATHS and _is_text(*given)):
        require_types(render, {**locals()})
    shown = document(server)
    fault = shown.pop("fault", None)
    answer: dict[str, Any] = {}
    for name, value in shown.items():
        answer[name] = value
        if name == "addresses" and admin_pass is not None:
            answer["adminPass"] = admin_pass
        elif name in ("flavor", "image"):
            bookmark = url(endpoint, project, f"{name}s", value["id"])
            answer[name] = {**value, "links": [{"href": bookmark, "rel": "bookmark"}]}
            if name == "image":
                answer["links"] = _links(server, endpoint, path, project)
    if path == "v2.1":
        answer["OS-DCF:diskConfig"] = server.disk_config
    if fault is not None:
        answer["fault"] = fault
    return answer


def location(
    server_id: str, *, endpoint: str, path: Path = "v2", project: str | None = None
) -> str:
    """The server's own URL: its ``self`` link, and the documented ``Location`` header."""
    if not (path in PATHS and type(server_id) is str and _is_text(endpoint, project)):
        require_types(location, {**locals()})
    return url(endpoint, path, project, "servers", server_id)


def _links(server: Server, endpoint: str, path: Path, project: str | None) -> list[dict[str, str]]:
    itself = location(server.id, endpoint=endpoint, path=path, project=project)
    bookmark = url(endpoint, project, "servers", server.id)
    return [{"href": itself, "rel": "self"}, {"href": bookmark, "rel": "bookmark"}]


def url(endpoint: str, *segments: str | None) -> str:
    """A link: an endpoint's root and segments, of which those that are ``None`` are left out."""
    # A project or a flavor may be any text: each stays the one segment that it is.
    given = [_quoted(segment) for segment in segments if segment is not None]
    return "/".join([endpoint.rstrip("/"), *given])


def _is_text(needed: str, *others: str | None) -> bool:
    return type(needed) is str and all(one is None or type(one) is str for one in others)


def _quoted(segment: str) -> str:
    # Nearly all are ids, which need no quoting: to ask costs a fifth of doing it.
    return segment if _PLAIN.fullmatch(segment) else quote(segment, safe="")
