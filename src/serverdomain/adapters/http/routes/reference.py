"""The OpenAPI document as a page: every route, what it takes, and what it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from starlette.responses import Response

from serverdomain.adapters.http.calls.route import Here
from serverdomain.adapters.http.routes import openapi
from serverdomain.adapters.http.routes.page import code, link, page, table, text

_METHODS = ("get", "post", "put", "delete")
_SHOWN = "/v2.1"
"""Of the prefixes under which each route is served, the one whose routes are shown."""


def reference(here: Here) -> Response:
    """The page."""
    others = [prefix for prefix, _ in openapi.PREFIXES if prefix != _SHOWN]
    title, routes, schemas = _whole()
    return page(
        title,
        f"""<h1>{text(title)}</h1>
<p>{link(f"{here.root}/", "What this is")} ·
{link(f"{here.root}/openapi.json", "openapi.json")}</p>
<p>Each route is shown below {code(_SHOWN)}, and served below {" and ".join(map(code, others))} too.
A caller is known by the header {code("X-Auth-Token")}, where one is asked for.</p>
<h2>Routes</h2>
{routes}
<h2>Bodies and answers</h2>
{schemas}""",
    )


@lru_cache(1)
def _whole() -> tuple[str, str, str]:
    """The title, and routes and schemas as markup: made once, for it takes longer than any call."""
    whole = openapi.description("")
    schemas = "\n".join(
        f'<details id="schema-{text(name)}">'
        f"<summary>{code(name)}</summary>{_json(schema)}</details>"
        for name, schema in sorted(whole["components"]["schemas"].items())
    )
    return whole["info"]["title"], "\n".join(_routes(whole["paths"])), schemas


def _routes(paths: dict[str, Any]) -> Iterator[str]:
    prefixes = [f"{prefix}/" for prefix, _ in openapi.PREFIXES if prefix != _SHOWN]
    for path, operations in paths.items():
        if any(path.startswith(prefix) for prefix in prefixes):
            continue
        for method in _METHODS:
            if method in operations:
                yield _route(path, method, operations[method])


def _route(path: str, method: str, operation: dict[str, Any]) -> str:
    says = operation.get("description", "")
    parts = [f"<p>{text(says)}</p>" if says else ""]
    parameters = [
        (code(one["name"]), text(one["in"]), _form(one["schema"]))
        for one in operation["parameters"]
    ]
    if parameters:
        parts.append(table(("parameter", "in", "form"), parameters))
    body = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if body is not None:
        parts.append(f"<p>Body:</p>{_json(body['schema'])}")
    answers = [
        (text(status), text(answer["description"]), _form(_schema(answer)))
        for status, answer in operation["responses"].items()
    ]
    parts.append(table(("answer", "means", "form"), answers))
    return (
        f'<details><summary><span class="method {method}">{method.upper()}</span> '
        f"{code(path)}</summary>{''.join(parts)}</details>"
    )


def _schema(answer: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _form(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return link(f"#schema-{name}", name)
    return code(json.dumps(schema)) if schema else ""


def _json(schema: dict[str, Any]) -> str:
    return f"<pre>{text(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"
