"""Every recorded request, over HTTP: the status that Nova gave it, or that a decision gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.adapters.http.client import Endpoint, fault_of
from tests.adapters.recorded import PATHS, VECTORS, body_of
from tests.adapters.test_compute_json_vectors import expected_verdict, named


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


def too_many_items(vector: dict[str, Any]) -> bool:
    """Whether what passed validation is refused by the quota that comes after it."""
    body = vector.get("body")
    return isinstance(body, dict) and len(body["rebuild"].get("metadata", ())) > 128


@pytest.mark.parametrize("vector", named(VECTORS))
def test_a_recorded_request_is_answered_with_novas_status_or_the_decided_one(
    endpoint: Endpoint, vector: dict[str, Any]
) -> None:
    # A server for each: what one request changed must not decide on the next.
    server_id = endpoint.register(str(UUID(int=VECTORS.index(vector) + 1)))
    content_type = vector.get("content_type", "application/json")

    answer = endpoint.ask(
        "POST",
        f"/{PATHS[vector['microversion']]}/openstack/servers/{server_id}/action",
        content=body_of(vector),
        headers={} if content_type is None else {"Content-Type": content_type},
    )

    status, fault = expected_verdict(vector)
    if status is None and too_many_items(vector):
        assert fault_of(answer) == (403, "forbidden")
    elif status is None:
        assert answer.status_code == 202, answer.text
        assert answer.json()["server"]["status"] == "REBUILD"
    else:
        assert fault_of(answer) == (status, fault)
        assert endpoint.servers.get(server_id).version == 1, "nothing is written"
