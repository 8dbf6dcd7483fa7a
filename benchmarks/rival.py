"""What every rival can do, on a file of its own: the same work, each in its own way."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

IMAGES = ("70a599e0-31e7-49b7-b260-868f441e862b", "155d900f-4e14-4e4c-a73d-069cbf4541e6")
PERCENTS = (25, 50, 75)

EVENTS_OF_A_CYCLE = 9
"""Three of a rebuild, three of its progress, its completion, a stop and a start."""

DOCUMENTED: dict[str, Any] = {
    "name": "foobar",
    "project_id": "openstack",
    "user_id": "fake",
    "image_id": IMAGES[0],
    "flavor_id": "1",
    "metadata": {"meta var": "meta val"},
    "access_ipv4": "1.2.3.4",
    "access_ipv6": "fe80::100",
    "host_id": "1e3da81662354c25560b7e5ea6d8123031f67168b6992f20bb84df69",
}
ADDRESS: dict[str, Any] = {"addr": "192.168.0.3", "version": 4}


def server_id(number: int) -> UUID:
    """The id of a server by its number."""
    return UUID(int=number + 1)


class Rival(Protocol):
    """A store with servers in it, which are known by their numbers."""

    name: str
    shared: bool
    """Whether many callers may ask it at once."""

    def __init__(self, folder: Path) -> None: ...

    def fill(self, servers: int, cycles: int) -> None:
        """Make servers, each with 1 + ``cycles`` * `EVENTS_OF_A_CYCLE` events, ACTIVE."""

    def rename(self, number: int, name: str) -> None:
        """Record one command of one event, durably."""

    def rebuild(self, number: int, image_id: str, name: str) -> None:
        """Record one command of three events, durably; image and name are other ones."""

    def complete(self, number: int) -> None:
        """End a rebuild, so that the next may begin."""

    def get(self, number: int) -> object:
        """The server as it is now, from its events."""

    def durability(self) -> str:
        """What SQLite says of the connection that writes: journal and synchronous."""

    def close(self) -> None:
        """Let go of the files."""


SYNCHRONOUS = ("OFF", "NORMAL", "FULL", "EXTRA")
