"""Events that another log has numbered, appended to a log on SQLite as they are."""

from __future__ import annotations

from collections.abc import Sequence

from serverdomain.store.log import BulkWriting, Row, Tip
from serverdomain.store.sqlite.writing import SQLiteWriting


class SQLiteBulk(SQLiteWriting, BulkWriting):
    """A transaction in which much is appended at once."""

    def append_rows(self, rows: Sequence[Row]) -> None:
        """Append events as another log holds them, with their commands."""
        commands = {
            row[5]: row[5:] for row in rows if row[5] is not None and row[5] > self._command_id
        }
        self._commands += commands.values()
        self._events += (row[:6] for row in rows)
        self._command_id = max(commands, default=self._command_id)
        for row in rows:
            _, _, version, *_, refused = row
            if refused == 0:
                self.ahead.appended(row[7], version)
        position, stream, version, *_ = last = rows[-1]
        request_id = None if last[12] is None else last[12].encode()
        self._position = position
        self._tip = Tip(position, stream.encode(), version, last[5], request_id, last[16])
        self.write()
