"""A page of the log, folded: from the servers before it to the servers after it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from serverdomain.domain.history import Fact, History
from serverdomain.domain.server import Server
from serverdomain.store.log import Log, Page


def fold_page(
    log: Log,
    page: Page[Fact],
    before: Mapping[str, Server | None],
    older: Callable[[Iterable[str]], Mapping[str, Server | None]],
) -> dict[str, Server | None]:
    """The servers after a page, by id.

    They go on from those ``before`` it; ``older`` is asked once for the others that have a past. A
    server with a past that it lacks (a deleted one, or one with a late fact) is folded again from
    the log.
    """
    facts: defaultdict[str, list[Fact]] = defaultdict(list)
    for fact in page.events:
        facts[fact.server_id].append(fact)
    there = older([one for one in facts if one not in before and facts[one][0].version > 1])
    histories = {one: History(base=before.get(one) or there.get(one)) for one in facts}
    for server_id, history in histories.items():
        history.take_all(facts[server_id])
    incomplete = [one for one, history in histories.items() if history.lacks_past]
    if incomplete:
        with log.reading() as reading:
            for server_id in incomplete:
                histories[server_id] = reading.history(server_id, position=page.last)
    return {server_id: history.server for server_id, history in histories.items()}
