"""Plays a recorded flow on `Servers`: what each request of it would do, answered as HTTP would.

A recorded server is compared member by member with the one that we show; the times of changes are
the run's own, and Nova's extensions (``OS-EXT-…``, ``key_name``, …) are none of ours.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from msgspec.structs import replace

from serverdomain import Servers
from serverdomain.adapters import compute_json
from serverdomain.domain import moment
from serverdomain.domain.actor import Actor
from serverdomain.domain.commands import RebuildServer, RegisterServer
from serverdomain.domain.events import Address
from serverdomain.domain.server import Server
from serverdomain.errors import Conflict, InvalidBody, NotFound, Refused
from serverdomain.store.context import Context

PROJECT = "6f70656e737461636b"
SERVER_ID = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
OTHER_IMAGE = "0b4c3a2d-6a1e-4f0e-9d3b-8c7f6e5d4c3b"
ACTORS = {
    "fake": Actor("fake", PROJECT),
    "admin": Actor("admin", PROJECT, ("admin", "member")),
    "reader": Actor("reader", PROJECT, ("reader",)),
}
STATUS_OF_RULE = {"role": 403, "lock": 409, "state": 409, "image": 400, "quota": 403}
FAULTS = {400: "badRequest", 403: "forbidden", 404: "itemNotFound", 409: "conflictingRequest"}
STATES = {"active": "ACTIVE", "stopped": "SHUTOFF", "error": "ERROR"}
SHOWN = (
    "id",
    "status",
    "progress",
    "name",
    "metadata",
    "accessIPv4",
    "accessIPv6",
    "hostId",
    "OS-DCF:diskConfig",
    "tenant_id",
    "user_id",
    "created",
)


class Answer(NamedTuple):
    """What a request came to: the HTTP status, the fault's name, the rule, the server shown."""

    code: int
    fault: str | None = None
    rule: str | None = None
    server: dict[str, Any] | None = None


class Player:
    """One flow, with what the list beside it says happened around its requests."""

    knows_rules = True

    def __init__(self, servers: Servers, flow: dict[str, Any], run: dict[str, Any]) -> None:
        self.servers = servers
        self.api: compute_json.Path = flow["api"]
        self.unknown_images = set(run.get("unknown_images", ()))
        if not run.get("absent"):
            servers.register(_beginning(flow, run.get("before", {})))

    def close(self) -> None:
        """Nothing was opened."""

    def happen(self, what: str) -> None:
        """What others do between two requests: the hypervisor, or another user of the project."""
        owner = Context(actor=ACTORS["fake"])
        if what == "complete":
            self.servers.complete_rebuild(SERVER_ID)
        elif what == "fail at the hypervisor":
            self.servers.fail_rebuild(SERVER_ID, "the guest did not start")
        elif what == "fail at scheduling":
            self.servers.fail_rebuild(SERVER_ID, "no valid host", "scheduling")
        elif what == "rebuild":
            same_image = RebuildServer(image_id=self.servers.get(SERVER_ID).image_id)
            self.servers.rebuild(SERVER_ID, same_image, owner)
        elif what == "lock":
            self.servers.lock(SERVER_ID, owner)
        elif what == "unlock":
            self.servers.unlock(SERVER_ID, owner)
        else:
            raise ValueError(what)

    def answer(self, request: dict[str, Any]) -> Answer:
        """What our endpoint would answer to a recorded request."""
        try:
            return self._ask(request)
        except InvalidBody as error:
            return Answer(error.status, error.fault)
        except Refused as error:
            code = STATUS_OF_RULE[error.rule]
            return Answer(code, FAULTS[code], error.rule)
        except Conflict:
            return Answer(409, FAULTS[409])
        except NotFound:
            return Answer(404, FAULTS[404])

    def _ask(self, request: dict[str, Any]) -> Answer:
        context = Context(actor=ACTORS[request["user"]])
        servers, body = self.servers, request["body"]
        kind = request["method"], request["path"].rpartition("/")[2]
        if kind == ("GET", "{server_id}"):
            return Answer(200, server=self._shown(servers.get(SERVER_ID)))
        if kind == ("DELETE", "{server_id}"):
            servers.delete(SERVER_ID, context)
            return Answer(204)
        if kind == ("PUT", "{server_id}"):
            renamed = servers.rename(SERVER_ID, body["server"]["name"], context)
            return Answer(200, server=self._shown(renamed.server))
        if kind == ("POST", "metadata"):
            merged = servers.update_metadata(SERVER_ID, body["metadata"], context)
            return Answer(200, server=self._shown(merged.server))
        assert kind == ("POST", "action")
        if body == {"lock": None}:
            servers.lock(SERVER_ID, context)
        elif body == {"unlock": None}:
            servers.unlock(SERVER_ID, context)
        elif body == {"os-stop": None}:
            servers.stop(SERVER_ID, context)
        else:
            command = compute_json.read_rebuild(json.dumps(body), path=self.api)
            command = replace(command, image_known=command.image_id not in self.unknown_images)
            accepted = servers.rebuild(SERVER_ID, command, context)
            return Answer(202, server=self._shown(accepted.server, accepted.admin_pass))
        return Answer(202)

    def _shown(self, server: Server, admin_pass: str | None = None) -> dict[str, Any]:
        return compute_json.render(
            server,
            endpoint="http://{host}",
            path=self.api,
            project=PROJECT,
            admin_pass=admin_pass,
        )


def compared(server: dict[str, Any]) -> dict[str, Any]:
    """Those members of a server, as recorded or as shown, that are compared; absent is ``None``."""
    image, fault = server["image"], server.get("fault")
    members = {name: server.get(name) for name in SHOWN}
    members["image"] = image["id"] if isinstance(image, dict) else image
    members["fault"] = fault["code"] if fault else None
    password = server.get("adminPass")
    generated = password == "{generated 12 chars}" or (password and len(password) == 12)
    members["adminPass"] = "12 characters" if generated else password
    return _filled_in(members)


def compared_after(server: Server) -> dict[str, Any]:
    """Those members of a server's state that are compared when a flow is over."""
    return {
        "state": server.state,
        "under way": server.rebuild is not None,
        "name": server.name,
        "image": server.image_id,
        "metadata": server.metadata,
        "accessIPv4": server.access_ipv4,
        "accessIPv6": server.access_ipv6,
    }


def recorded_after(after: dict[str, Any]) -> dict[str, Any]:
    """The same members as Nova's database had them; a few flows recorded the metadata alone."""
    if "vm_state" not in after:
        return {"metadata": after}
    return {
        "state": STATES[after["vm_state"]],
        "under way": (after["task_state"] or "").startswith("rebuild"),
        **_database(after),
    }


def _filled_in(members: dict[str, Any]) -> dict[str, Any]:
    blanks = {"{server_id}": SERVER_ID, "{project_id}": PROJECT}
    return {
        name: blanks.get(value, value) if isinstance(value, str) else value
        for name, value in members.items()
    }


def _database(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["display_name"],
        "image": row["image_ref"],
        "metadata": row["metadata"],
        "accessIPv4": row["access_ip_v4"] or "",
        "accessIPv6": row["access_ip_v6"] or "",
    }


def _beginning(flow: dict[str, Any], told: dict[str, Any]) -> RegisterServer:
    """The server before the flow, from what was recorded of it.

    Where nothing was, it already is what the first answer shows, but for what the request asks.
    """
    server: dict[str, Any] = {
        "status": "ACTIVE",
        "name": "before",
        "image": OTHER_IMAGE,
        "metadata": {"before": "yes"},
        "accessIPv4": "",
        "accessIPv6": "",
        "hostId": "",
        "OS-DCF:diskConfig": "MANUAL",
        "created": "2026-11-23T08:00:00Z",
    }
    asked = {"status"}
    first = None
    for step in flow["steps"]:
        body = step["request"]["body"] or {}
        if step["status"] < 300:
            members = body.get("rebuild") or body.get("server") or {}
            asked |= {"image" if name == "imageRef" else name for name in members}
        if "server" in step:
            first = step["server"]
            break
    if first is not None:
        server |= {name: first[name] for name in server if name in first and name not in asked}
    elif "after" in flow:
        after = recorded_after(flow["after"])
        server |= {name: after[name] for name in server if name in after}
    if "before" in flow:
        server |= {"status": STATES[flow["before"]["vm_state"]], **_database(flow["before"])}
    server |= told
    created = moment.parse(server["created"])
    return RegisterServer(
        server_id=SERVER_ID,
        name=server["name"],
        project_id=PROJECT,
        user_id="fake",
        image_id=server["image"],
        flavor_id="1",
        created=created,
        updated=created,
        status=server["status"],
        metadata=server["metadata"],
        addresses={"private": (Address("192.168.0.3", 4),)},
        access_ipv4=server["accessIPv4"],
        access_ipv6=server["accessIPv6"],
        host_id=server["hostId"],
        disk_config=server["OS-DCF:diskConfig"],
    )
