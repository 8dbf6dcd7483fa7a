"""What is served to everybody: versions, the description of the routes, and pages of both."""

from __future__ import annotations

from typing import Any

from serverdomain.adapters.compute_json import Path
from serverdomain.adapters.http.calls.admission import SERVED
from serverdomain.adapters.http.calls.route import Document
from serverdomain.adapters.http.routes import openapi
from serverdomain.adapters.http.routes.reference import reference
from serverdomain.adapters.http.routes.welcome import welcome

_UPDATED = {"v2": "2011-01-21T11:33:21Z", "v2.1": "2013-07-23T11:33:21Z"}


def _versions(endpoint: str) -> dict[str, Any]:
    """The document of the root: both APIs."""
    return {"versions": [_version(endpoint, "v2"), _version(endpoint, "v2.1")]}


def _one_version(endpoint: str, api: Path) -> dict[str, Any]:
    """The document of one API."""
    media_type = f"application/vnd.openstack.compute+json;version={api.removeprefix('v')}"
    shown = _version(endpoint, api)
    shown["media-types"] = [{"base": "application/json", "type": media_type}]
    return {"version": shown}


def _version(endpoint: str, api: Path) -> dict[str, Any]:
    served = SERVED if api == "v2.1" else ""
    return {
        "id": "v2.0" if api == "v2" else "v2.1",
        "status": "SUPPORTED" if api == "v2" else "CURRENT",
        "version": served,
        "min_version": served,
        "updated": _UPDATED[api],
        "links": [{"rel": "self", "href": f"{endpoint}/{api}/"}],
    }


DOCUMENTS = {
    "": Document("versions.list", "v2", _versions, welcome),
    "v2": Document("versions.v2", "v2", lambda endpoint: _one_version(endpoint, "v2")),
    "v2.1": Document("versions.v2.1", "v2.1", lambda endpoint: _one_version(endpoint, "v2.1")),
    "openapi.json": Document("openapi", "v2", openapi.description),
    "docs": Document("docs", "v2", show=reference),
}
"""Each document, by its path."""
