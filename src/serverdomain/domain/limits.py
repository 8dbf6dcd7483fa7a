"""What a value may be, however it came in.

These limits hold on both Compute paths and for an embedder who passes no JSON: a value that breaks
them is never recorded. Each check returns the value in its canonical form or raises `InvalidInput`,
which names the field, what came and what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from uuid import UUID

from serverdomain.errors import InvalidInput

LONGEST_NAME = 255
"""The most characters of a server's name."""

LONGEST_METADATA = 255
"""The most bytes of UTF-8 of a metadata key or value ("255 bytes each", as documented)."""

MOST_METADATA = 128
"""The most items of metadata that a request may give a server."""

_SHOWN = 60
_REQUEST_ID = re.compile("[!-~]{1,255}")
_CANONICAL = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def shown(value: object) -> str:
    """The value as Python writes it, short enough for one line."""
    try:
        literal = ascii(value)
    except ValueError:  # Python does not write an integer of more than 4,300 digits.
        literal = f"a {type(value).__name__} of many digits"
    return literal if len(literal) <= _SHOWN else f"{literal[:_SHOWN]}…"


def member(field: str, key: str) -> str:
    """The name of a field's member, on one line whatever its key is."""
    return f"{field}.{shown(key)[1:-1] if not key.isprintable() else key[:_SHOWN]}"


def text(field: str, value: object, *, shortest: int = 0, longest: int | None = None) -> str:
    """A string of ``shortest`` to ``longest`` characters that has a UTF-8 form."""
    if not isinstance(value, str):
        raise InvalidInput(field, f"{shown(value)} came, a string is allowed")
    if not value.isascii():
        utf_8(field, value)
    if len(value) < shortest or (longest is not None and len(value) > longest):
        allowed = f"{shortest} to {longest}" if longest is not None else f"at least {shortest}"
        raise InvalidInput(
            field, f"{len(value)} characters came ({shown(value)}), {allowed} are allowed"
        )
    return value


def texts(**given: object) -> None:
    """Raise `InvalidInput` for one of these that is given and is no string with a UTF-8 form."""
    for field, value in given.items():
        if value is not None:
            text(field, value)


def utf_8(field: str, value: str) -> bytes:
    """The string's bytes in UTF-8; a lone surrogate has none."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise InvalidInput(
            field, f"{shown(value)} has a lone surrogate, text with a UTF-8 form is allowed"
        ) from None


def server_name(field: str, value: object) -> str:
    """A server's name: 1 to 255 characters, not all of them blank."""
    name = text(field, value, shortest=1, longest=LONGEST_NAME)
    if not name.strip():
        raise InvalidInput(field, f"{shown(name)} is blank, a visible name is allowed")
    return name


def canonical_uuid(field: str, value: object) -> str:
    """A UUID in its canonical form.

    Every form that Nova accepts is read: any case, with or without dashes, braces or ``urn:uuid:``.
    """
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, str):
        if type(value) is str and _CANONICAL.fullmatch(value):
            return value
        bare = value.replace("urn:", "").replace("uuid:", "").strip("{}").replace("-", "").lower()
        try:
            canonical = str(UUID(value))
        except ValueError:
            canonical = ""
        if canonical.replace("-", "") == bare and bare:
            return canonical
    raise InvalidInput(field, f"{shown(value)} came, a UUID is allowed")


def ipv4(field: str, value: object) -> str:
    """An IPv4 address in dotted form, without leading zeros."""
    if isinstance(value, str):
        try:
            return str(IPv4Address(value))
        except AddressValueError:
            pass
    raise InvalidInput(field, f"{shown(value)} came, an IPv4 address such as 1.2.3.4 is allowed")


def ipv6(field: str, value: object) -> str:
    """An IPv6 address, compressed and in lower case, without a zone."""
    if isinstance(value, str) and "%" not in value:
        try:
            address = IPv6Address(value)
        except AddressValueError:
            pass
        else:
            # Python 3.13 writes these differently; what is stored must not depend on that.
            mapped = address.ipv4_mapped
            return f"::ffff:{mapped}" if mapped is not None else address.compressed
    raise InvalidInput(field, f"{shown(value)} came, an IPv6 address such as fe80::100 is allowed")


def address(field: str, value: object, version: object) -> str:
    """An IP address of version 4 or 6."""
    if not isinstance(version, int) or version not in (4, 6):
        raise InvalidInput(field, f"version {shown(version)} came, 4 or 6 is allowed")
    return ipv4(field, value) if version == 4 else ipv6(field, value)


def one_of(field: str, value: object, allowed: tuple[str, ...]) -> str:
    """One of the ``allowed`` words."""
    if not isinstance(value, str) or value not in allowed:
        raise InvalidInput(field, f"{shown(value)} came, {' or '.join(allowed)} is allowed")
    return value


def percent(field: str, value: object) -> int:
    """A whole number from 0 to 100."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100:
        raise InvalidInput(field, f"{shown(value)} came, a whole number from 0 to 100 is allowed")
    return value


def string_map(field: str, value: object) -> dict[str, str]:
    """A map of strings to strings, each with a UTF-8 form."""
    if not isinstance(value, Mapping):
        raise InvalidInput(field, f"{shown(value)} came, a map of strings to strings is allowed")
    return {text(field, key): text(member(field, key), item) for key, item in value.items()}


def metadata(field: str, value: object) -> dict[str, str]:
    """Metadata that a request sets: keys of 1 to 255 bytes, values of 0 to 255 bytes."""
    items = string_map(field, value)
    for key, item in items.items():
        _bytes(field, "key", key, shortest=1)
        _bytes(member(field, key), "value", item, shortest=0)
    return items


def _bytes(field: str, what: str, value: str, *, shortest: int) -> None:
    size = len(value) if value.isascii() else len(value.encode())
    if not shortest <= size <= LONGEST_METADATA:
        raise InvalidInput(
            field, f"a {what} of {size} bytes came, {shortest} to {LONGEST_METADATA} are allowed"
        )


def keys(field: str, value: object) -> tuple[str, ...]:
    """A tuple of at least one metadata key."""
    if not isinstance(value, tuple) or not value:
        raise InvalidInput(field, f"{shown(value)} came, a tuple of keys is allowed")
    return tuple(text(field, key) for key in value)


def password(field: str, value: object) -> str:
    """Any string with a UTF-8 form. The error names only the type of what came."""
    if not isinstance(value, str):
        came, allowed = f"a {type(value).__name__}", "a string"
    elif not _has_utf_8(value):
        came, allowed = "a string without a UTF-8 form", "text that has one"
    else:
        return value
    del value  # A traceback that shows local variables would show it.
    raise InvalidInput(field, f"{came} came, {allowed} is allowed")


def _has_utf_8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def request_id(field: str, value: object) -> str:
    """1 to 255 printable ASCII characters without a space."""
    if isinstance(value, str) and _REQUEST_ID.fullmatch(value):
        return value
    raise InvalidInput(
        field,
        f"{shown(value)} came, 1 to 255 printable ASCII characters without a space are allowed",
    )
