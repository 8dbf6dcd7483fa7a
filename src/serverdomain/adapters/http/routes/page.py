"""A page for people: one self-contained HTML document, without scripts and foreign origins."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib import resources

from starlette.responses import Response

_STYLE = resources.files(__package__).joinpath("page.css").read_text("utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_DIGEST}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "vary": "Accept",
}
"""What keeps a browser from doing anything but showing it."""


def page(title: str, body: str) -> Response:
    """A page of markup that is safe: every text in it went through `text`."""
    whole = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
    return Response(whole, 200, HEADERS, "text/html; charset=utf-8")


def text(*parts: object) -> str:
    """Text as markup."""
    return escape("".join(map(str, parts)))


def code(*parts: object) -> str:
    """A word of code."""
    return f"<code>{text(*parts)}</code>"


def link(href: str, shown: str) -> str:
    """A link."""
    return f'<a href="{escape(href)}">{text(shown)}</a>'


def table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table whose cells are markup."""
    head = "".join(f"<th>{text(one)}</th>" for one in heading)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>\n" for row in rows)
    return f'<div class="wide"><table>\n<tr>{head}</tr>\n{body}</table></div>'
