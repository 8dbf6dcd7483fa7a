"""Images: those that the endpoint was given, or any at all if it was given none."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response

from serverdomain.adapters.http.calls.answers import answer
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.domain import limits
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput, NotFound

_SINCE = "1970-01-01T00:00:00Z"


def index(cloud: Cloud, call: Call) -> Response:
    """Ids, names and links of the images that can be named."""
    return answer({"images": [call.named("images", *image) for image in _named(cloud, call)]})


def detail(cloud: Cloud, call: Call) -> Response:
    """The images that can be named, whole."""
    return answer({"images": [_shown(call, *image) for image in _named(cloud, call)]})


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


def _named(cloud: Cloud, call: Call) -> list[tuple[str, str]]:
    wanted = dict(parse_qsl(call.query, keep_blank_values=True)).get("name")
    return [item for item in cloud.images.items() if wanted in (None, item[1])]


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
        "links": call.links("images", image_id),
    }
