"""The input of a command: a file, ``-`` for stdin, or options that say what a file would."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping

from serverdomain.errors import InvalidInput

LONGEST_REQUEST = 112 * 1024
"""The most bytes of a request, as for the Compute API."""

LONGEST_DOCUMENT = 16 * 1024 * 1024
"""The most bytes of a document: far more than a server has, and an endless stream ends."""


def read(option: str, given: str, longest: int) -> bytes:
    """The bytes of a file, or of stdin for ``-``, at most ``longest``.

    Raises `InvalidInput`, which names ``option``, if they cannot be read or are more.
    """
    if given.lstrip()[:1] in ("{", "["):
        # Not shown: it may hold a password.
        raise InvalidInput(option, "JSON came, the name of a file is allowed, or - for stdin")
    if given == "-" and sys.stdin is None:
        raise InvalidInput(option, "stdin is closed, a file is allowed")
    try:
        if given == "-":
            found = sys.stdin.buffer.read(longest + 1)
        else:
            with open(given, "rb") as file:
                found = file.read(longest + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            option, f"{given!r} cannot be read ({why}), a file is allowed, or - for stdin"
        ) from None
    if len(found) > longest:
        raise InvalidInput(
            option, f"{given!r} holds more than {longest} bytes, that many are allowed"
        )
    return found


def require_either(
    option: str, given: str | None, beside: Mapping[str, object], needed: Collection[str]
) -> None:
    """Raise `InvalidInput` unless a file came, or else those ``needed`` of other options."""
    came = [name for name, value in beside.items() if value]
    lacking = [name for name in needed if name not in came]
    if given is not None and came:
        raise InvalidInput(option, f"{', '.join(came)} came with it, one of both is allowed")
    if given is None and lacking:
        raise InvalidInput(", ".join(lacking), f"nothing came, it is required without {option}")


def read_items(option: str, given: Iterable[str]) -> dict[str, str]:
    """Metadata from ``KEY=VALUE``. Raises `InvalidInput`."""
    found = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals:
            raise InvalidInput(option, f"{one!r} came, KEY=VALUE is allowed")
        found[key] = value
    return found
