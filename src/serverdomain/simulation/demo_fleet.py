"""A small fleet to try a client on: servers in every status, made like any others."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import NAMESPACE_URL, uuid5

from serverdomain.domain.actor import Actor
from serverdomain.domain.commands import CreateServer, RebuildServer
from serverdomain.servers import Servers
from serverdomain.store.context import Context

IMAGES = ("f90f6034-2570-4974-8351-6b49732ef2eb", "70a599e0-31e7-49b7-b260-868f441e862b")
"""The images that they are made and rebuilt from, if nobody says which images exist."""


def make(servers: Servers, project: str, images: Sequence[str] = ()) -> None:
    """Make the fleet in a project, from the first and the last of the ``images``.

    The servers' ids are made from their names, so they are the same everywhere.
    """
    image, other = (images or IMAGES)[0], (images or IMAGES)[-1]
    actor = Actor("demo", project)

    def create(name: str, **metadata: str) -> str:
        server_id = str(uuid5(NAMESPACE_URL, f"serverdomain:demo:{name}"))
        command = CreateServer(
            server_id=server_id, name=name, image_id=image, flavor_id="1", metadata=metadata
        )
        servers.create(command, Context(actor))
        return server_id

    def build(name: str, **metadata: str) -> str:
        server_id = create(name, **metadata)
        servers.report_built(server_id)
        return server_id

    rebuild = RebuildServer(image_id=other)
    build("web-1", role="web")
    build("web-2", role="web")
    servers.lock(build("db-1", role="db"), Context(actor))
    servers.stop(build("spare-1"), Context(actor))
    broken = build("broken-1")
    servers.rebuild(broken, rebuild, Context(actor))
    servers.fail_rebuild(broken, "The disk is full.")
    servers.rebuild(build("web-3", role="web"), rebuild, Context(actor))
    create("web-4", role="web")
