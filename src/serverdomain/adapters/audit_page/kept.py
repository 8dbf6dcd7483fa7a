"""What the page looks at: the servers, the stories of those seen of late, and the checkpoint."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from serverdomain.adapters.audit_page.stories import Stories
from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.audit.ledger import Verdict
from serverdomain.servers import Servers

File = str | Path


class Kept:
    """The servers behind the page, and what it was given beside them."""

    def __init__(
        self,
        servers: Servers,
        endpoint: str | None = None,
        checkpoint: File | None = None,
        keys: tuple[File, ...] = (),
    ) -> None:
        self.servers = servers
        self.stories = Stories(servers)
        self.endpoint = endpoint
        self.checkpoint = checkpoint
        self.keys = keys
        self._verifying = Lock()

    def verified(self, checkpoint: File) -> Verdict:
        """Whether the log still holds what a checkpoint covers.

        The whole log is read, for one visitor at a time. Raises a 503 for another: those who wait
        would take the places of all who only look.
        """
        if not self._verifying.acquire(blocking=False):
            raise CallFault(503, "The log is being read for somebody else. Ask again in a while.")
        try:
            return self.servers.ledger.verify(checkpoint, list(self.keys))
        finally:
            self._verifying.release()
