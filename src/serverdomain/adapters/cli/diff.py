"""What changed between two moments of a server or of the fleet, or between two servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from serverdomain.adapters.cli.answers import Line, document, say_json, say_lines, visible, written
from serverdomain.adapters.cli.options import ENDPOINT, SERVER, AsJson, Endpoint, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument, flag, option
from serverdomain.adapters.cli.progress_bar import progress_bar
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.audit.as_of import Resolved
    from serverdomain.audit.diff import Diff, FleetDiff
    from serverdomain.domain.server import Server

app = Commands()

_FORMS = "SERVER A B, SERVER SERVER or --fleet A B is allowed"


@app.command()
def diff(
    store: StoreOptions,
    what: Annotated[
        list[str],
        argument(
            "SERVER A B",
            "A server and two moments, as for --as-of, or first; or two servers.",
            **SERVER,
        ),
    ],
    fleet: Annotated[bool, flag("--fleet", "Compare all servers; give two moments alone.")] = False,
    by: Annotated[
        str | None, option("USER", "With --fleet: only servers that this user changed.", "--by")
    ] = None,
    of: Annotated[
        str | None, option("PROJECT", "With --fleet: only servers of this project.", "--of")
    ] = None,
    as_json: AsJson = False,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Show what changed, and by whom.

    Between two moments of a server or of the fleet, or between two servers.
    """
    if not fleet and (by, of) != (None, None):
        raise InvalidInput("--by" if of is None else "--of", "it came without --fleet")
    asked = _asked(what, fleet)
    with store.open() as servers:
        found: Diff | FleetDiff
        if fleet:
            with progress_bar("diff") as progress:
                found = _chosen(servers.diff_fleet(*asked, progress=progress), by, of)
        elif asked:
            found = servers.diff(servers.find(what[0]), *asked)
        else:
            found = servers.diff_servers(*map(servers.find, what))
    if as_json:
        say_json(_as_json(found, endpoint))
    else:
        say_lines(_told(found))


def _asked(what: list[str], fleet: bool) -> list[Resolved]:
    from serverdomain.audit.as_of import read_moment, require_fleet

    words = what if fleet else what[1:]
    if len(words) != 2:
        # Unless the second word is a moment, and another one is missing, this is two servers.
        if not fleet and len(words) == 1 and not _is_moment(words[0]):
            return []
        raise InvalidInput("diff", f"{visible(' '.join(what))!r} came, {_FORMS}")
    moments = [read_moment(word, name) for word, name in zip(words, ("A", "B"), strict=True)]
    for moment, name in zip(moments, ("A", "B"), strict=True):
        if fleet and moment not in _NAMED:
            assert not isinstance(moment, str)
            require_fleet(moment, name)
    return moments


def _chosen(found: FleetDiff, by: str | None, of: str | None) -> FleetDiff:
    from msgspec.structs import replace

    chosen = []
    for one in found.servers:
        sides = (one.before.server, one.after.server)
        projects = {side.project_id for side in sides if side is not None}
        users = {entry.user_id for entry in one.events}
        if (of is None or of in projects) and (by is None or by in users):
            chosen.append(one)
    return replace(found, servers=tuple(chosen))


def _is_moment(word: str) -> bool:
    from serverdomain.audit.as_of import read_moment

    if word.startswith(("version:", "position:", "recorded:", "occurred:")):
        return True
    try:
        read_moment(word, "B")
    except InvalidInput:
        return False
    return True


_NAMED = ("first", "now")


def _as_json(found: Diff | FleetDiff, endpoint: str) -> dict[str, Any]:
    from serverdomain.audit.diff import Diff
    from serverdomain.audit.patch import diff_json, fleet_diff_json

    def shown(server: Server) -> dict[str, Any]:
        return document(server, endpoint)

    return diff_json(found, shown) if isinstance(found, Diff) else fleet_diff_json(found, shown)


def _told(found: Diff | FleetDiff) -> Iterator[Line]:
    from serverdomain.audit.diff import Diff

    if isinstance(found, Diff):
        yield _headline(found), "bold"
        yield from _told_changes(found)
        return
    changed = [one for one in found.servers if one.changes]
    yield f"the fleet from {found.before} to {found.after}: {len(changed)} servers", "bold"
    for one in changed:
        yield "", ""
        yield f"server {one.before.server_id}", "bold"
        yield from _told_changes(one)


def _headline(found: Diff) -> str:
    one, other = found.before, found.after
    if one.as_of is None:
        return f"from server {one.server_id} to server {other.server_id}, as they are now"
    moments = (f"{side.as_of}{'' if side.server else ' (not there)'}" for side in (one, other))
    return f"server {one.server_id} from {' to '.join(moments)}"


def _told_changes(found: Diff) -> Iterator[Line]:
    if not found.changes:
        yield "nothing changed", ""
    for change in found.changes:
        yield visible(change.path), "cyan"
        if change.before is not None:
            yield f"  - {written(change.before)}", "red"
        if change.after is not None:
            yield f"  + {written(change.after)}", "green"
        yield f"  by {', '.join(map(str, change.events))}", "dim"
    for entry in found.events:
        occurred_at = entry.as_json()["occurred_at"]
        who = visible(f"{entry.user_id} in {entry.project_id}")
        yield f"{entry.position}  {occurred_at}  {entry.name}  by {who}, {entry.request_id}", ""
        if entry.call is not None:
            yield f"    {visible(entry.call)}", "dim"
