"""A server as the documented answer shows it, read back: how an existing server is adopted.

Every documented member must be there, for what is not said cannot be known later. Members that the
documentation does not have are overlooked, and so is a password.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from serverdomain.adapters.compute_json.body import Body, Strict, check, parse, reader
from serverdomain.adapters.compute_json.refusal import kind
from serverdomain.domain import moment
from serverdomain.domain.commands import RegisterServer
from serverdomain.domain.events import Address, Fault
from serverdomain.errors import InvalidBody, InvalidInput

_DOCUMENTED = {
    "server_id": "id",
    "project_id": "tenant_id",
    "image_id": "image.id",
    "flavor_id": "flavor.id",
    "access_ipv4": "accessIPv4",
    "access_ipv6": "accessIPv6",
    "host_id": "hostId",
    "disk_config": "OS-DCF:diskConfig",
}
"""The document's word for a member of `RegisterServer`, where it has another."""


@reader
def read_server(body: Body) -> RegisterServer:
    """Read a server's document: ``{"server": {…}}``, ``{"servers": [{…}]}`` with one, or bare.

    ``adminPass`` and unknown members are overlooked; ``progress`` is 0 and ``OS-DCF:diskConfig``
    MANUAL where they are absent, and ``fault`` is kept. Raises `InvalidBody` (400), which names the
    documented member that is missing or wrong; of the rest it holds nothing.
    """
    found = check(_Server, _member(parse(body)), "server")
    try:
        return RegisterServer(
            server_id=found.id,
            name=found.name,
            project_id=found.tenant_id,
            user_id=found.user_id,
            image_id=found.image.id,
            flavor_id=found.flavor.id,
            created=found.created,
            updated=found.updated,
            status=found.status,
            metadata=found.metadata,
            addresses={
                network: tuple(Address(address.addr, address.version) for address in addresses)
                for network, addresses in found.addresses.items()
            },
            access_ipv4=found.access_ipv4,
            access_ipv6=found.access_ipv6,
            host_id=found.host_id,
            progress=found.progress,
            disk_config=found.disk_config,
            fault=found.fault.as_fact() if found.fault is not None else None,
        )
    except InvalidInput as error:
        documented = _DOCUMENTED.get(error.field, error.field)
        message = str(error).removeprefix(f"{error.field}: ")
        raise InvalidBody(f"server.{documented}", message) from None


def _member(value: object) -> object:
    if not isinstance(value, dict):
        raise InvalidBody("body", f"{kind(value)} came, an object with a server is allowed")
    if "server" in value:
        return value["server"]
    if "servers" not in value:
        return value
    servers = value["servers"]
    if not isinstance(servers, list) or len(servers) != 1:
        came = f"an array of {len(servers)}" if isinstance(servers, list) else kind(servers)
        raise InvalidBody("servers", f"{came} came, an array of one server is allowed")
    return servers[0]


def _moment(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError("RFC 3339 with a zone is allowed, such as 2012-09-12T17:20:37Z")
    return moment.parse(value)


_Moment = Annotated[int, BeforeValidator(_moment)]


class _Links(Strict):
    """Links are documented, but they belong to the endpoint and not to the server."""

    links: list[object]


class _Reference(_Links):
    id: str


class _Address(Strict):
    addr: str
    version: int


class _Fault(Strict):
    code: int = Field(ge=100, le=599)
    created: _Moment
    message: str

    def as_fact(self) -> Fault:
        return Fault(self.code, self.created, self.message)


class _Server(_Links):
    access_ipv4: str = Field(alias="accessIPv4")
    access_ipv6: str = Field(alias="accessIPv6")
    addresses: dict[str, list[_Address]]
    created: _Moment
    flavor: _Reference
    host_id: str = Field(alias="hostId")
    id: str
    image: _Reference
    metadata: dict[str, str]
    name: str
    progress: int = 0
    status: Literal["ACTIVE", "SHUTOFF", "ERROR", "BUILD"]
    tenant_id: str
    updated: _Moment
    user_id: str
    disk_config: Literal["AUTO", "MANUAL"] = Field("MANUAL", alias="OS-DCF:diskConfig")
    fault: _Fault | None = None
