"""One endpoint for all tests of clients: a process with a clock that stands, emptied for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.clients.endpoint import Endpoint, served

IMAGES = {
    "70a599e0-31e7-49b7-b260-868f441e862b": "old",
    "155d900f-4e14-4e4c-a73d-069cbf4541e6": "new",
}
OLD, NEW = IMAGES
UNKNOWN = "00000000-0000-4000-8000-000000000000"
SECRET = "seekr3t-of-a-client"


class Cloud:
    """The endpoint, and a hand on its clock."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url)

    def create(self, name: str = "web", project: str = "openstack") -> str:
        """A server that is ACTIVE; gives its id."""
        asked = {"server": {"name": name, "imageRef": OLD, "flavorRef": "1"}}
        answered = self._http.post(f"/v2.1/{project}/servers", json=asked).raise_for_status()
        self.advance(6)
        server_id: str = answered.json()["server"]["id"]
        return server_id

    def advance(self, seconds: float) -> None:
        """Let time pass, with all that is due by then."""
        self._http.post("/control/clock", json={"advance": seconds}).raise_for_status()

    def fault(self, **rule: object) -> None:
        """Let something go wrong, once."""
        self._http.post("/control/faults", json=rule).raise_for_status()

    def asked(self, route: str) -> list[dict[str, object]]:
        """What clients sent, and what they were answered."""
        found: list[dict[str, object]] = self._http.get(
            "/control/requests", params={"route": route}
        ).json()["requests"]
        return found

    def reset(self) -> None:
        """Forget all."""
        self._http.post("/control/reset").raise_for_status()

    def close(self) -> None:
        self._http.close()


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    log: Path = tmp_path_factory.mktemp("endpoint") / "log"
    images = [f"--image={image}={name}" for image, name in IMAGES.items()]
    with served("--clock", "manual", *images, log=log) as running:
        yield running
    assert SECRET not in running.logged()


@pytest.fixture
def cloud(endpoint: Endpoint) -> Iterator[Cloud]:
    cloud = Cloud(endpoint.url)
    cloud.reset()
    yield cloud
    cloud.close()
