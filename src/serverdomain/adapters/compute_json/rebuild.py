"""The body of *Rebuild server*: from the documented request to the domain's own command.

Structure, and what the two paths read differently, is checked here; what every rebuild must keep is
checked by `RebuildServer` itself, and told under the documented member's name.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from serverdomain.adapters.compute_json.body import Strict, action_reader
from serverdomain.adapters.compute_json.paths import (
    LegacyMetadata,
    Metadata,
    Name,
    PaddedName,
    Path,
)
from serverdomain.domain.commands import RebuildServer

_TRUE = frozenset({"True", "TRUE", "true", "1", "ON", "On", "on", "YES", "Yes", "yes"})
_FALSE = frozenset({"False", "FALSE", "false", "0", "OFF", "Off", "off", "NO", "No", "no"})


def _boolean(value: object) -> object:
    if not isinstance(value, bool) and not (isinstance(value, str) and value in _TRUE | _FALSE):
        raise ValueError("true or false is allowed, or one of their strings such as 'True' and '0'")
    return value


def _base64(contents: str) -> str:
    # As lenient as Nova, which skips what is no letter of Base64; the file is dropped anyway.
    try:
        base64.decodebytes(contents.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        pass
    else:
        return contents
    raise ValueError("Base64 in ASCII is allowed")


class _File(Strict):
    """A file of ``personality``: checked, then dropped."""

    path: str
    contents: Annotated[str, AfterValidator(_base64)]


class _KnownFile(_File, extra="forbid"):
    pass


class _Rebuild(Strict):
    """What both paths read alike, by its documented names; which members came is what counts."""

    image_id: str = Field(alias="imageRef")
    admin_pass: str = Field("", alias="adminPass")
    access_ipv4: str = Field("", alias="accessIPv4")
    access_ipv6: str = Field("", alias="accessIPv6")
    disk_config: Literal["AUTO", "MANUAL"] = Field("MANUAL", alias="OS-DCF:diskConfig")
    preserve_ephemeral: Annotated[object, AfterValidator(_boolean)] = Field(False, exclude=True)


class RebuildV2(_Rebuild, extra="ignore"):
    """`/v2` overlooks members that it does not know."""

    name: PaddedName = ""
    metadata: LegacyMetadata = Field(default_factory=dict)
    personality: list[_File] = Field(default_factory=list, exclude=True)


class RebuildV21(_Rebuild, extra="forbid"):
    """`/v2.1` refuses them."""

    name: Name = ""
    metadata: Metadata = Field(default_factory=dict)
    personality: list[_KnownFile] = Field(default_factory=list, exclude=True)


MODELS: dict[Path, type[_Rebuild]] = {"v2": RebuildV2, "v2.1": RebuildV21}

read_rebuild = action_reader("rebuild", RebuildServer, MODELS)
"""Reads a request of *Rebuild server* (``{"rebuild": {"imageRef": …}}``): a `RebuildServer`."""
