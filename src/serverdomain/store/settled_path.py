"""A path as it is given, settled at once: it stays, whatever folder is worked in later."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from serverdomain.errors import InvalidInput


def settled(given: str | PathLike[str], field: str) -> Path:
    """The absolute path. Raises `InvalidInput` if that of the working folder is needed and gone."""
    try:
        return Path(given).absolute()
    except FileNotFoundError:
        gone = f"{str(given)!r} came, and the working folder is gone"
        raise InvalidInput(field, f"{gone}: an absolute path is allowed") from None
