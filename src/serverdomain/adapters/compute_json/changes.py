"""The bodies of what changes a server besides a rebuild: its name, its metadata, its state."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from serverdomain.adapters.compute_json.body import (
    Strict,
    as_documented,
    check,
    member,
    parse,
    reader,
    sole_action,
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

_JSON = "application/json"


@reader
def read_json(body: bytes | str, *, content_type: str | None = _JSON) -> None:
    """Ask that a body is JSON. Raises `InvalidBody`: 400 or 415."""
    parse(body, content_type)


@reader
def read_action(body: bytes | str, *, content_type: str | None = _JSON) -> str:
    """The name of the one action in a body of ``…/servers/{id}/action``.

    Raises `InvalidBody` as Nova answers: 400, 404 or 415. Neither whether there is such an action
    nor what is asked of it is looked into.
    """
    return sole_action(parse(body, content_type))[0]


@reader
def read_rename(
    body: bytes | str, *, path: Path = "v2", content_type: str | None = _JSON
) -> RenameServer | ChangeServer:
    """Read ``{"server": {"name": …}}`` and what else it may change. Raises `InvalidBody`."""
    change = check(RENAMES[path], _sole(body, "server", path, content_type), "server")
    members = change.model_dump(exclude_unset=True)
    if not members:
        known = ", ".join(field.alias or name for name, field in type(change).model_fields.items())
        raise InvalidBody("server", f"nothing to change came, {known} are allowed")
    try:
        return RenameServer(**members) if list(members) == ["name"] else ChangeServer(**members)
    except InvalidInput as error:
        raise as_documented(error, type(change), "server") from None


@reader
def read_metadata(
    body: bytes | str, *, path: Path = "v2", content_type: str | None = _JSON
) -> dict[str, str]:
    """Read ``{"metadata": {…}}``, which is to be merged or to replace. Raises `InvalidBody`."""
    asked = check(MAPS[path], {"metadata": _sole(body, "metadata", path, content_type)}, "")
    return _limited(asked.metadata, "metadata")


@reader
def read_metadata_item(
    body: bytes | str, key: str, *, path: Path = "v2", content_type: str | None = _JSON
) -> dict[str, str]:
    """Read ``{"meta": {key: value}}`` with the one key of the URL. Raises `InvalidBody`."""
    asked = _sole(body, "meta", path, content_type)
    if isinstance(asked, dict) and list(asked) != [key]:
        raise InvalidBody(
            "meta", f"the keys {shown(list(asked))} came, the one of the URL is allowed"
        )
    return _limited(check(ITEMS[path], {"meta": asked}, "").meta, "meta")


@reader
def read_reset_state(
    body: bytes | str, *, path: Path = "v2", content_type: str | None = _JSON
) -> ResetState:
    """Read ``{"os-resetState": {"state": "active" | "error"}}``. Raises `InvalidBody`."""
    name, asked = sole_action(parse(body, content_type))
    if name != "os-resetState":
        raise InvalidBody("body", f"action {shown(name)} came, 'os-resetState' is allowed")
    state = check(RESETS[path], asked, name).state
    return ResetState(state="ACTIVE" if state == "active" else "ERROR")


def _sole(body: bytes | str, name: str, path: Path, content_type: str | None) -> object:
    """The value of the one member that a body has; `/v2` overlooks others."""
    document = parse(body, content_type)
    value = member(document, name)
    if path == "v2.1" and isinstance(document, dict) and len(document) > 1:
        raise InvalidBody("body", f"{len(document)} members came, {name!r} alone is allowed")
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
