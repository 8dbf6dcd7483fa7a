"""The body of *Create server*: what decides something is read, the rest is taken and dropped."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BeforeValidator, Field

from serverdomain.adapters.compute_json.body import (
    MEDIA_TYPE,
    Body,
    Strict,
    made,
    member,
    parse,
    reader,
)
from serverdomain.adapters.compute_json.paths import (
    LegacyMetadata,
    Metadata,
    Name,
    PaddedName,
    Path,
)
from serverdomain.adapters.compute_json.refusal import kind
from serverdomain.domain.commands import CreateServer
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidBody

HINTS = ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")

DROPPED = (
    "availability_zone",
    "block_device_mapping",
    "block_device_mapping_v2",
    "config_drive",
    "key_name",
    "max_count",
    "min_count",
    "networks",
    "personality",
    "return_reservation_id",
    "security_groups",
    "user_data",
)
"""Members of ``server`` that clients send and that decide nothing here."""


@reader
def read_create(
    body: Body, *, path: Path = "v2", content_type: str | None = MEDIA_TYPE
) -> tuple[CreateServer, tuple[str, ...]]:
    """Read a request of *Create server*: the command, and the names of members that were dropped.

    Raises `InvalidBody` (400 or 415). Neither it nor its traceback holds a password.
    """
    whole = parse(body, content_type)
    asked = member(whole, "server")
    assert isinstance(whole, dict)
    beside = [name for name in whole if name != "server"]
    if path == "v2.1" and not set(beside) <= set(HINTS):
        raise InvalidBody("body", f"{shown(beside)} came beside 'server', {HINTS} are allowed")
    if not isinstance(asked, dict):
        raise InvalidBody("server", f"{kind(asked)} came, an object is allowed")
    _require_one(asked)
    model = MODELS[path]
    read = {field.alias or name for name, field in model.model_fields.items()}
    value = {name: member for name, member in asked.items() if name not in DROPPED}
    command = made(CreateServer, model, value, "server")
    return command, (*(name for name in asked if name not in read), *beside)


def _require_one(asked: dict[str, object]) -> None:
    for name in ("min_count", "max_count"):
        if asked.get(name, 1) not in (1, "1") or asked.get(name) is True:
            # Of what is no number the kind alone is told: it may hold anything.
            came = asked[name]
            told = shown(came) if isinstance(came, int | float) else kind(came)
            raise InvalidBody(f"server.{name}", f"{told} came, 1 is allowed: one server a call")


def _flavor(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and "/" in value:
        return unquote(value.rstrip("/").rpartition("/")[2])
    return value


class _Create(Strict):
    """What both paths read alike, by its documented names."""

    image_id: str = Field(alias="imageRef")
    flavor_id: Annotated[str, BeforeValidator(_flavor, json_schema_input_type=str | int)] = Field(
        alias="flavorRef"
    )
    admin_pass: str = Field("", alias="adminPass")
    access_ipv4: str = Field("", alias="accessIPv4")
    access_ipv6: str = Field("", alias="accessIPv6")
    disk_config: Literal["AUTO", "MANUAL"] = Field("MANUAL", alias="OS-DCF:diskConfig")


def _with_dropped(schema: dict[str, Any]) -> None:
    schema["properties"] |= {name: {"description": "Decides nothing here."} for name in DROPPED}
    schema["properties"] |= {name: {"enum": [1, "1"]} for name in ("min_count", "max_count")}


class CreateV2(_Create, extra="ignore"):
    """`/v2` overlooks members that it does not know."""

    name: PaddedName
    metadata: LegacyMetadata = Field(default_factory=dict)


class CreateV21(_Create, extra="forbid", json_schema_extra=_with_dropped):
    """`/v2.1` refuses them."""

    name: Name
    metadata: Metadata = Field(default_factory=dict)


MODELS: dict[Path, type[CreateV2 | CreateV21]] = {"v2": CreateV2, "v2.1": CreateV21}
