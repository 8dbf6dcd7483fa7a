"""What happened to a server, or in the whole log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from serverdomain.adapters.cli.answers import complain, say_json_array
from serverdomain.adapters.cli.history_lines import say_history
from serverdomain.adapters.cli.html_file import Html, require_html, write_page
from serverdomain.adapters.cli.options import (
    ENDPOINT,
    EVENT,
    AsJson,
    By,
    Of,
    StoreOptions,
    server_argument,
)
from serverdomain.adapters.cli.parameters import Commands, flag, option
from serverdomain.adapters.cli.progress_bar import catch_up
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.domain.written_time import Edge
    from serverdomain.projections.history import HistoryEntry
    from serverdomain.servers import Servers

app = Commands()


_POSITIONS = re.compile(r"([0-9]{1,18})(?:-([0-9]{1,18}))?")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which events are wanted: those to which all that is given applies."""

    by: By = None
    of: Of = None
    event: Annotated[
        list[str] | None, option("NAME", "Only events of this name; repeatable.", **EVENT)
    ] = None
    position: Annotated[str | None, option("N|N-M", "Only at these positions of the log.")] = None
    request: Annotated[str | None, option("ID", "Only this request and all it caused.")] = None
    image: Annotated[
        str | None, option("ID", "Only where this image is asked for, comes or goes.")
    ] = None
    since: Annotated[str | None, option("TIME", "Only what was recorded then or later.")] = None
    until: Annotated[str | None, option("TIME", "Only what was recorded then or earlier.")] = None
    text: Annotated[
        str | None, option("TEXT", "Only events with this in their name, data or changes.")
    ] = None

    def wanted(self) -> dict[str, Any]:
        """The same as `Timeline.search` takes it, as far as given. Raises `InvalidInput`."""
        from serverdomain.domain import limits

        given: dict[str, Any] = {
            "actor": self.by,
            "project": self.of,
            "request": self.request,
            "text": self.text,
            "events": [_known(name) for name in self.event or ()] or None,
            "positions": None if self.position is None else _positions(self.position),
        }
        if self.image is not None:
            given["image"] = limits.canonical_uuid("--image", self.image)
        if self.since is not None:
            given |= [_time("since", self.since, "beginning")]
        if self.until is not None:
            given |= [_time("until", self.until, "end")]
        return {name: value for name, value in given.items() if value is not None}

    def say_times(self, wanted: dict[str, Any]) -> None:
        """Say on stderr which times were read into words that left something open."""
        from serverdomain.domain import moment
        from serverdomain.domain.written_time import is_exact

        for name, given in (("since", self.since), ("until", self.until)):
            if given is not None and not is_exact(given):
                clock = "recorded" if f"recorded_{name}" in wanted else "occurred"
                at = wanted[f"recorded_{name}" if clock == "recorded" else name]
                complain(f"{name} {clock}:{moment.exact(moment.to_micros(at, nearest=True))}")


@app.command()
def history(
    store: StoreOptions,
    selection: Selection,
    server: Annotated[str | None, server_argument] = None,
    limit: Annotated[int | None, option("N", "Only the latest N of these events.")] = None,
    reverse: Annotated[bool, flag("--reverse", "The latest event first.")] = False,
    oneline: Annotated[bool, flag("--oneline", "A line for each event.")] = False,
    full: Annotated[
        bool,
        flag("--full", "All that a server was born or deleted with, and what told nothing new."),
    ] = False,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Show what happened to a server, or in the whole log.

    For each event, in order of occurrence: its position, when, which, who, under which request, and
    what it changed from what to what.
    """
    wanted = selection.wanted()
    require_limit(limit)
    require_html(store, html, as_json)
    if not (full or as_json or selection.event):
        # A cloud that reports each server every hour would bury what happened to it.
        wanted["news"] = True
    with store.open() as servers:
        found = _found(servers, server, wanted, limit, reverse)
        selection.say_times(wanted)
        counted = _Counted(found)
        if html is not None:
            write_page(html, _page(servers, server, list(counted)))
        elif as_json:
            say_json_array(entry.as_json() for entry in counted)
        else:
            say_history(counted, named=server is None, oneline=oneline, full=full)
    if not counted.number:
        complain("no event was found")


def _found(
    servers: Servers, server: str | None, wanted: dict[str, Any], limit: int | None, reverse: bool
) -> Iterable[HistoryEntry]:
    server_id = None if server is None else servers.find(server)
    if server_id is None or wanted.keys() - {"events", "positions", "news"}:
        if server_id is not None:
            wanted["server_id"] = servers.history(server_id)[0].server_id
        catch_up(servers.timeline, "timeline")
        return servers.timeline.search(limit=limit, latest_first=reverse, **wanted)
    # The history of one server needs no view.
    names, (first, last) = wanted.get("events"), wanted.get("positions", (0, float("inf")))
    found = [
        entry
        for entry in servers.history(server_id)
        if (names is None or entry.name in names)
        and first <= entry.position <= last
        and (entry.is_news or not wanted.get("news"))
    ]
    latest = found if limit is None else found[-limit:]
    return latest[::-1] if reverse else latest


def _page(servers: Servers, server: str | None, found: list[HistoryEntry]) -> str:
    from serverdomain.adapters.audit_page.files import log_file, server_file

    if server is None:
        return log_file(found, "What happened")
    return server_file(servers.history(servers.find(server)), found, ENDPOINT)


class _Counted:
    """Entries as they come, and how many came."""

    def __init__(self, entries: Iterable[HistoryEntry]) -> None:
        self.number = 0
        self._entries = entries

    def __iter__(self) -> Iterator[HistoryEntry]:
        for entry in self._entries:
            self.number += 1
            yield entry


def _known(name: str) -> str:
    from difflib import get_close_matches

    from serverdomain.domain.events import EVENTS

    if name in EVENTS:
        return name
    lower = {known.lower(): known for known in EVENTS}
    like = [known for known in lower if name.lower() in known]
    like = like or get_close_matches(name.lower(), lower, n=1, cutoff=0.4) or [*lower]
    allowed = ", ".join(lower[known] for known in like)
    raise InvalidInput("--event", f"{name!a} came, {allowed} is allowed")


def _positions(given: str) -> tuple[int, int]:
    match = _POSITIONS.fullmatch(given)
    first = int(match[1]) if match else 0
    last = int(match[2] or first) if match else 0
    if not 1 <= first <= last:
        raise InvalidInput("--position", f"{given!a} came, N or N-M is allowed, from 1 on")
    return first, last


def _time(name: str, given: str, edge: Edge) -> tuple[str, datetime]:
    from serverdomain.domain.written_time import read_with_clock

    clock, at = read_with_clock(given, datetime.now(UTC), edge, f"--{name}")
    return (f"recorded_{name}" if clock == "recorded" else name), at


def require_limit(limit: int | None) -> None:
    """Raise `InvalidInput` for a limit of less than one line."""
    if limit is not None and limit < 1:
        raise InvalidInput("--limit", f"{limit} came, a whole number of at least 1 is allowed")
