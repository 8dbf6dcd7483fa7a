"""Flavors: those that the endpoint was given, and those that servers have; they decide nothing."""

from __future__ import annotations

from functools import partial
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
    all_of_them = cloud.all_flavors().items()
    return pages.page_of_items(call, "flavors", all_of_them, partial(call.named, "flavors"))


def detail(cloud: Cloud, call: Call) -> Response:
    """Those that exist, whole."""
    return pages.page_of_items(call, "flavors", cloud.all_flavors().items(), partial(_shown, call))


def show(cloud: Cloud, call: Call) -> Response:
    """One flavor."""
    flavor_id = call.item or ""
    name = cloud.flavor(flavor_id)
    if name is None:
        raise NotFound(f"flavor {shown(flavor_id)} is not there")
    return answer({"flavor": _shown(call, flavor_id, name)})


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
