"""What is served to everybody: the version documents and the description of the routes."""

from __future__ import annotations

from starlette.responses import Response

from serverdomain.adapters.http import openapi, versions
from serverdomain.adapters.http.answers import answer
from serverdomain.adapters.http.exchange import Exchange
from serverdomain.adapters.http.faults import Fault

NAMES = {
    "": "versions.list",
    "v2": "versions.v2",
    "v2.1": "versions.v2.1",
    "openapi.json": "openapi",
}
"""The name of each document, by its path."""


def document(exchange: Exchange, segments: list[str], root: str | None) -> Response | None:
    """The document at a path, ``None`` where there is none; ``root`` as links begin, if given."""
    place = segments[0] if segments else ""
    if len(segments) > 1 or place not in NAMES:
        return None
    exchange.route = NAMES[place]
    exchange.answers_v21 = place == "v2.1"
    if not exchange.is_read:
        raise Fault(405, f"{exchange.method} came, GET is allowed", allow="GET")
    if root is None:
        root = exchange.root()
    if place == "openapi.json":
        return answer(openapi.document(root))
    if place == "":
        return answer(versions.versions(root))
    return answer(versions.version(root, "v2" if place == "v2" else "v2.1"))
