"""The input of a command: a file, or ``-`` for stdin."""

from __future__ import annotations

import sys

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
    try:
        if given == "-":
            if sys.stdin is None:
                raise InvalidInput(option, "stdin is closed, a file is allowed")
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
