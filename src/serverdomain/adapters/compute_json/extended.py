"""What `/v2.1` shows of a server beside the documented members: what Nova's own schema requires.

Nova 34 answers ``show`` and ``detail`` at 2.1 with these; a rebuild's 202 and an update's 200 have
none of them.
"""

from __future__ import annotations

import hashlib
from typing import Any

from serverdomain.domain import moment
from serverdomain.domain.server import Server

SECURITY_GROUPS = [{"name": "default"}]
"""The security groups of every server."""

_VM_STATES = {
    "ACTIVE": "active",
    "BUILD": "building",
    "SHUTOFF": "stopped",
    "ERROR": "error",
    "PAUSED": "paused",
    "SUSPENDED": "suspended",
    "RESCUE": "rescued",
    "VERIFY_RESIZE": "resized",
    "SOFT_DELETED": "soft-delete",
    "SHELVED": "shelved",
    "SHELVED_OFFLOADED": "shelved_offloaded",
}
_NO_STATE, _RUNNING, _SHUT_DOWN = 0, 1, 4
_POWER_STATES = {"BUILD": _NO_STATE, "SHUTOFF": _SHUT_DOWN}


def extended(server: Server, shown: dict[str, Any]) -> dict[str, Any]:
    """A server that was rendered for `/v2.1`, with these behind it; ``fault`` stands last of all.

    States are those beneath a rebuild under way.
    """
    whole = dict(shown)
    fault = whole.pop("fault", None)
    whole["addresses"] = {
        network: [
            {**one, "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": _mac(server, one)}
            for one in addresses
        ]
        for network, addresses in shown["addresses"].items()
    }
    whole |= {
        "OS-EXT-STS:vm_state": _VM_STATES[server.state],
        "OS-EXT-STS:task_state": _task_state(server),
        "OS-EXT-STS:power_state": _POWER_STATES.get(server.state, _RUNNING),
        "OS-SRV-USG:launched_at": _launched_at(server),
        "OS-SRV-USG:terminated_at": None,
        "OS-EXT-AZ:availability_zone": "nova",
        "config_drive": "",
        "key_name": None,
        "os-extended-volumes:volumes_attached": [],
        "security_groups": SECURITY_GROUPS,
    }
    return whole if fault is None else {**whole, "fault": fault}


def _task_state(server: Server) -> str | None:
    if server.rebuild is not None:
        return "rebuild_spawning"
    return "spawning" if server.state == "BUILD" else None


def _launched_at(server: Server) -> str | None:
    if server.state == "BUILD" or server.launched_micros is None:
        return None
    return moment.exact(server.launched_micros).removesuffix("Z")


def _mac(server: Server, address: dict[str, Any]) -> str:
    made = hashlib.sha256(f"{server.id} {address['addr']}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0xFA, 0x16, 0x3E, *made[:3]))
