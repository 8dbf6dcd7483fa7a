"""What a proof proves, in lines for people and as members of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from serverdomain.audit.ledger.checkpoint import Checkpoint
from serverdomain.audit.ledger.proof import Consistent, Included
from serverdomain.audit.ledger.words import told_of_leaf


def members(proved: Included | Consistent) -> dict[str, Any]:
    """What a proof proves, as plain values."""
    if isinstance(proved, Consistent):
        return {"old": checkpoint_members(proved.old), "new": checkpoint_members(proved.new)}
    event = {
        name: {"hex": value.hex()} if isinstance(value, bytes) else value
        for name, value in proved.event.items()
    }
    signed = checkpoint_members(proved.checkpoint)
    return {"event": event, "checkpoint": signed, "index": proved.rank, "said": proved.said}


def told(proved: Included | Consistent) -> Iterator[str]:
    """What a proof proves, in lines."""
    if isinstance(proved, Consistent):
        old, new = proved.old, proved.new
        yield f"the {old.size} events of {old.origin} under root {old.root.hex()}"
        yield f"are the first of the {new.size} under root {new.root.hex()}"
        return
    signed = proved.checkpoint
    yield f"this event is number {proved.rank + 1} of {signed.size} in {signed.origin}:"
    for line in told_of_leaf(proved.event):
        yield f"  {line}"
    yield "its leaf:"
    for name, value in proved.event.items():
        if value is not None:
            yield f"  {name}: {value.hex() if isinstance(value, bytes) else value}"
    if proved.said:
        yield "beside the proof stands, and is not proved:"
        yield from (f"  {line}" for line in proved.said)


def checkpoint_members(checkpoint: Checkpoint) -> dict[str, Any]:
    """What a checkpoint says, as plain values."""
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
