"""A documented server as lines of JSON, with those marked that changed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from serverdomain.adapters.audit_page.page import visible
from serverdomain.adapters.compute_json import render
from serverdomain.domain.server import Server, is_there


class Line(NamedTuple):
    """A line of JSON, and whether it shows something that changed."""

    text: str
    changed: bool


def document_lines(
    server: Server | None, changed: Collection[str], endpoint: str
) -> list[Line] | None:
    """The lines of the document of a server; ``None`` where it is not there.

    ``changed`` are JSON Pointers of leaves, as `domain.document.changes` names them; ``endpoint``
    is the root of its links.
    """
    if not is_there(server):
        return None
    shown = render(server, endpoint=endpoint, project=server.project_id)
    return list(_lines({"server": shown}, "", frozenset(changed), ""))


def _lines(value: Any, pointer: str, changed: frozenset[str], after: str) -> Iterator[Line]:
    """The lines of a value, indented by the depth of its pointer; ``after`` stands at its end."""
    if not isinstance(value, dict | list) or not value:
        yield Line(_text(value) + after, _inner(pointer) in changed)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    yield Line(opening, False)
    members = value.items() if isinstance(value, dict) else enumerate(value)
    for number, (key, member) in enumerate(members, start=1):
        step = str(key).replace("~", "~0").replace("/", "~1")
        comma = "," if number < len(value) else ""
        first, *others = _lines(member, f"{pointer}/{step}", changed, comma)
        name = f"{_text(key)}: " if isinstance(value, dict) else ""
        yield Line(f"  {name}{first.text}", first.changed)
        for text, is_changed in others:
            yield Line(f"  {text}", is_changed)
    yield Line(closing + after, False)


def _inner(pointer: str) -> str:
    return pointer.removeprefix("/server")


def _text(value: object) -> str:
    # JSON, too, where what does not show is written out.
    text = json.dumps(value, ensure_ascii=False)
    return visible(text) if text.isprintable() else json.dumps(value)
