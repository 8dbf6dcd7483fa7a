"""A diff as plain values, with the way from one document to the other as RFC 6902.

That is `jsonpatch`'s, which comes with the extra ``audit``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from serverdomain.audit.diff import Diff, FleetDiff
from serverdomain.domain.server import Server

try:
    import jsonpatch
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"patches need {missing.name}, which is not installed; "
        "pip install 'serverdomain[audit]' brings it",
        name=missing.name,
    ) from None

Patch = list[dict[str, Any]]
"""Operations of RFC 6902, in order."""

Shown = Callable[[Server], dict[str, Any]]
"""Makes the document of a server that a patch speaks of."""


def patch(before: object, after: object) -> Patch:
    """What, applied to one document, gives the other exactly; ``None`` is none at all."""
    operations: Patch = jsonpatch.make_patch(before, after).patch
    return operations


def diff_json(diff: Diff, shown: Shown) -> dict[str, Any]:
    """What was asked, what changed, and the patch from one document ``{"server": {…}}`` to another.

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
    """The same of a fleet: paths and patch speak of an object of the servers by their ids."""
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
    return [
        {
            "path": change.path,
            "from": change.before,
            "to": change.after,
            "events": list(change.events),
        }
        for change in diff.changes
    ]


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
