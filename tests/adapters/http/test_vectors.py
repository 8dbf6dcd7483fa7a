"""Every recorded request, over HTTP: the status that Nova gave it, or that a decision gives."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.adapters.http.client import Endpoint
from tests.adapters.recorded import PATHS, VECTORS, body_of
from tests.adapters.test_compute_json_vectors import expected_verdict

TAKEN, TOO_MANY = (202, None), (403, "forbidden")


@pytest.mark.parametrize("microversion", PATHS)
def test_each_is_answered_with_novas_status_or_the_decided_one(microversion: str) -> None:
    vectors = [vector for vector in VECTORS if vector["microversion"] == microversion]
    assert len(vectors) > 500

    with Endpoint() as endpoint:
        # One test for all of a path: as many tests as there are vectors would take thrice as long.
        wrong = {
            f"{vector['id']} {vector['label']}": (told, expected(vector))
            for number, vector in enumerate(vectors, 1)
            if (told := answered(endpoint, vector, str(UUID(int=number)))) != expected(vector)
        }

    assert wrong == {}


def expected(vector: dict[str, Any]) -> tuple[int, str | None]:
    """The status and the fault's name."""
    status, fault = expected_verdict(vector)
    if status is not None:
        return status, fault
    # What passes validation may still be refused by the quota, which is asked last.
    body = vector.get("body")
    items = body["rebuild"].get("metadata", ()) if isinstance(body, dict) else ()
    return TOO_MANY if len(items) > 128 else TAKEN


def answered(endpoint: Endpoint, vector: dict[str, Any], server_id: str) -> tuple[Any, ...]:
    """What a server of its own is answered; what is refused must have left it as it was."""
    endpoint.register(server_id)
    content_type = vector.get("content_type", "application/json")
    answer = endpoint.ask(
        "POST",
        f"/{PATHS[vector['microversion']]}/openstack/servers/{server_id}/action",
        content=body_of(vector),
        headers={} if content_type is None else {"Content-Type": content_type},
    )
    server = endpoint.servers.get(server_id)
    if answer.status_code == 202:
        assert answer.json()["server"]["status"] == server.status == "REBUILD"
        return TAKEN
    assert server.version == 1
    return answer.status_code, name_of(answer)


def name_of(answer: httpx.Response) -> str:
    ((name, fault),) = answer.json().items()
    assert fault["code"] == answer.status_code
    return str(name)
