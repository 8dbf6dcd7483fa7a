"""The bodies of what changes a server besides a rebuild: its name, its metadata, its state."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from serverdomain.adapters.compute_json.body import (
    MEDIA_TYPE,
    ActionReader,
    Body,
    Strict,
    check,
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
from serverdomain.domain.commands import ChangeServer, RenameServer, ResetState, UpdateMetadata
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidBody, InvalidInput


@reader
def read_rename(
    body: Body, *, path: Path = "v2", content_type: str | None = MEDIA_TYPE
) -> RenameServer | ChangeServer:
    """Read ``{"server": {"name": …}}`` and what else it may change. Raises `InvalidBody`."""
    return made(_rename, RENAMES[path], _sole(body, "server", path, content_type), "server")


@reader
def read_metadata(
    body: Body, *, path: Path = "v2", content_type: str | None = MEDIA_TYPE
) -> dict[str, str]:
    """Read ``{"metadata": {…}}``, which is to be merged or to replace. Raises `InvalidBody`."""
    asked = check(MAPS[path], {"metadata": _sole(body, "metadata", path, content_type)}, "")
    return _limited(asked.metadata, "metadata")


@reader
def read_metadata_item(
    body: Body, key: str, *, path: Path = "v2", content_type: str | None = MEDIA_TYPE
) -> dict[str, str]:
    """Read ``{"meta": {key: value}}`` with the one key of the URL. Raises `InvalidBody`."""
    asked = _sole(body, "meta", path, content_type)
    if isinstance(asked, dict) and list(asked) != [key]:
        raise InvalidBody(
            "meta", f"the keys {shown(list(asked))} came, the one of the URL is allowed"
        )
    return _limited(check(ITEMS[path], {"meta": asked}, "").meta, "meta")


def _rename(**members: Any) -> RenameServer | ChangeServer:
    if not members:
        known = ", ".join(field.alias or name for name, field in RenameV2.model_fields.items())
        raise InvalidBody("server", f"nothing to change came, {known} are allowed")
    return RenameServer(**members) if list(members) == ["name"] else ChangeServer(**members)


def _reset(state: str) -> ResetState:
    return ResetState(state="ACTIVE" if state == "active" else "ERROR")


def _sole(body: Body, name: str, path: Path, content_type: str | None) -> object:
    """The value of the one member that a body has; `/v2` overlooks others."""
    whole = parse(body, content_type)
    value = member(whole, name)
    if path == "v2.1" and isinstance(whole, dict) and len(whole) > 1:
        raise InvalidBody("body", f"{len(whole)} members came, {name!r} alone is allowed")
    return value


def _limited(metadata: dict[str, str], at: str) -> dict[str, str]:
    try:
        return UpdateMetadata(metadata=metadata).metadata
    except InvalidInput as error:
        told = error.field.replace("metadata", at, 1)
        raise InvalidBody(told, str(error).removeprefix(f"{error.field}: ")) from None


class _Lenient(Strict):
    model_config = ConfigDict(extra="ignore")


class _Whole(Strict):
    model_config = ConfigDict(extra="forbid")


class _Change(Strict):
    access_ipv4: str = Field("", alias="accessIPv4")
    access_ipv6: str = Field("", alias="accessIPv6")
    disk_config: Literal["AUTO", "MANUAL"] = Field("MANUAL", alias="OS-DCF:diskConfig")


class RenameV2(_Change):
    """The value of ``"server"`` on `/v2`."""

    model_config = ConfigDict(extra="ignore")

    name: PaddedName = ""


class RenameV21(_Change):
    """The value of ``"server"`` on `/v2.1`."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""


class MapV2(_Lenient):
    """A map of metadata on `/v2`."""

    metadata: LegacyMetadata


class MapV21(_Whole):
    """A map of metadata on `/v2.1`."""

    metadata: Metadata


class ItemV2(_Lenient):
    """One item of metadata on `/v2`."""

    meta: LegacyMetadata = Field(min_length=1, max_length=1)


class ItemV21(_Whole):
    """One item of metadata on `/v2.1`."""

    meta: Metadata = Field(min_length=1, max_length=1)


class ResetV2(_Lenient):
    """The value of ``"os-resetState"`` on `/v2`."""

    state: Literal["active", "error"]


class ResetV21(_Whole):
    """The value of ``"os-resetState"`` on `/v2.1`."""

    state: Literal["active", "error"]


RENAMES: dict[Path, type[RenameV2 | RenameV21]] = {"v2": RenameV2, "v2.1": RenameV21}
MAPS: dict[Path, type[MapV2 | MapV21]] = {"v2": MapV2, "v2.1": MapV21}
ITEMS: dict[Path, type[ItemV2 | ItemV21]] = {"v2": ItemV2, "v2.1": ItemV21}
RESETS: dict[Path, type[ResetV2 | ResetV21]] = {"v2": ResetV2, "v2.1": ResetV21}

read_reset_state = ActionReader("os-resetState", _reset, RESETS)
"""Reads ``{"os-resetState": {"state": "active" | "error"}}``: a `ResetState`."""
