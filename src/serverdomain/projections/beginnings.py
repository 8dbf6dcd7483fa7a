"""Where the fold of a long history may begin: at its server's row, in a view that is there.

A view is a cache and no second truth. It is believed only if it stands on the row of the log that
it claims; where it is missing, foreign or damaged, the history is folded from its first fact.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from serverdomain.domain.server import Server
from serverdomain.errors import StoreError
from serverdomain.projections import generations
from serverdomain.projections.server_rows import SERVERS, servers_in
from serverdomain.projections.view_file import ViewFile
from serverdomain.projections.view_place import ViewPlace
from serverdomain.store.log import Log, Reading


class Beginnings:
    """The rows of a log's view, the ``given`` file or the default one; nothing is made."""

    def __init__(self, log: Log, given: str | Path | None) -> None:
        self._log = log
        self._given = given
        self._file: ViewFile | None = None
        self._opening = Lock()

    def find(self, reading: Reading, server_id: str) -> Server | None:
        """A server as of some row of a log, if the view has it."""
        try:
            file = self._opened()
            if file is None:
                return None
            with file.reading() as rows:
                live = generations.live(rows, SERVERS)
                server = servers_in(rows, live.table, [server_id]).get(server_id)
        except StoreError:
            self.close()
            return None
        if server is None or reading.row_hash(live.position) != live.row_hash:
            return None
        return server

    def _opened(self) -> ViewFile | None:
        with self._opening:
            if self._file is None:
                self._file = ViewPlace(self._log, self._given, SERVERS).found()
            return self._file

    def close(self) -> None:
        """Close the file."""
        with self._opening:
            if self._file is not None:
                self._file.close()
                self._file = None
