"""An answer as one HTML file, to be sent to somebody: the option ``--html``, and its writing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from serverdomain.adapters.cli.answers import say, visible
from serverdomain.adapters.cli.options import StoreOptions
from serverdomain.adapters.cli.parameters import option
from serverdomain.errors import InvalidInput

Html = Annotated[
    str | None, option("FILE", "Write a page there, one file to send to somebody.", "--html")
]


def require_html(store: StoreOptions, html: str | None, as_json: bool) -> None:
    """Raise `InvalidInput` for a page beside JSON, and for one in a file of the store."""
    if html is None:
        return
    if as_json:
        raise InvalidInput("--html", "it came with --json, one of them is allowed")
    store.require_apart(html, "--html")


_BEGINNING = b"<!doctype html>"


def write_page(file: str, page: str) -> None:
    """Write a page, whole or not at all, in place of an older one, and say so."""
    from serverdomain.store.durable import replacing

    path = Path(file)
    if os.path.lexists(path) and not _is_page(path):
        raise InvalidInput("--html", f"{file!r} is no page, a new file or an older page is allowed")
    with replacing(path, "--html") as out:
        out.write(page.encode())
    say(visible(f"{file} is written"))


def _is_page(path: Path) -> bool:
    # An empty file is one that somebody made for it.
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(_BEGINNING)) in (b"", _BEGINNING)
