"""The description of the routes, made from their table and the models of their bodies."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic.json_schema import models_json_schema

from serverdomain.adapters.compute_json import Path, changes, create, rebuild
from serverdomain.adapters.http.calls.route import UNKNOWN_ACTION, Route
from serverdomain.adapters.http.routes import described
from serverdomain.adapters.http.routes.table import ROUTES

PREFIXES: tuple[tuple[str, Path], ...] = (
    ("/v2/{project}", "v2"),
    ("/v2.1", "v2.1"),
    ("/v2.1/{project}", "v2.1"),
)
"""Where the routes are served, and as which API."""

_DOCUMENTS = {"/": "versions.list", "/v2/": "versions.v2", "/v2.1/": "versions.v2.1"}

_MODELS: dict[Path, dict[str, tuple[str, type[Any]]]] = {
    api: {
        "servers.create": ("server", create.MODELS[api]),
        "servers.rename": ("server", changes.RENAMES[api]),
        "servers.rebuild": ("rebuild", rebuild.MODELS[api]),
        "servers.reset_state": ("os-resetState", changes.RESETS[api]),
        "metadata.merge": ("", changes.MAPS[api]),
        "metadata.replace": ("", changes.MAPS[api]),
        "metadata.set_item": ("", changes.ITEMS[api]),
    }
    for api in ("v2", "v2.1")
}
"""The model that reads each body, and the member in which its value stands, if in one."""


def description(endpoint: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document, with ``endpoint`` as its server."""
    return {**_without_server(), "servers": [{"url": endpoint}]}


@lru_cache(1)
def _without_server() -> dict[str, Any]:
    found, schemas = models_json_schema(
        sorted(
            {(model, "validation") for models in _MODELS.values() for _, model in models.values()},
            key=lambda named: named[0].__name__,
        ),
        by_alias=True,
        ref_template="#/components/schemas/{model}",
    )
    references = {model: reference for (model, _), reference in found.items()}
    paths: dict[str, dict[str, Any]] = {
        path: {"get": _operation(name, described.answers("200", "Version"), [])}
        for path, name in _DOCUMENTS.items()
    }
    for prefix, api in PREFIXES:
        for path, routes in _by_path().items():
            operations = paths.setdefault(f"{prefix}/{path}", {})
            for method, several in routes.items():
                operations[method.lower()] = _described(prefix, api, several, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "The Compute API as serverdomain serves it",
            "version": "2.1",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas["$defs"], **described.SCHEMAS},
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}
            },
        },
    }


def _by_path() -> dict[str, dict[str, list[Route]]]:
    paths: dict[str, dict[str, list[Route]]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {}).setdefault(route.method, []).append(route)
    return paths


def _described(
    prefix: str, api: Path, routes: list[Route], references: dict[type[Any], Any]
) -> dict[str, Any]:
    first = routes[0]
    name = first.name if first.action is None else UNKNOWN_ACTION
    answers = described.ANSWERS[first.name]
    parameters = [
        *described.in_path(f"{prefix}/{first.path}"),
        *described.QUERIES.get(name, ()),
        *([described.MIN_POSITION] if first.method == "GET" else []),
        *described.HEADERS[api],
    ]
    operation = _operation(f"{prefix} {name}", described.answers(*answers), parameters)
    operation["description"] = " ".join(
        (route.handler.__doc__ or "").splitlines()[0] for route in routes
    )
    bodies = [body for route in routes if (body := _body(route, api, references)) is not None]
    if bodies:
        schema = bodies[0] if len(bodies) == 1 else {"oneOf": bodies}
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _body(route: Route, api: Path, references: dict[type[Any], Any]) -> dict[str, Any] | None:
    member, model = _MODELS[api].get(route.name, (route.action, None))
    if model is not None and not member:
        reference: dict[str, Any] = references[model]
        return reference
    if member is None:
        return None
    # What is asked of a lock, a stop or a start decides nothing: any value is taken.
    value = {} if model is None else references[model]
    return {**described.object_of(**{member: value}), "additionalProperties": False}


def _operation(
    name: str, answers: dict[str, Any], parameters: list[dict[str, Any]]
) -> dict[str, Any]:
    return {"operationId": name, "parameters": parameters, "responses": answers}
