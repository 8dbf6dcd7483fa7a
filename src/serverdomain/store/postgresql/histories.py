"""The histories of servers in a log in PostgreSQL, from their beginning or behind what is known."""

from __future__ import annotations

from collections.abc import Collection

from serverdomain.domain.history import History
from serverdomain.domain.server import Server
from serverdomain.store.codec import server_id_of, stream_of
from serverdomain.store.in_order import late_history
from serverdomain.store.log import LARGEST
from serverdomain.store.postgresql.as_stored import is_full, page_of
from serverdomain.store.postgresql.feed import OURS, Feed
from serverdomain.store.remembered import Remembered
from serverdomain.store.stored import fact_of

_FACT = "e.position, e.originator_version, e.topic, e.state, c.occurred_at, c.request_id"
_STREAM = f"{OURS} WHERE e.originator_id = %s"
_HISTORY = (
    f"SELECT {_FACT} {_STREAM} AND e.originator_version <= %s AND e.position <= %s"
    " AND c.recorded_at <= %s AND c.occurred_at <= %s ORDER BY e.originator_version"
)
# The row up to which a server is folded already is asked for, too: is it still there?
_GROWN = page_of(
    _FACT,
    f"{_STREAM} AND e.originator_version >= %s AND e.position <= %s",
    "e.originator_version",
    "octet_length(e.state)",
)
_AT_ONCE = 2048
_LONG = 1_000  # Events of a server that are read without a look for another beginning.
_OF_MANY = page_of(
    f"{_FACT}, e.originator_id",
    f"{OURS} WHERE e.originator_id = ANY(%s)",
    "e.originator_id, e.originator_version",
    "octet_length(e.state)",
)


class Histories(Feed):
    """The questions about one server's facts."""

    _remembered: Remembered | None

    def history(
        self,
        server_id: str,
        *,
        version: int = LARGEST,
        position: int = LARGEST,
        recorded_at: int = LARGEST,
        occurred_at: int = LARGEST,
    ) -> History:
        """A server's facts, of those within all these bounds."""
        bounds = version, position, recorded_at, occurred_at
        rows = self._all(_HISTORY, stream_of(server_id), *bounds)
        return History([fact_of(server_id, row) for row in rows])

    def so_far(
        self, server_id: str, position: int = LARGEST, base: Server | None = None
    ) -> History:
        """A server's history up to a position, behind what is remembered of it."""
        if base is None and self._remembered is not None:
            base = self._remembered.base(self, server_id)
        history = None if base is None else self._grown(server_id, position, base)
        history = history or self._grown(server_id, position, None)
        return history or late_history(self, server_id, position)

    def _grown(self, server_id: str, until: int, base: Server | None) -> History | None:
        """The history behind a base; ``None`` if that goes beyond this, or facts came late."""
        history = History(base=base)
        is_more = True
        while is_more:
            before = history.version
            at_once = _AT_ONCE if before else _LONG
            rows = self._all(_GROWN, stream_of(server_id), before, until, at_once)
            is_more = is_full(rows, at_once, 3)
            if before:
                if not rows or rows[0][1] != before:
                    return None
                del rows[0]
            elif is_more and (begun := self._begun(server_id, until)) is not None:
                return begun
            if not history.take_all(fact_of(server_id, row) for row in rows):
                return None
            if is_more and history.server is not None:
                history = History(base=history.server)
        return history

    def _begun(self, server_id: str, until: int) -> History | None:
        """A long history behind another beginning, if there is one that it reaches."""
        known = self._remembered
        base = None if known is None else known.beginning(self, server_id)
        return None if base is None else self._grown(server_id, until, base)

    def so_far_of(self, server_ids: Collection[str]) -> dict[str, History]:
        """The histories of many servers, each whole: of as many as a page holds."""
        rows = self._some(_OF_MANY, [*map(stream_of, server_ids)], _AT_ONCE)
        found = {one: History() for one in server_ids}
        for *row, stream in rows:
            server_id = server_id_of(stream)
            found[server_id].take(fact_of(server_id, tuple(row)))
        # Where a full page ends, a history may go on; those behind it were not read.
        end = server_id_of(rows[-1][-1]) if is_full(rows, _AT_ONCE, 3) else "~"
        return {
            one: history for one, history in found.items() if one < end and not history.lacks_past
        }
