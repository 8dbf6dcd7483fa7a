"""A page of the log, folded: from the servers before it to the servers after it."""

from __future__ import annotations

from collections.abc import Mapping

from serverdomain.domain.history import Fact, History
from serverdomain.domain.server import Server
from serverdomain.store.in_order import late_history
from serverdomain.store.log import Log, Page


def fold_page(
    log: Log, there: Mapping[str, Server | None], page: Page[Fact]
) -> dict[str, Server | None]:
    """The servers after a page, by id.

    ``there`` has those before it. A server with a past that it lacks (a deleted one, or one with a
    late fact) is folded again from the log.
    """
    histories: dict[str, History] = {}
    for fact in page.events:
        history = histories.get(fact.server_id)
        if history is None:
            history = histories[fact.server_id] = History(base=there.get(fact.server_id))
        history.take(fact)
    incomplete = [server_id for server_id, history in histories.items() if history.lacks_past]
    if incomplete:
        with log.reading() as reading:
            for server_id in incomplete:
                histories[server_id] = late_history(reading, server_id, page.last)
    return {server_id: history.server for server_id, history in histories.items()}
