"""What a server would be if something else had been asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from serverdomain.adapters.cli.answers import say, say_json, visible
from serverdomain.adapters.cli.history_lines import told_changes
from serverdomain.adapters.cli.options import AsJson, ServerId, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, option
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.audit.rebuild_times import RebuildTime
    from serverdomain.audit.what_if import RequestOutcome, WhatIf

app = Commands()


@app.command("what-if")
def what_if(
    server: ServerId,
    store: StoreOptions,
    drop: Annotated[
        list[str] | None, option("REQUEST", "Without this request, or position:N; repeatable.")
    ] = None,
    insert: Annotated[
        list[str] | None, option("FILE|-", "With what is in FILE; repeatable.")
    ] = None,
    replace: Annotated[
        list[str] | None, option("REQUEST=FILE", "FILE in place of REQUEST; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a server would be if something else had been asked.

    Decides its history again, and writes nothing.
    """
    from serverdomain.adapters.cli import suppositions

    if not (drop or insert or replace):
        raise InvalidInput("what-if", "nothing came, --drop, --insert or --replace is allowed")
    inserted = [
        suppositions.inserted(given, number) for number, given in enumerate(insert or (), start=1)
    ]
    replaced = dict(suppositions.replaced(given) for given in replace or ())
    dropped = [suppositions.request_or_position(given) for given in drop or ()]
    with store.open() as servers:
        known = servers.find(server)
        found = servers.what_if(known, drop=dropped, insert=inserted, replace=replaced)
    if as_json:
        say_json(found.as_json())
    else:
        say("\n".join(_told(found)))


def _told(found: WhatIf) -> Iterator[str]:
    status = found.as_json()["status"]
    now, otherwise = (status[name] or "not there" for name in ("was", "would_be"))
    yield f"server {found.server_id} is {now}; it would be {otherwise}"
    if not found.requests:
        yield "every request would have the same outcome"
    yield from told_changes(found.changes)
    for one in found.requests:
        yield f"{one.as_json()['occurred_at']}  {one.kind}  {visible(one.request_id)}"
        before, after = _outcome(one.was), _outcome(one.would_be)
        yield f"    was: {before}"
        yield f"    would be: {after}{', with other values' if before == after else ''}"
    for was, would_be in found.rebuilds:
        if was != would_be:
            rebuild_id = (was or would_be).rebuild_id  # type: ignore[union-attr]
            yield f"rebuild {visible(rebuild_id)}"
            yield f"    was: {_took(was)}"
            yield f"    would be: {_took(would_be)}"


def _outcome(outcome: RequestOutcome | None) -> str:
    if outcome is None:
        return "not asked"
    names = ", ".join(type(event).__name__ for event in outcome.events)
    if outcome.outcome == "done":
        return names
    if outcome.outcome == "nothing":
        return "nothing to change"
    if outcome.outcome == "repeated":
        return "nothing: an earlier request has its id"
    by = f"refused by the rule of {outcome.rule}" if outcome.rule else "nothing, in conflict"
    return f"{by}: {visible(outcome.why or '')}"


def _took(time: RebuildTime | None) -> str:
    if time is None:
        return "not begun"
    if time.ended is None:
        return "under way without an end"
    return f"{time.ended} after {time.seconds:,.0f} s"
