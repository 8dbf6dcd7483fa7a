"""What can be asked about servers: one of them, its metadata, or a list."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.responses import Response

from serverdomain.adapters.http.calls.answers import CallFault, answer, written
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.adapters.http.routes import pages
from serverdomain.adapters.http.routes.pages import Sent
from serverdomain.domain.limits import shown
from serverdomain.domain.server import Server
from serverdomain.errors import InvalidInput, NotFound
from serverdomain.projections.server_query import STATUSES, Asked

MOST_BYTES = 4 * 1024 * 1024
"""A page ends behind the server with which its servers, as rows of the view, reach this size."""

_TRUE = frozenset({"1", "t", "true", "on", "y", "yes"})
_FALSE = frozenset({"0", "f", "false", "off", "n", "no"})


def show(cloud: Cloud, call: Call) -> Response:
    """A server as the documented answer shows it."""
    return _shown(cloud, call, _there(cloud, call))


def show_at_once(cloud: Cloud, call: Call) -> Response | None:
    """The same, if the server is known without a look into the store."""
    assert call.server_id is not None
    mark = cloud.glance.mark()
    server = cloud.servers.get_at_once(call.server_id, project_id=call.within, mark=mark)
    return None if server is None else _shown(cloud, call, server)


def metadata(cloud: Cloud, call: Call) -> Response:
    """A server's metadata, whole."""
    return answer({"metadata": _there(cloud, call).metadata})


def metadata_item(cloud: Cloud, call: Call) -> Response:
    """One item of a server's metadata."""
    key, items = call.item, _there(cloud, call).metadata
    if key not in items:
        raise NotFound(f"server {call.server_id} has no metadata key {shown(key)}")
    return answer({"meta": {key: items[key]}})


def _there(cloud: Cloud, call: Call) -> Server:
    assert call.server_id is not None
    return cloud.servers.get(call.server_id, project_id=call.within)


def _shown(cloud: Cloud, call: Call, server: Server) -> Response:
    return written(cloud.shown(server, call.endpoint, call.api, call.project))


def index(cloud: Cloud, call: Call) -> Response:
    """Ids, names and links."""
    return _page(cloud, call, lambda server: call.named("servers", server.id, server.name))


def detail(cloud: Cloud, call: Call) -> Response:
    """Each as the documented answer shows it."""
    return _page(
        cloud,
        call,
        partial(cloud.render, endpoint=call.endpoint, path=call.api, project=call.project),
    )


def _page(cloud: Cloud, call: Call, show: Any) -> Response:
    sent = pages.sent(call)
    limit = pages.limit(sent)
    found, is_cut = _found(cloud, call, sent, limit)
    last = found[-1].id if found else None
    shown = [show(server) for server in found]
    return pages.page(call, "servers", shown, len(found) if is_cut else limit, last)


def _found(cloud: Cloud, call: Call, sent: Sent, limit: int) -> tuple[list[Server], bool]:
    # Of a member that can only be one, the last value counts, as in Nova.
    query, given = dict(sent), partial(pages.values, sent)
    asked: Asked = {"limit": limit, "anchored": True, "project_id": _projects(call, sent)}
    if "name" in query:
        asked["name"] = given("name")
    if "marker" in query:
        asked["marker"] = query["marker"]
    if "image" in query:
        asked["image_id"] = [image.rpartition("/")[2] for image in given("image")]
    if "flavor" in query:
        asked["flavor_id"] = [flavor.rpartition("/")[2] for flavor in given("flavor")]
    if "status" in query:
        # As Nova: of a status that there is not, there is no server.
        known = [status for status in map(str.upper, given("status")) if status in STATUSES]
        if not known:
            return [], False
        asked["status"] = known
    return cloud.servers.view.some(MOST_BYTES, **asked)


def _projects(call: Call, sent: Sent) -> str | list[str] | None:
    if not _is_true("all_tenants", dict(sent).get("all_tenants")):
        return call.actor.project_id
    if not call.actor.is_admin:
        raise CallFault(
            403,
            f"all_tenants: the roles {list(call.actor.roles)} came, admin may list all projects",
        )
    return pages.values(sent, "project_id") or pages.values(sent, "tenant_id") or None


def _is_true(name: str, given: str | None) -> bool:
    if given is None:
        return False
    word = given.strip().lower()
    if not word or word in _TRUE:  # As Nova: `?all_tenants` alone asks for it.
        return True
    if word in _FALSE:
        return False
    raise InvalidInput(name, f"{shown(given)} came, true or false is allowed")
