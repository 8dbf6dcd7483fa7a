"""A server as the documented answer shows it, read back: how an existing server is adopted.

Every documented member must be there, for what is not said cannot be known later. Members that the
documentation does not have are overlooked, and so is a password.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_serializer

from serverdomain.adapters.compute_json.body import Body, Strict, made, parse, reader
from serverdomain.adapters.compute_json.refusal import kind
from serverdomain.domain import moment
from serverdomain.domain.commands import RegisterServer
from serverdomain.domain.events import Address, Fault
from serverdomain.errors import InvalidBody


@reader
def read_server(body: Body) -> RegisterServer:
    """Read a server's document: ``{"server": {…}}``, ``{"servers": [{…}]}`` with one, or bare.

    ``adminPass`` and unknown members are overlooked; ``progress`` is 0 and ``OS-DCF:diskConfig``
    MANUAL where they are absent, and ``fault`` is kept. Raises `InvalidBody` (400), which names the
    documented member that is missing or wrong; of the rest it holds nothing.
    """
    return made(RegisterServer, _Server, _member(parse(body)), "server")


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

    links: list[object] = Field(exclude=True)


class _Reference(_Links):
    id: str

    @model_serializer
    def as_member(self) -> Any:
        """What it is in a command."""
        return self.id


class _Address(Strict):
    addr: str
    version: int

    @model_serializer
    def as_member(self) -> Any:
        """What it is in a command."""
        return Address(self.addr, self.version)


class _Fault(Strict):
    code: int = Field(ge=100, le=599)
    created: _Moment
    message: str

    @model_serializer
    def as_member(self) -> Any:
        """What it is in a command."""
        return Fault(self.code, self.created, self.message)


class _Server(_Links):
    """The members of `RegisterServer`; what is told of one names what stands in the document."""

    access_ipv4: str = Field(alias="accessIPv4")
    access_ipv6: str = Field(alias="accessIPv6")
    addresses: dict[str, list[_Address]]
    created: _Moment
    flavor_id: _Reference = Field(alias="flavor", serialization_alias="flavor.id")
    host_id: str = Field(alias="hostId")
    server_id: str = Field(alias="id")
    image_id: _Reference = Field(alias="image", serialization_alias="image.id")
    metadata: dict[str, str]
    name: str
    progress: int = 0
    status: Literal["ACTIVE", "SHUTOFF", "ERROR", "BUILD"]
    project_id: str = Field(alias="tenant_id")
    updated: _Moment
    user_id: str
    disk_config: Literal["AUTO", "MANUAL"] = Field("MANUAL", alias="OS-DCF:diskConfig")
    fault: _Fault | None = None
