"""Files that people give: checkpoints and keys."""

from __future__ import annotations

from pathlib import Path

from serverdomain.errors import InvalidInput


def read(path: str | Path, field: str, what: str, most: int) -> bytes:
    """The content of a file, at most so many bytes; `InvalidInput` where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(most)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            field, f"{str(path)!r} cannot be read ({why}), {what} is allowed"
        ) from None
