"""What routes work on: the servers, and the images and flavors that exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from serverdomain.adapters import compute_json
from serverdomain.adapters.compute_json import Path
from serverdomain.adapters.compute_json.extended import extended
from serverdomain.adapters.http.calls.answers import encode
from serverdomain.adapters.http.calls.glance import Glance
from serverdomain.adapters.http.calls.waits import MOST
from serverdomain.domain import limits
from serverdomain.domain.server import Server
from serverdomain.servers import Servers
from serverdomain.servers.awaited import AsyncServers
from serverdomain.servers.awaited.threads import Threads
from serverdomain.store.weighed import Weighed

Images = Mapping[str, str] | Callable[[str], str | None]
"""Names of images by their ids; or a callable that gives the name for an id, or ``None``."""

MOST_BYTES = 32 * 1024 * 1024
"""What the answers weigh that are kept as they were written, at most."""

_ASKED = 2 * 1024

Flavors = Mapping[str, str] | Callable[[str], str | None]
"""Names of flavors by their ids; or a callable that gives the name for an id, or ``None``."""

USUAL_FLAVORS = {
    "1": "m1.tiny",
    "2": "m1.small",
    "3": "m1.medium",
    "4": "m1.large",
    "5": "m1.xlarge",
}
"""The flavors that exist where nobody says which do."""


class Cloud:
    """The servers behind an endpoint, its images and its flavors.

    Without ``images`` every one exists. Beside the ``flavors`` those exist that a server has.
    """

    def __init__(
        self,
        servers: Servers | AsyncServers,
        images: Images | None = None,
        flavors: Flavors | None = None,
    ) -> None:
        self.awaited = servers if isinstance(servers, AsyncServers) else AsyncServers(servers)
        self.servers = self.awaited.blocking
        self.glance = Glance(self.servers.mark)
        self.threads = {
            waits: Threads(most, large=waits == "listing") for waits, most in MOST.items()
        }
        self.images: dict[str, str] = {}
        self.find_image: Callable[[str], str | None] | None = None
        """Gives an image's name by its canonical id; ``None`` where every image exists."""
        if callable(images):
            self.find_image = images
        elif images is not None:
            self.images = {
                limits.canonical_uuid("images", image_id): name for image_id, name in images.items()
            }
            self.find_image = self.images.get
        self.kept: Weighed[tuple[str, Path], tuple[Server, str, str | None, bytes]]
        self.kept = Weighed(MOST_BYTES)
        self.flavors: dict[str, str] = {}
        """The names of flavors by their ids, but for those that only a server or a hook knows."""
        self._find_flavor: Callable[[str], str | None] = self.flavors.get
        if callable(flavors):
            self._find_flavor = flavors
        else:
            self.flavors |= USUAL_FLAVORS if flavors is None else flavors
            for flavor_id in self.flavors:
                limits.text("flavors", flavor_id, shortest=1, longest=255)

    def flavor(self, flavor_id: str) -> str | None:
        """The name of a flavor; ``None`` for one that does not exist."""
        name = self._find_flavor(flavor_id)
        if name is None and self.servers.list(flavor_id=flavor_id, limit=1):
            return flavor_id
        return name

    async def has_flavor(self, flavor_id: str) -> bool:
        """Whether there is a flavor; where that may wait, a thread looks."""
        if flavor_id in self.flavors:
            return True
        return await self.threads["commanding"].run(self.flavor, flavor_id) is not None

    async def has_image(self, image_id: str) -> bool:
        """Whether there is an image; a callable is asked in a thread."""
        if self.find_image is None or image_id in self.images:
            return True
        return await self.threads["commanding"].run(self.find_image, image_id) is not None

    def all_flavors(self) -> dict[str, str]:
        """The names of the flavors that can be listed, by their ids: those of servers come last."""
        more = [one for one in self.servers.view.flavors() if one not in self.flavors]
        return {**self.flavors, **{one: self._find_flavor(one) or one for one in more}}

    def render(
        self, server: Server, endpoint: str, path: Path, project: str | None
    ) -> dict[str, Any]:
        """A server as ``show`` and ``detail`` show it."""
        shown = compute_json.render(server, endpoint=endpoint, path=path, project=project)
        return extended(server, shown) if path == "v2.1" else shown

    def shown(self, server: Server, endpoint: str, path: Path, project: str | None) -> bytes:
        """The answer that shows a server, written once until something in it changes.

        One is kept for each server and API, whatever hosts and projects a client makes up.
        """
        key = (server.id, path)
        kept = self.kept.get(key)
        if kept is not None and kept[:3] == (server, endpoint, project):
            return kept[3]
        written = encode({"server": self.render(server, endpoint, path, project)})
        # The server itself is remembered elsewhere, or weighs about as much again.
        self.kept.put(key, (server, endpoint, project, written), _ASKED + 2 * len(written))
        return written
