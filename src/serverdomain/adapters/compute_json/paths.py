"""What `/v2` and `/v2.1` read differently: a name, the keys of metadata, members they do not know.

Both are Nova's rules, found by asking it; what the two share (255 bytes, canonical ids and
addresses) is `domain.limits`' and is checked by the commands themselves.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field

from serverdomain.domain.limits import LONGEST_NAME, shown

Path = Literal["v2", "v2.1"]
"""Which API a request came in by: the legacy ``/v2`` or ``/v2.1``."""

PATHS: tuple[str, ...] = get_args(Path)

# `match` and `$` let one newline at the end slip through, and so does Nova: it is stored.
_KEY = re.compile(r"[a-zA-Z0-9-_:. ]{1,255}$")
_KEYS = "keys of ASCII letters, digits, '-', '_', ':', '.' and space are allowed"


def _stripped(name: str) -> str:
    # As Nova's pattern, this one too overlooks one newline at the end, which goes with the strip.
    for character in name.removesuffix("\n"):
        if not _is_printable(character):
            raise ValueError(f"printable characters are allowed, without {character!a}")
    return name.strip()


def _is_printable(character: str) -> bool:
    # Nova knows of no character past the Basic Multilingual Plane: an emoji is not printable.
    category = unicodedata.category(character)
    return ord(character) < 0x10000 and (category[0] not in "CZ" or category == "Zs")


def _not_padded(name: str) -> str:
    inner = name.removesuffix("\n")
    if inner != inner.strip():
        raise ValueError("a name without space at its ends is allowed")
    return _stripped(name)


def _shows(name: str) -> str:
    stripped = _stripped(name)
    if not stripped:
        raise ValueError("a name that is not blank is allowed")
    return stripped


def _all_match(metadata: dict[str, str]) -> dict[str, str]:
    for key in metadata:
        if not _KEY.match(key):
            raise ValueError(f"{_KEYS}, {shown(key)} is none")
    return metadata


def _all_or_none_match(metadata: dict[str, str]) -> dict[str, str]:
    # `/v2` looks at keys only where one of them matches; a map of others alone is kept as it is.
    return _all_match(metadata) if any(_KEY.match(key) for key in metadata) else metadata


_Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]

PaddedName = Annotated[_Name, AfterValidator(_shows)]
"""A server's name as `/v2` takes it: 1 to 255 printable characters, stripped of space around it."""

Name = Annotated[_Name, AfterValidator(_not_padded)]
"""A server's name as `/v2.1` takes it: no space at its ends."""

LegacyMetadata = Annotated[dict[str, str], AfterValidator(_all_or_none_match)]
"""Metadata as `/v2` takes it."""

Metadata = Annotated[dict[str, str], AfterValidator(_all_match)]
"""Metadata as `/v2.1` takes it: every key matches."""
