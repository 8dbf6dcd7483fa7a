"""What a shell offers for a word: servers by their names and ids, and names of events."""

from __future__ import annotations

import os
import re

import typer

_MOST_BEHIND = 20_000
_PLAIN = re.compile(r"[\w.@%+-]+", re.ASCII)


def events(incomplete: str) -> list[str]:
    """Names of events that begin like that."""
    from serverdomain.domain.events import EVENTS

    return [name for name in EVENTS if name.startswith(incomplete)]


def proven(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """What a proof may be of: its kinds, and behind ``server:`` the servers."""
    kind, colon, named = incomplete.partition(":")
    if colon and kind == "server":
        return [(f"server:{word}", says) for word, says in servers(ctx, named)]
    kinds = {"position:": "an event", "request:": "all events of one", "server:": "all of one"}
    return [(one, says) for one, says in kinds.items() if one.startswith(incomplete)]


def servers(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Words that name one server each, and what to say of them; none where anything is wrong.

    A view that is far behind is not caught up: who presses a key does not wait for it.
    """
    from serverdomain.errors import ServerdomainError
    from serverdomain.servers import Servers
    from serverdomain.servers.naming import beginning_of_id

    try:
        view = os.environ.get("SERVERDOMAIN_VIEW") or None
        with Servers.open(ctx.params["url"], create=False, view=view) as store:
            if store.view.status().lag > _MOST_BEHIND:
                return []
            named = store.view.named(incomplete, beginning_of_id(incomplete), begins=True)
    except (ServerdomainError, KeyError, OSError):
        return []
    names = [one.name for one in named]
    offered = []
    for one in named:
        status = one.status or "deleted"
        # Not every name is one word of a shell's, and one may be that of many servers.
        is_plain = names.count(one.name) == 1 and _PLAIN.fullmatch(one.name) is not None
        if is_plain and one.name.startswith(incomplete):
            offered.append((one.name, status))
        else:
            offered.append((one.id, f"{one.name}, {status}"))
    return offered
