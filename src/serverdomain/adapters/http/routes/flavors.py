"""Flavors: each exists and decides nothing; five have the sizes that people expect."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from serverdomain.adapters.http.calls.answers import answer
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.domain import limits

USUAL = {
    "1": ("m1.tiny", 512, 1, 1),
    "2": ("m1.small", 2048, 1, 20),
    "3": ("m1.medium", 4096, 2, 40),
    "4": ("m1.large", 8192, 4, 80),
    "5": ("m1.xlarge", 16384, 8, 160),
}
"""Name, MiB of memory, processors and GiB of disk, by id; any other has the first one's sizes."""


def index(cloud: Cloud, call: Call) -> Response:
    """Ids, names and links of the usual ones."""
    usual = USUAL.items()
    return answer({"flavors": [call.named("flavors", one, name) for one, (name, *_) in usual]})


def detail(cloud: Cloud, call: Call) -> Response:
    """The usual ones, whole."""
    return answer({"flavors": [_shown(call, flavor_id) for flavor_id in USUAL]})


def show(cloud: Cloud, call: Call) -> Response:
    """One flavor, whatever its id is."""
    return answer(
        {"flavor": _shown(call, limits.text("flavor", call.item, shortest=1, longest=255))}
    )


def _shown(call: Call, flavor_id: str) -> dict[str, Any]:
    name, ram, vcpus, disk = USUAL.get(flavor_id, (flavor_id, *USUAL["1"][1:]))
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
