"""What routes work on: the servers, and the images that exist."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from serverdomain.adapters import compute_json
from serverdomain.adapters.compute_json import Path
from serverdomain.adapters.http.calls.answers import encode
from serverdomain.domain import limits
from serverdomain.domain.server import Server
from serverdomain.servers import Servers
from serverdomain.store.weighed import Weighed

Images = Mapping[str, str] | Callable[[str], str | None]
"""Names of images by their ids; or a callable that gives the name for an id, or ``None``."""

MOST_BYTES = 32 * 1024 * 1024
"""What the answers weigh that are kept as they were written, at most."""

_ASKED = 2 * 1024


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
        self.kept: Weighed[tuple[str, Path], tuple[Server, str, str | None, bytes]]
        self.kept = Weighed(MOST_BYTES)

    def shown(self, server: Server, endpoint: str, path: Path, project: str | None) -> bytes:
        """The answer that shows a server, written once until something in it changes.

        One is kept for each server and API, whatever hosts and projects a client makes up.
        """
        key = (server.id, path)
        kept = self.kept.get(key)
        if kept is not None and kept[:3] == (server, endpoint, project):
            return kept[3]
        written = encode(
            {"server": compute_json.render(server, endpoint=endpoint, path=path, project=project)}
        )
        # The server itself is remembered elsewhere, or weighs about as much again.
        self.kept.put(key, (server, endpoint, project, written), _ASKED + 2 * len(written))
        return written
