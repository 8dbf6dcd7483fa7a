"""What `/openapi.json` describes is what the endpoint does: asked by schemathesis."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import BaseSchema
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from serverdomain.adapters.http.routes.openapi import description
from tests.clients.endpoint import Endpoint, served
from tests.fuzz.requests import IMAGE, SECRET

pytestmark = pytest.mark.slow

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    log = tmp_path_factory.mktemp("described") / "log"
    with served("--rebuild-seconds", "0", log=log) as running:
        yield running
    assert '"event":"unexpected"' not in running.logged()


@pytest.fixture(scope="module")
def schema(endpoint: Endpoint) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{endpoint.url}/openapi.json")


@pytest.fixture
def server_id(endpoint: Endpoint) -> str:
    server = {"name": "web", "imageRef": IMAGE, "flavorRef": "1", "adminPass": SECRET}
    answered = httpx.post(f"{endpoint.url}/v2.1/servers", json={"server": server})
    created: str = answered.json()["server"]["id"]
    return created


OPERATIONS = [
    (method.upper(), path)
    for path, operations in description("http://127.0.0.1")["paths"].items()
    for method in operations
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_answer_is_one_that_is_described(
    method: str, path: str, schema: BaseSchema, server_id: str
) -> None:
    # An id that is made up finds nothing: mostly a server that is there is asked.
    there = {"server_id": server_id, "project": "openstack"}

    @settings(max_examples=15, suppress_health_check=list(HealthCheck))
    @given(case=schema[path][method].as_strategy(), known=st.integers(0, 3))
    def ask(case: schemathesis.Case, known: int) -> None:
        for name in case.path_parameters or {}:
            if known and name in there:
                case.path_parameters[name] = there[name]
        # A position that nobody wrote is waited for, and then there is a 503.
        (case.query or {}).pop("min_position", None)
        case.call_and_validate(checks=CHECKS)

    ask()
