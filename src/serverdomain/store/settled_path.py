"""A path as it is given, settled at once: it stays, whatever folder is worked in later."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from serverdomain.errors import StoreMissing


def settled(given: str | PathLike[str], field: str) -> Path:
    """The absolute path. Raises `StoreMissing` if that of the working folder is needed and gone."""
    try:
        return Path(given).absolute()
    except FileNotFoundError:
        gone = f"{field}: {str(given)!r} came, and the working folder is gone"
        raise StoreMissing(f"{gone}: an absolute path is allowed") from None
