"""What happened to a server, or in the whole log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

from serverdomain.adapters.cli.answers import say_json_array, say_lines, visible, written
from serverdomain.adapters.cli.options import AsJson, StoreOptions, server_argument
from serverdomain.adapters.cli.parameters import Commands, option
from serverdomain.adapters.cli.progress_bar import catch_up
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.domain.document import Change
    from serverdomain.projections.history import HistoryEntry

app = Commands()

_LINES = 1_000


@app.command()
def history(
    store: StoreOptions,
    server: Annotated[
        str | None,
        server_argument,
    ] = None,
    actor: Annotated[str | None, option("ID", "Only what this user asked for.")] = None,
    request: Annotated[str | None, option("ID", "Only this request and all it caused.")] = None,
    image: Annotated[
        str | None, option("ID", "Only where this image is asked for, comes or goes.")
    ] = None,
    since: Annotated[str | None, option("TIME", "Only what occurred then or later.")] = None,
    until: Annotated[str | None, option("TIME", "Only what occurred then or earlier.")] = None,
    text: Annotated[
        str | None, option("TEXT", "Only events with this in their name, data or changes.")
    ] = None,
    limit: Annotated[int | None, option("N", "Only the latest N of these events.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened to a server, or in the whole log.

    For each event, in order of occurrence: when, which, who, and what it changed from what to what.
    """
    wanted = _wanted(actor=actor, request=request, image=image, since=since, until=until, text=text)
    require_limit(limit)
    with store.open() as servers:
        server = None if server is None else servers.find(server)
        found: Iterable[HistoryEntry]
        if server is not None and not wanted:
            whole = servers.history(server)
            found = whole if limit is None else whole[-limit:]
        else:
            if server is not None:
                wanted["server_id"] = servers.history(server)[0].server_id
            catch_up(servers.timeline, "timeline")
            found = servers.timeline.search(limit=limit, **wanted)
        if as_json:
            say_json_array(entry.as_json() for entry in found)
            return
        lines = told(found, named=server is None)
        while some := list(islice(lines, _LINES)):
            say_lines((line, "") for line in some)


def _wanted(**given: str | None) -> dict[str, Any]:
    from serverdomain.domain import limits, moment

    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name in {"since", "until"} & wanted.keys():
        at = moment.parse(wanted[name], f"--{name}", nearest=True)
        wanted[name] = moment.to_datetime(at)
    if "image" in wanted:
        wanted["image"] = limits.canonical_uuid("--image", wanted["image"])
    return wanted


def require_limit(limit: int | None) -> None:
    """Raise `InvalidInput` for a limit of less than one line."""
    if limit is not None and limit < 1:
        raise InvalidInput("--limit", f"{limit} came, a whole number of at least 1 is allowed")


def told(entries: Iterable[HistoryEntry], *, named: bool = False) -> Iterator[str]:
    """A history as lines of text; with the server of each event if ``named``."""
    for entry in entries:
        shown = entry.as_json()
        who = visible(f"{entry.user_id} in {entry.project_id}")
        of = f"  {entry.server_id}" if named else ""
        yield f"{shown['occurred_at']}  {entry.name}{of}  by {who}, {entry.request_id}"
        if entry.version is None:
            asked, rule, why = (shown["data"][name] for name in ("kind", "rule", "why"))
            yield f"    {asked} refused by the rule of {rule}: {visible(why)}"
        yield from told_changes(entry.changes)


def told_changes(changes: Iterable[Change]) -> Iterator[str]:
    """A line of text for each change of the document."""
    for change in changes:
        before, after = (_value(value) for value in (change.before, change.after))
        yield f"    {visible(change.path)}: {before} -> {after}"


def _value(value: object) -> str:
    return "absent" if value is None else written(value)
