"""The stories of servers looked at of late, kept within a bound in bytes.

So one scrubs through ten thousand events without reading them again for each.
"""

from __future__ import annotations

from serverdomain.adapters.audit_page.story import Story
from serverdomain.domain.limits import canonical_uuid
from serverdomain.errors import InvalidInput, NotFound
from serverdomain.servers import Servers
from serverdomain.store.weighed import Weighed

MOST_BYTES = 64 * 1024 * 1024
"""What the stories weigh that are kept, at most."""


class Stories:
    """The stories of a log's servers."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._kept: Weighed[str, Story] = Weighed(MOST_BYTES)

    def find(self, named: str, within: str | None, head: int | None = None) -> Story:
        """The story of a server, by its id; up to ``head`` it may be one that is kept.

        Raises `NotFound` where there is none, and for a server of another project than ``within``.
        """
        try:
            server_id = canonical_uuid("id", named)
        except InvalidInput:
            raise NotFound(f"{named!a} is no id of a server") from None
        story = self._kept.get(server_id)
        if story is None or story.head != head:
            story = self._up_to_date(server_id, story)
        if within not in (None, story.project_id):
            raise NotFound(f"server {server_id} is not there, and never was")
        return story

    def _up_to_date(self, server_id: str, kept: Story | None) -> Story:
        # Whatever comes after this is asked for again.
        head = self._servers.head()
        if kept is not None and kept.head == head:
            return kept
        story = None
        if kept is not None and kept.newest is not None:
            # From the newest on: if that is no more as it was, the log is another.
            after = kept.newest.position - 1
            story = kept.grown(self._servers.recorded(server_id, after=after), head)
        if story is None:
            story = Story(server_id, self._servers.recorded(server_id), head)
        self._kept.put(server_id, story, story.weight)
        return story
