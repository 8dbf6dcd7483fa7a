"""Links: an endpoint's root, the path's API and project, what is meant."""

from __future__ import annotations

from serverdomain.adapters.compute_json.answer import url
from serverdomain.adapters.http.call import Call


def itself(call: Call, *segments: str) -> str:
    """The URL of something as the call's own path names it."""
    return url(call.endpoint, call.api, call.project, *segments)


def bookmark(call: Call, *segments: str) -> str:
    """Its URL without the API's version, as Nova's permanent links are."""
    return url(call.endpoint, call.project, *segments)


def links(call: Call, *segments: str) -> list[dict[str, str]]:
    """Both, as the documented answers show them."""
    return [
        {"href": itself(call, *segments), "rel": "self"},
        {"href": bookmark(call, *segments), "rel": "bookmark"},
    ]
