"""A diff as plain values, with a patch from one document to the other in RFC 6902.

`jsonpatch`, which comes with the extra ``audit``, makes the patch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import to_builtins

from serverdomain.audit.diff import Diff, FleetDiff
from serverdomain.domain.server import Server
from serverdomain.errors import ExtraMissing

try:
    import jsonpatch
except ModuleNotFoundError as missing:
    raise ExtraMissing("a patch", missing.name, "audit") from None

Patch = list[dict[str, Any]]
"""The operations of an RFC 6902 patch, in order."""

Shown = Callable[[Server], dict[str, Any]]
"""Makes a server's document, to which the patch applies."""


def patch(before: object, after: object) -> Patch:
    """The patch that turns one document into the other; ``None`` is no document."""
    operations: Patch = jsonpatch.make_patch(before, after).patch
    return operations


def diff_json(diff: Diff, shown: Shown) -> dict[str, Any]:
    """What was asked for, what changed, and the patch from one ``{"server": {…}}`` to the other.

    The document of a server that is not there is ``null``.
    """
    before, after = (
        None if side.server is None else {"server": shown(side.server)}
        for side in (diff.before, diff.after)
    )
    return {
        "from": diff.before.as_json(),
        "to": diff.after.as_json(),
        "changes": _changes(diff),
        "patch": patch(before, after),
    }


def fleet_diff_json(diff: FleetDiff, shown: Shown) -> dict[str, Any]:
    """The same for a fleet; paths and patch apply to an object of all servers by their ids."""
    return {
        "from": diff.before.as_json(),
        "to": diff.after.as_json(),
        "changes": [
            change | {"path": f"/{one.before.server_id}{change['path']}"}
            for one in diff.servers
            for change in _changes(one)
        ],
        "patch": [operation for one in diff.servers for operation in _member(one, shown)],
    }


def _changes(diff: Diff) -> list[dict[str, Any]]:
    return [to_builtins(change) | {"events": list(change.events)} for change in diff.changes]


def _member(diff: Diff, shown: Shown) -> Patch:
    path = f"/{diff.before.server_id}"
    before, after = diff.before.server, diff.after.server
    if after is None:
        return [{"op": "remove", "path": path}]
    if before is None:
        return [{"op": "add", "path": path, "value": shown(after)}]
    return [
        {name: path + value if name in ("path", "from") else value for name, value in one.items()}
        for one in patch(shown(before), shown(after))
    ]
