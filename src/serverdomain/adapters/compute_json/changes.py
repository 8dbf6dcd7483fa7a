"""The bodies of what changes a server besides a rebuild: its name, its metadata, its state."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from serverdomain.adapters.compute_json.body import (
    MEDIA_TYPE,
    Body,
    Strict,
    action_reader,
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
from serverdomain.errors import InvalidBody


@reader
def read_rename(
    body: Body, *, path: Path = "v2", content_type: str | None = MEDIA_TYPE
) -> RenameServer | ChangeServer:
    """Read ``{"server": {"name": …}}`` and what else it may change, or nothing.

    Raises `InvalidBody`.
    """
    return made(_rename, RENAMES[path], _sole(body, "server", path, content_type), "server")


@reader
def read_metadata(
    body: Body, *, path: Path = "v2", content_type: str | None = MEDIA_TYPE
) -> dict[str, str]:
    """Read ``{"metadata": {…}}``, which is to be merged or to replace. Raises `InvalidBody`."""
    asked = _sole(body, "metadata", path, content_type)
    return made(_merged, MAPS[path], {"metadata": asked}, "")


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
    return made(_merged, ITEMS[path], {"meta": asked}, "")


def _rename(**members: Any) -> RenameServer | ChangeServer:
    return RenameServer(**members) if list(members) == ["name"] else ChangeServer(**members)


def _merged(metadata: dict[str, str]) -> dict[str, str]:
    return UpdateMetadata(metadata=metadata).metadata


def _reset(state: str) -> ResetState:
    return ResetState(state="ACTIVE" if state == "active" else "ERROR")


def _sole(body: Body, name: str, path: Path, content_type: str | None) -> object:
    """The value of the one member that a body has; `/v2` overlooks others."""
    whole = parse(body, content_type)
    value = member(whole, name)
    if path == "v2.1" and isinstance(whole, dict) and len(whole) > 1:
        raise InvalidBody("body", f"{len(whole)} members came, {name!r} alone is allowed")
    return value


class _Change(Strict):
    access_ipv4: str = Field("", alias="accessIPv4")
    access_ipv6: str = Field("", alias="accessIPv6")
    disk_config: Literal["AUTO", "MANUAL"] = Field("MANUAL", alias="OS-DCF:diskConfig")


class RenameV2(_Change, extra="ignore"):
    """The value of ``"server"`` on `/v2`."""

    name: PaddedName = ""


class RenameV21(_Change, extra="forbid"):
    """The value of ``"server"`` on `/v2.1`."""

    name: Name = ""


class MapV2(Strict, extra="ignore"):
    """A map of metadata on `/v2`."""

    metadata: LegacyMetadata


class MapV21(Strict, extra="forbid"):
    """A map of metadata on `/v2.1`."""

    metadata: Metadata


class ItemV2(Strict, extra="ignore"):
    """One item of metadata on `/v2`."""

    metadata: LegacyMetadata = Field(alias="meta", min_length=1, max_length=1)


class ItemV21(Strict, extra="forbid"):
    """One item of metadata on `/v2.1`."""

    metadata: Metadata = Field(alias="meta", min_length=1, max_length=1)


class ResetV2(Strict, extra="ignore"):
    """The value of ``"os-resetState"`` on `/v2`."""

    state: Literal["active", "error"]


class ResetV21(ResetV2, extra="forbid"):
    """The value of ``"os-resetState"`` on `/v2.1`."""


RENAMES: dict[Path, type[Strict]] = {"v2": RenameV2, "v2.1": RenameV21}
MAPS: dict[Path, type[Strict]] = {"v2": MapV2, "v2.1": MapV21}
ITEMS: dict[Path, type[Strict]] = {"v2": ItemV2, "v2.1": ItemV21}
RESETS: dict[Path, type[Strict]] = {"v2": ResetV2, "v2.1": ResetV21}

read_reset_state = action_reader("os-resetState", _reset, RESETS)
"""Reads ``{"os-resetState": {"state": "active" | "error"}}``: a `ResetState`."""
