"""One hash over all that a log says, for whoever asks whether two logs say the same.

It depends on the events and what came with them alone: not on the engine, the machine or the log's
id, nor on when a log took an event in, unless that is asked for. So a log that was filled with
interruptions has the digest of one that was filled in one go. docs/ledger-spec.md says of which
bytes it is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from serverdomain.audit.ledger.leaf import FIELDS, Row, encoded
from serverdomain.audit.ledger.verify import told_pages
from serverdomain.domain.progress import Progress, silent
from serverdomain.errors import Refused
from serverdomain.store.log import Reading

_RECORDED_AT = FIELDS.index("recorded_at")


class Digest(NamedTuple):
    """The digest of a log's ``events`` up to a ``position``, in hex."""

    sha256: str
    events: int
    position: int

    def __str__(self) -> str:
        return f"sha256:{self.sha256} {self.events} events up to position {self.position}"


def digest(
    log: Reading, *, until: int | None = None, recorded: bool = False, progress: Progress = silent
) -> Digest:
    """The digest of a log, or of its events up to a position.

    With ``recorded`` it also covers when the log took each in. Raises `Refused` for a position
    beyond the head.
    """
    head = log.head()
    if until is not None and until > head:
        raise Refused("head", f"position {until} came, the log ends at position {head}")
    covered = log.count() if until is None else log.count(until)
    hashing, events, position = sha256(), 0, 0
    for some in told_pages(log, covered, covered, progress):
        if events == covered:
            break
        hashing.update(_bytes_of(some, recorded))
        events += len(some)
        position = some[-1][0]
    return Digest(hashing.hexdigest(), events, position)


def _bytes_of(rows: Sequence[Row], recorded: bool) -> bytes:
    if recorded:
        return b"".join(map(encoded, rows))
    without = ((*row[:_RECORDED_AT], None, *row[_RECORDED_AT + 1 :]) for row in rows)
    return b"".join(map(encoded, without))
