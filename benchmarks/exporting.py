"""A log written out line by line, beside a bare loop over the same rows."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import msgspec

from benchmarks.fleet import Fleet
from serverdomain.adapters.exchange import log_lines
from serverdomain.adapters.exchange.exporting import export
from serverdomain.domain.progress import silent

_ROWS = (
    "SELECT * FROM stored_events e LEFT JOIN commands c ON c.command_id = e.command_id"
    " ORDER BY e.position"
)
_AT_ONCE = 2_048


class Exporting(Fleet):
    """What ``export`` does: every row asked what it is, and no state of the log held."""

    def export(self) -> None:
        with open(self._folder / f"{type(self).__name__}.jsonl", "wb") as file:
            export(self._fleet, log_lines, file.write, 0, silent)


class Looping(Exporting):
    """The same rows, as they come, as arrays of JSON."""

    name = "sqlite3, its rows as JSON"

    def export(self) -> None:
        encode = msgspec.json.Encoder().encode_lines
        with (
            closing(sqlite3.connect(self._path)) as log,
            open(self._folder / f"{type(self).__name__}.jsonl", "wb") as file,
        ):
            rows = log.execute(_ROWS)
            while some := rows.fetchmany(_AT_ONCE):
                file.write(encode(some))
