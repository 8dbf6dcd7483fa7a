"""Reading what was written through another node: a GET that waits for a position to come."""

from __future__ import annotations

from urllib.parse import parse_qsl

from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.cloud import Cloud
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput, StoreBehind
from serverdomain.projections import coming

NAME = "min_position"
"""The member of a query that says from which position on a GET may be answered."""


async def wait(cloud: Cloud, call: Call) -> None:
    """Wait for the position that a GET asks for, if it asks for one.

    Raises `InvalidInput` for what is none, and a 503 where it does not come in time.
    """
    given = dict(parse_qsl(call.query, keep_blank_values=True)).get(NAME)
    if given is None:
        return
    if not (given.isascii() and given.isdecimal()) or len(given) > 18:
        raise InvalidInput(NAME, f"{shown(given)} came, a whole number of at least 0 is allowed")
    try:
        await cloud.awaited.wait_for(int(given), coming.SECONDS)
    except StoreBehind as error:
        raise CallFault(503, f"{NAME}: {error}. Ask again.", retry_after="1") from error
