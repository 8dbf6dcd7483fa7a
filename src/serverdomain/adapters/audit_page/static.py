"""The page's own style, script and mark: the only files that it lets a browser load."""

from __future__ import annotations

import hashlib
from importlib import resources

from starlette.responses import Response

from serverdomain.errors import NotFound

_TYPES = {
    "audit.css": "text/css; charset=utf-8",
    "audit.js": "text/javascript; charset=utf-8",
    "mark.svg": "image/svg+xml",
}
_FOLDER = resources.files(__package__).joinpath("static")
TEXTS = {name: _FOLDER.joinpath(name).read_text("utf-8") for name in _TYPES}
"""The files as they are, by their names."""

_DIGESTS = {name: hashlib.sha256(text.encode()).hexdigest()[:12] for name, text in TEXTS.items()}
_A_DAY = "private, max-age=86400"


def place_of(name: str) -> str:
    """Where a page finds a file: another one whenever it changed, so that a browser may keep it."""
    return f"static/{name}?{_DIGESTS[name]}"


def file(name: str) -> Response:
    """The answer with a file. Raises `NotFound`."""
    if name not in TEXTS:
        raise NotFound("there is no such file")
    return Response(TEXTS[name], 200, {"cache-control": _A_DAY}, _TYPES[name])
