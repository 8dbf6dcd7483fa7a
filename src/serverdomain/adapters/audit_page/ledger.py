"""The ledger: whether the log still holds what a checkpoint covers, and the proof of one event."""

from __future__ import annotations

from starlette.responses import Response

from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.page import page
from serverdomain.adapters.audit_page.visit import Visit
from serverdomain.audit.ledger import Checkpoint
from serverdomain.errors import InvalidInput, NotFound, Refused


def ledger(kept: Kept, visit: Visit) -> Response:
    """The state of the ledger; ``verify=yes`` reads the log again."""
    signed = None if kept.checkpoint is None else Checkpoint.read_file(kept.checkpoint)
    verdict = None
    if signed is not None and visit.one("verify") and kept.keys:
        assert kept.checkpoint is not None
        verdict = kept.verified(kept.checkpoint)
    return page(
        "ledger.html",
        visit,
        events=len(kept.servers.ledger),
        log_id=kept.servers.log_id,
        signed=signed,
        verdict=verdict,
        has_keys=bool(kept.keys),
    )


def proof(kept: Kept, visit: Visit) -> Response:
    """The proof that an event is as the checkpoint covers it, as a file."""
    position = visit.number("position")
    if position is None:
        raise InvalidInput("position", "nothing came, the position of an event is allowed")
    if kept.checkpoint is None:
        raise Refused("head", "the page was given no checkpoint, so there is nothing to prove by")
    if visit.within is not None:
        # Whose event it is, is asked first: of another project's nothing is told.
        found = kept.servers.timeline.search(
            positions=(max(position, 1), max(position, 1)), project=visit.within
        )
        if not list(found):
            raise NotFound(f"no event stands at position {position}")
    (proven,) = kept.servers.ledger.proofs([position], kept.checkpoint)
    name = f'attachment; filename="position-{position}.proof"'
    return Response(proven, 200, {"content-disposition": name}, "text/plain; charset=utf-8")
