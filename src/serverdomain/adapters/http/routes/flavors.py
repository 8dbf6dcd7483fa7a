"""Flavors: those that the endpoint was given, and those that servers have; they decide nothing."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from serverdomain.adapters.http.calls.answers import answer
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.adapters.http.routes import pages
from serverdomain.domain.limits import shown
from serverdomain.errors import NotFound

_SIZES = {
    "1": (512, 1, 1),
    "2": (2048, 1, 20),
    "3": (4096, 2, 40),
    "4": (8192, 4, 80),
    "5": (16384, 8, 160),
}
"""MiB of memory, processors and GiB of disk, by id; any other has the first one's."""


def index(cloud: Cloud, call: Call) -> Response:
    """Ids, names and links of those that exist."""
    return _page(cloud, call, lambda one, name: call.named("flavors", one, name))


def detail(cloud: Cloud, call: Call) -> Response:
    """Those that exist, whole."""
    return _page(cloud, call, lambda one, name: _shown(call, one, name))


def show(cloud: Cloud, call: Call) -> Response:
    """One flavor."""
    flavor_id = call.item or ""
    name = cloud.flavor(flavor_id)
    if name is None:
        raise NotFound(f"flavor {shown(flavor_id)} is not there")
    return answer({"flavor": _shown(call, flavor_id, name)})


def _page(cloud: Cloud, call: Call, show: Any) -> Response:
    sent = pages.sent(call)
    found = pages.part(sent, cloud.all_flavors().items())
    last = found[-1][0] if found else None
    return pages.page(call, "flavors", [show(*one) for one in found], pages.limit(sent), last)


def _shown(call: Call, flavor_id: str, name: str) -> dict[str, Any]:
    ram, vcpus, disk = _SIZES.get(flavor_id, _SIZES["1"])
    return {
        "id": flavor_id,
        "name": name,
        "ram": ram,
        "vcpus": vcpus,
        "disk": disk,
        "swap": "",
        "OS-FLV-EXT-DATA:ephemeral": 0,
        "OS-FLV-DISABLED:disabled": False,
        "os-flavor-access:is_public": True,
        "rxtx_factor": 1.0,
        "links": call.links("flavors", flavor_id),
    }
