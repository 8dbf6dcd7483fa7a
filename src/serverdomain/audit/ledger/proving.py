"""The proofs of events: which are meant, whether a checkpoint covers them, and their paths."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from serverdomain.audit.ledger import merkle, proof
from serverdomain.audit.ledger.checkpoint import Checkpoint, leaves_of
from serverdomain.audit.ledger.leaf import FIELDS, Row, encoded, hashed
from serverdomain.audit.ledger.merkle import HASH_SIZE
from serverdomain.audit.ledger.verify import told_pages
from serverdomain.audit.ledger.words import Words
from serverdomain.domain.limits import shown
from serverdomain.domain.progress import Progress
from serverdomain.errors import Conflict, NotFound, Unproven

if TYPE_CHECKING:
    from serverdomain.store.log import Reading

_SERVER_ID = FIELDS.index("server_id")
# Of a row of commands.
_REQUEST_ID = FIELDS.index("request_id") - FIELDS.index("command_id")


def positions_of(log: Reading, request_id: str) -> list[int]:
    """The positions of a request's events, or of what was refused under its id."""
    command = log.command(request_id)
    if command is not None:
        return [one.position for one in log.events_of(command)]
    # Many refused commands may bear one id, and there is no index of those.
    refused = [one[-1] for one in log.commands() if one[_REQUEST_ID] == request_id]
    if not refused:
        raise NotFound(f"no command was recorded under the request id {shown(request_id)}")
    return sorted(position for position in refused if position is not None)


def proofs(
    log: Reading,
    positions: Sequence[int],
    checkpoint: str | Path,
    progress: Progress,
    with_words: bool,
) -> list[bytes]:
    """The proof of each of these events that a checkpoint covers; see `Ledger.prove`."""
    signed = Checkpoint.read_file(checkpoint)
    rows = _covered(log, positions, signed)
    leaves = leaves_under(log, signed, checkpoint, progress)
    levels, words = merkle.Levels(leaves, signed.size), Words(log)
    found = []
    for rank, row in rows:
        leaf = encoded(row)
        if merkle.leaf_hash(leaf) != leaves[rank * HASH_SIZE : (rank + 1) * HASH_SIZE]:
            raise Unproven(
                f"the event at position {row[0]} is not as the checkpoint covers it: "
                "ledger verify says what happened"
            )
        says = words.of(row[0], row[_SERVER_ID]) if with_words else ()
        found.append(proof.inclusion(leaf, rank, levels.inclusion(rank), signed, says))
    return found


def leaves_under(log: Reading, signed: Checkpoint, path: str | Path, progress: Progress) -> bytes:
    """The leaf hashes under a checkpoint: those beside its file, or else from the log."""
    beside = leaves_of(signed, path)[0]
    if beside is not None:
        return beside
    run, wanted = bytearray(), signed.size * HASH_SIZE
    pages = told_pages(log, signed.size, signed.size, progress)
    while len(run) < wanted and (some := next(pages, [])):
        run += hashed(some)
    found = bytes(run)
    if not signed.vouches_for(found):
        raise Unproven(
            f"the log does not hold the {signed.size} events that the checkpoint covers: "
            "ledger verify says what happened"
        )
    return found


def _covered(log: Reading, positions: Sequence[int], signed: Checkpoint) -> list[tuple[int, Row]]:
    """The rank and the row of each of these events that a checkpoint covers."""
    found, later = [], None
    for position in positions:
        row = log.row(position)
        if row is None:
            raise NotFound(f"no event stands at position {position}")
        rank = log.count(position) - 1
        if rank < signed.size:
            found.append((rank, row))
        else:
            later = position
    if not found:
        raise Conflict(
            f"the event at position {later} came after the checkpoint, which covers "
            f"{signed.size} events: a later one is allowed"
        )
    return found
