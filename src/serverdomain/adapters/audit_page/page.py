"""Pages from templates, in which everything is escaped that is not marked as markup by us."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import Response

from serverdomain.adapters.audit_page import static
from serverdomain.adapters.audit_page.visit import Visit, link
from serverdomain.domain import moment
from serverdomain.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    Refused,
    Unproven,
)

_HTML = "text/html; charset=utf-8"
_STATUSES = ((NotFound, 404), (Conflict, 409), (Unproven, 409), (Refused, 400), (InvalidInput, 400))


def visible(text: object) -> str:
    """Text with what does not show, or turns the direction of what follows, written out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(text))


def leaf(value: object) -> str:
    """A value of a document on one line, as JSON."""
    return "absent" if value is None else visible(json.dumps(value, ensure_ascii=False))


def _time(at: int | datetime) -> str:
    """A time as people read it: UTC, to the second."""
    micros = at if isinstance(at, int) else moment.to_micros(at)
    return moment.seconds(micros).replace("T", " ").removesuffix("Z")


def _exactly(at: int | datetime) -> str:
    return moment.exact(at if isinstance(at, int) else moment.to_micros(at))


_environment = Environment(
    loader=PackageLoader("serverdomain.adapters.audit_page"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters |= {"visible": visible, "leaf": leaf, "time": _time, "exactly": _exactly}
_environment.globals |= {"link": link, "file": static.place_of}


def written(template: str, **shown: Any) -> str:
    """A template, filled in."""
    return _environment.get_template(template).render(**shown)


def page(template: str, visit: Visit, **shown: Any) -> Response:
    """The answer to a visit."""
    return Response(written(template, visit=visit, alone=False, **shown), 200, media_type=_HTML)


def mishap(status: int, says: str, headers: Mapping[str, str] | None = None) -> Response:
    """The page that says why there is no other."""
    shown = written("mishap.html", status=status, says=says, alone=False, visit=None)
    named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
    return Response(shown, status, named, _HTML)


def status_of(error: Exception) -> int:
    """The status of a page that says why there is no other; 500 for what nobody foresaw."""
    given = getattr(error, "status", None)
    if isinstance(given, int):
        return given
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
