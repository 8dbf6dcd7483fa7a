"""What routes work on: the servers, and the images that exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from serverdomain.adapters import compute_json
from serverdomain.adapters.compute_json import Path
from serverdomain.adapters.http.calls.answers import encode
from serverdomain.domain import limits
from serverdomain.domain.server import Server
from serverdomain.servers import Servers

Images = Mapping[str, str] | Callable[[str], str | None]
"""Names of images by their ids; or a callable that gives the name for an id, or ``None``."""

MOST_SHOWN = 4096
"""The most answers that are kept as they were written."""


class Cloud:
    """The servers behind an endpoint, and its images; without ``images`` every one exists."""

    def __init__(self, servers: Servers, images: Images | None = None) -> None:
        self.servers = servers
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
        self._shown: dict[tuple[str, str, Path, str | None], tuple[Server, bytes]] = {}

    def shown(self, server: Server, endpoint: str, path: Path, project: str | None) -> bytes:
        """The answer that shows a server, written once until something in it changes."""
        key = (server.id, endpoint, path, project)
        kept = self._shown.get(key)
        if kept is not None and kept[0] == server:
            return kept[1]
        written = encode(
            {"server": compute_json.render(server, endpoint=endpoint, path=path, project=project)}
        )
        if len(self._shown) >= MOST_SHOWN:
            self._shown.clear()
        self._shown[key] = (server, written)
        return written
