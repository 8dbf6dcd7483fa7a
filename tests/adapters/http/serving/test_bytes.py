"""Any bytes at all, on a real socket and at the control: an answer that is no 5xx, and an end."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverdomain.adapters.http.control.fault_rule import FaultRule
from serverdomain.testing.compute_endpoint import ComputeEndpoint
from tests.adapters.http.real import connected, until_closed

REQUESTS = [
    b"GET /v2.1/servers HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b'POST /v2.1/servers HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{"server":',
    b'POST /v2/p/servers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n',
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"OPTIONS * HTTP/1.0\r\n\r\n",
    b"CONNECT a:80 HTTP/1.1\r\nHost: localhost\r\n\r\n",
]

# The endpoint is the same for all: nothing that they send may change how it answers the next.
fuzz = settings(deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@settings(fuzz, max_examples=500)
@given(
    request_=st.sampled_from(REQUESTS),
    edits=st.lists(
        st.tuples(st.integers(0, 120), st.binary(max_size=4), st.integers(0, 5)), max_size=4
    ),
    length=st.integers(0, 200),
)
def test_bytes_that_are_nearly_a_request(
    compute_endpoint: ComputeEndpoint,
    request_: bytes,
    edits: list[tuple[int, bytes, int]],
    length: int,
) -> None:
    data = bytearray(request_)
    for at, put, instead in edits:
        data[at : at + instead] = put
    url = httpx.URL(compute_endpoint.url)
    assert url.port is not None
    with connected((url.host, url.port)) as connection:
        connection.sendall(bytes(data[:length]))
        connection.shutdown(socket.SHUT_WR)
        answer = until_closed(connection)
    assert not answer.startswith(b"HTTP/1.1 5"), (data[:length], answer)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["*", "hang", "servers.show", "before", "2012-09-12T17:20:37Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.sampled_from([*FaultRule.model_fields, "advance", "now", "x"])


@settings(fuzz, max_examples=80)
@given(
    body=st.dictionaries(MEMBERS, VALUES, max_size=5) | VALUES,
    path=st.sampled_from(["faults", "clock", "reset", "requests", "faults/x", "%00"]),
    method=st.sampled_from(["POST", "GET", "DELETE", "PUT"]),
)
def test_any_json_at_the_control(
    compute_endpoint: ComputeEndpoint, body: Any, path: str, method: str
) -> None:
    url = f"{compute_endpoint.url}/control/{path}"
    answer = httpx.request(method, url, content=json.dumps(body), verify=False, timeout=20)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        ((_, told),) = answer.json().items()
        assert told["code"] == answer.status_code
    compute_endpoint.faults.clear()
