"""A server's metadata: the whole map, and one item of it."""

from __future__ import annotations

from starlette.responses import Response

from serverdomain.adapters import compute_json
from serverdomain.adapters.http import log
from serverdomain.adapters.http.answers import answer, empty
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.cloud import Cloud
from serverdomain.domain.limits import shown
from serverdomain.errors import NotFound


def show(cloud: Cloud, call: Call) -> Response:
    """The whole map."""
    return answer({"metadata": _there(cloud, call)})


def merge(cloud: Cloud, call: Call) -> Response:
    """Set those items that came; the others stay."""
    items = compute_json.read_metadata(call.sent, path=call.api, content_type=call.content_type)
    return answer({"metadata": _merged(cloud, call, items)})


def replace(cloud: Cloud, call: Call) -> Response:
    """Make the map what came, whole."""
    items = compute_json.read_metadata(call.sent, path=call.api, content_type=call.content_type)
    accepted = cloud.servers.replace_metadata(
        _id(call), items, call.context, project_id=call.within
    )
    log.happened(call, accepted)
    return answer({"metadata": accepted.server.metadata})


def show_item(cloud: Cloud, call: Call) -> Response:
    """One item."""
    key = _key(call)
    metadata = _there(cloud, call)
    if key not in metadata:
        raise NotFound(f"server {call.server_id} has no metadata key {shown(key)}")
    return answer({"meta": {key: metadata[key]}})


def set_item(cloud: Cloud, call: Call) -> Response:
    """Set one item, whose key the path and the body name alike."""
    key = _key(call)
    item = compute_json.read_metadata_item(
        call.sent, key, path=call.api, content_type=call.content_type
    )
    _merged(cloud, call, item)
    return answer({"meta": item})


def delete_item(cloud: Cloud, call: Call) -> Response:
    """Take one item out."""
    accepted = cloud.servers.delete_metadata(
        _id(call), [_key(call)], call.context, project_id=call.within
    )
    log.happened(call, accepted)
    return empty(204)


def _there(cloud: Cloud, call: Call) -> dict[str, str]:
    return cloud.servers.get(_id(call), project_id=call.within).metadata


def _merged(cloud: Cloud, call: Call, items: dict[str, str]) -> dict[str, str]:
    accepted = cloud.servers.update_metadata(_id(call), items, call.context, project_id=call.within)
    log.happened(call, accepted)
    return accepted.server.metadata


def _id(call: Call) -> str:
    assert call.server_id is not None
    return call.server_id


def _key(call: Call) -> str:
    assert call.item is not None
    return call.item
