"""The description of the routes: valid, whole, and true of what is answered."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from serverdomain.adapters.http.routes.openapi import PREFIXES, description
from serverdomain.adapters.http.routes.table import ROUTES
from tests.adapters.http.client import IMAGE, SERVER, Client, Endpoint


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return description("http://localhost:8774")


def test_it_is_served_to_everybody(ask: Client, described: dict[str, Any]) -> None:
    answer = ask("GET", "/openapi.json", user="nobody")

    assert answer.status_code == 200
    assert answer.json() == described


def test_every_route_is_described_on_every_path(described: dict[str, Any]) -> None:
    for prefix, _ in PREFIXES:
        for route in ROUTES:
            operation = described["paths"][f"{prefix}/{route.path}"][route.method.lower()]
            assert (route.handler.__doc__ or "-").splitlines()[0] in operation["description"]


def test_every_operation_has_an_id_of_its_own(described: dict[str, Any]) -> None:
    ids = [
        operation["operationId"]
        for operations in described["paths"].values()
        for operation in operations.values()
    ]

    assert len(ids) == len(set(ids))


def schema(described: dict[str, Any], inner: dict[str, Any]) -> Draft202012Validator:
    resource = Resource.from_contents(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    )
    registry = Registry().with_resource("urn:document", resource)
    text = repr(inner).replace("'#/", "'urn:document#/")
    return Draft202012Validator(eval(text), registry=registry)


CALLS = [
    ("GET", "servers", "servers", None),
    ("GET", "servers/detail", "servers/detail", None),
    ("GET", "servers/{server_id}", f"servers/{SERVER}", None),
    ("PUT", "servers/{server_id}", f"servers/{SERVER}", {"server": {"name": "n"}}),
    ("POST", "servers", "servers", {"server": {"name": "a", "imageRef": IMAGE, "flavorRef": 1}}),
    ("GET", "servers/{server_id}/metadata", f"servers/{SERVER}/metadata", None),
    (
        "POST",
        "servers/{server_id}/metadata",
        f"servers/{SERVER}/metadata",
        {"metadata": {"a": "b"}},
    ),
    (
        "PUT",
        "servers/{server_id}/metadata/{item}",
        f"servers/{SERVER}/metadata/a",
        {"meta": {"a": "b"}},
    ),
    (
        "POST",
        "servers/{server_id}/action",
        f"servers/{SERVER}/action",
        {"rebuild": {"imageRef": IMAGE}},
    ),
    (
        "GET",
        "servers/{server_id}/os-instance-actions",
        f"servers/{SERVER}/os-instance-actions",
        None,
    ),
    ("GET", "images/{item}", f"images/{IMAGE}", None),
    ("GET", "flavors/detail", "flavors/detail", None),
    ("GET", "servers/{server_id}", "servers/none", None),
]


@pytest.mark.parametrize("prefix", [prefix for prefix, _ in PREFIXES])
@pytest.mark.parametrize(("method", "path", "asked", "body"), CALLS)
def test_what_is_sent_and_answered_is_as_described(
    endpoint: Endpoint,
    described: dict[str, Any],
    prefix: str,
    method: str,
    path: str,
    asked: str,
    body: Any,
) -> None:
    operation = described["paths"][f"{prefix}/{path}"][method.lower()]
    if body is not None:
        sent = operation["requestBody"]["content"]["application/json"]["schema"]
        schema(described, sent).validate(body)

    answer = endpoint.ask(method, f"{prefix.replace('{project}', 'openstack')}/{asked}", json=body)

    told = operation["responses"][str(answer.status_code)]
    if "content" in told:
        shape = told["content"]["application/json"]["schema"]
        schema(described, shape).validate(answer.json())
