"""Images: those that the endpoint was given, or any at all if it was given none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.responses import Response

from serverdomain.adapters.compute_json.answer import url
from serverdomain.adapters.http.calls.answers import answer
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.adapters.http.routes import pages
from serverdomain.domain import limits
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput, NotFound

_SINCE = "1970-01-01T00:00:00Z"


def index(cloud: Cloud, call: Call) -> Response:
    """Ids, names and links of the images that can be named."""
    return _page(cloud, call, partial(_named, call))


def detail(cloud: Cloud, call: Call) -> Response:
    """The images that can be named, whole."""
    return _page(cloud, call, partial(_shown, call))


def show(cloud: Cloud, call: Call) -> Response:
    """One image."""
    try:
        image_id = limits.canonical_uuid("image", call.item)
    except InvalidInput:
        raise _not_there(call) from None
    name = image_id if cloud.find_image is None else cloud.find_image(image_id)
    if name is None:
        raise _not_there(call)
    return answer({"image": _shown(call, image_id, name)})


def _not_there(call: Call) -> NotFound:
    return NotFound(f"image {shown(call.item)} is not there")


def _page(cloud: Cloud, call: Call, show: Callable[[str, str], dict[str, Any]]) -> Response:
    wanted = pages.values(pages.sent(call), "name")
    named = [item for item in cloud.images.items() if not wanted or item[1] in wanted]
    return pages.page_of_items(call, "images", named, show)


def _named(call: Call, image_id: str, name: str) -> dict[str, Any]:
    shown = {"id": image_id, "name": name, "links": _links(call, image_id)}
    # Nova's short list has no status. But openstacksdk takes this one for Glance's, which does.
    return {**shown, "status": "ACTIVE"} if call.api == "v2.1" else shown


def _links(call: Call, image_id: str) -> list[dict[str, str]]:
    links = call.links("images", image_id)
    if call.api == "v2.1":
        href = url(call.endpoint, "images", image_id)
        links.append({"href": href, "rel": "alternate", "type": "application/vnd.openstack.image"})
    return links


def _shown(call: Call, image_id: str, name: str) -> dict[str, Any]:
    return {
        "id": image_id,
        "name": name,
        "status": "ACTIVE",
        "progress": 100,
        "minDisk": 0,
        "minRam": 0,
        "metadata": {},
        "created": _SINCE,
        "updated": _SINCE,
        "OS-EXT-IMG-SIZE:size": 0,
        "links": _links(call, image_id),
    }
