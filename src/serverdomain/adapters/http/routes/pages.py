"""Pages of a list: what a query asks for, and the link to the page behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from serverdomain.adapters.http.calls.answers import answer
from serverdomain.adapters.http.calls.call import Call
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput

MOST = 1000
"""The most items on one page: Nova's default."""

Sent = list[tuple[str, str]]
"""The members of a query, each with its value, in their order."""


def sent(call: Call) -> Sent:
    """What a call's query says."""
    return parse_qsl(call.query, keep_blank_values=True)


def values(sent: Sent, name: str) -> list[str]:
    """All that a query says of one member."""
    return [value for member, value in sent if member == name]


def limit(sent: Sent) -> int:
    """The most items that a page may have. Raises `InvalidInput`."""
    given = dict(sent).get("limit")
    if given is None:
        return MOST
    if not (given.isascii() and given.isdecimal()) or len(given) > 18:
        raise InvalidInput("limit", f"{shown(given)} came, a whole number of at least 0 is allowed")
    return min(int(given), MOST)


def part(sent: Sent, items: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of items, each with its id first, those of the page that is asked for.

    Raises `InvalidInput` for a marker that is none of their ids.
    """
    found, marker = list(items), dict(sent).get("marker")
    begin = 0
    if marker is not None:
        begin = next((place for place, one in enumerate(found, 1) if one[0] == marker), 0)
        if not begin:
            raise InvalidInput("marker", f"{shown(marker)} came, an id of the list is allowed")
    return found[begin : begin + limit(sent)]


def page_of_items(
    call: Call,
    of: str,
    items: Iterable[tuple[str, str]],
    show: Callable[[str, str], dict[str, Any]],
) -> Response:
    """The page of items, each its id and its name, that is asked for; ``show`` shows one."""
    asked = sent(call)
    found = part(asked, items)
    last = found[-1][0] if found else None
    return page(call, of, [show(*one) for one in found], limit(asked), last)


def page(
    call: Call, of: str, shown: list[dict[str, Any]], limit: int, last: str | None
) -> Response:
    """The answer with a page of what is shown, the id of its ``last`` item, and a link onwards."""
    whole: dict[str, Any] = {of: shown}
    if last is not None and len(shown) == limit:
        here = call.url(of, *(["detail"] if call.route == f"{of}.detail" else []))
        following = [(name, value) for name, value in sent(call) if name != "marker"]
        href = f"{here}?{urlencode([*following, ('marker', last)])}"
        whole[f"{of}_links"] = [{"href": href, "rel": "next"}]
    return answer(whole)
