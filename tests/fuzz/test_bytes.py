"""Whatever bytes come: no answer is a 5xx, nobody hangs, the log is sound and knows no secret."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings

from serverdomain import RegisterServer, Servers
from tests.clients.endpoint import Endpoint, served
from tests.fuzz.requests import IMAGE, SECRET, SERVER, conversations

pytestmark = [
    pytest.mark.slow,
    # What is sent may be long, and so is its repr.
    pytest.mark.filterwarnings("ignore:Generating overly large repr"),
]

CREATE = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "1", "adminPass": SECRET}}

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")
WELL_FORMED = b"".join(
    f"{asked} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    for asked, body in (
        ("GET /v2.1/servers", ""),
        ("POST /v2.1/servers", json.dumps(CREATE)),
    )
)
"""What is answered after all of that as if nothing had been."""

PATIENCE = 15
"""Seconds; the endpoint itself gives up what is half sent only when a client that waits is late."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def talk(endpoint: Endpoint, sent: bytes) -> list[int]:
    """Send all, say that this was all, and read to the end: the statuses of what was answered."""
    address = urlsplit(endpoint.url)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as connection:
        received = b""
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise  # It hangs.
        except OSError:
            pass  # It has heard enough, and says so.
        try:
            while part := connection.recv(65_536):
                received += part
        except ConnectionError:
            pass
    return [int(status) for status in STATUS.findall(received)]


def test_no_bytes_bring_it_down_or_into_the_log(folder: Path) -> None:
    log = folder / "log"
    store = ("--store", f"sqlite:///{folder / 'cloud.db'}")
    with served(*store, "--rebuild-seconds", "0", log=log) as endpoint:
        with Servers.open(f"sqlite:///{folder / 'cloud.db'}") as servers:
            register(servers)

        seen: set[int] = set()

        @settings(max_examples=300, suppress_health_check=list(HealthCheck))
        @given(conversations())
        def answers(sent: bytes) -> None:
            statuses = talk(endpoint, sent)
            seen.update(statuses)
            assert [status for status in statuses if status >= 500 and status != 501] == []

        answers()
        # It was a fuzz of more than the parser.
        assert {200, 400, 404} <= seen
        assert talk(endpoint, WELL_FORMED) == [200, 202]
    said = log.read_text("utf-8")
    assert '"event":"unexpected"' not in said
    assert "ASGI" not in said
    assert SECRET not in said
    for file in folder.glob("cloud*"):
        assert SECRET.encode() not in file.read_bytes(), file.name
    with Servers.open(f"sqlite:///{folder / 'cloud.db'}", create=False) as servers:
        folded = {server.id: servers.get(server.id) for server in servers.list()}
        servers.view.replay()
        assert {server.id: server for server in servers.list()} == folded
        assert all(servers.history(server_id) for server_id in folded)


def register(servers: Servers) -> None:
    servers.register(
        RegisterServer(
            server_id=SERVER,
            name="foobar",
            project_id="openstack",
            user_id="fake",
            image_id=IMAGE,
            flavor_id="1",
            created=0,
            updated=0,
        )
    )
