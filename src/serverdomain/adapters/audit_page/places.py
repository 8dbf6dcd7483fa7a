"""The places of the page, and what shows each."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from serverdomain.adapters.audit_page.comparison import compare
from serverdomain.adapters.audit_page.fleet import fleet
from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.ledger import ledger, proof
from serverdomain.adapters.audit_page.reports import reports
from serverdomain.adapters.audit_page.requested import requested
from serverdomain.adapters.audit_page.server import moment, server
from serverdomain.adapters.audit_page.visit import Visit

Place = Callable[[Kept, Visit], Response]

PLACES: dict[str, Place] = {
    "": fleet,
    "server": server,
    "moment": moment,
    "compare": compare,
    "request": requested,
    "reports": reports,
    "ledger": ledger,
    "proof": proof,
}
"""What shows each place, by its path; it runs in a thread."""
