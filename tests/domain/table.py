"""The contract's table of states and locks, written down a second time and read by no rule.

What a call comes to depends on who asks, the state, whether a rebuild is under way above it, and
the lock. Nothing here comes from the decisions or the fold: their tests hold them against it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from serverdomain.domain import commands as c
from serverdomain.domain.actor import Actor
from serverdomain.testing import ADMIN, OWNER, READER

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
ANOTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"

CALLERS = {
    "owner": OWNER,
    "administrator": ADMIN,
    "administrator of the server's own project": Actor("root", "openstack", ("admin",)),
    "member of another project": Actor("demo", "demo"),
    "reader": READER,
}


class Now(NamedTuple):
    """A server, as far as the table asks about it."""

    state: str
    under_way: bool = False
    locked_by: str | None = None
    there: bool = True

    def __str__(self) -> str:
        above = " with a rebuild under way" if self.under_way else ""
        lock = f", locked by its {self.locked_by}" if self.locked_by else ""
        return f"{self.state}{above}{lock}" if self.there else "deleted"


class Row(NamedTuple):
    """A row: where the call is allowed, and what becomes of the server (``None``: as it was)."""

    command: c.Command
    states: frozenset[str]
    while_under_way: bool
    through_a_lock: bool
    administrators_alone: bool = False
    state_after: str | None = None
    under_way_after: bool | None = None
    there_after: bool = True


ANY = frozenset({"ACTIVE", "SHUTOFF", "ERROR", "BUILD"})
RUNS_OR_NOT = frozenset({"ACTIVE", "SHUTOFF"})

# The commands change a server that `given_now` makes, wherever they are allowed.
ROWS = {
    "rebuild": Row(
        c.RebuildServer(image_id=ANOTHER_IMAGE),
        ANY - {"BUILD"},
        while_under_way=False,
        through_a_lock=False,
        under_way_after=True,
    ),
    "stop": Row(
        c.StopServer(),
        frozenset({"ACTIVE", "ERROR"}),
        while_under_way=False,
        through_a_lock=False,
        state_after="SHUTOFF",
    ),
    "start": Row(
        c.StartServer(),
        frozenset({"SHUTOFF"}),
        while_under_way=False,
        through_a_lock=False,
        state_after="ACTIVE",
    ),
    "merge metadata": Row(
        c.UpdateMetadata(metadata={"another": "item"}),
        RUNS_OR_NOT,
        while_under_way=True,
        through_a_lock=False,
    ),
    "replace metadata": Row(
        c.ReplaceMetadata(metadata={}), RUNS_OR_NOT, while_under_way=True, through_a_lock=False
    ),
    "delete a metadata key": Row(
        c.DeleteMetadata(keys=("meta var",)),
        RUNS_OR_NOT,
        while_under_way=True,
        through_a_lock=False,
    ),
    "rename": Row(c.RenameServer(name="another"), ANY, while_under_way=True, through_a_lock=True),
    "change": Row(
        c.ChangeServer(disk_config="AUTO"), ANY, while_under_way=True, through_a_lock=True
    ),
    "reset to active": Row(
        c.ResetState(state="ACTIVE"),
        ANY,
        while_under_way=True,
        through_a_lock=True,
        administrators_alone=True,
        state_after="ACTIVE",
        under_way_after=False,
    ),
    "reset to error": Row(
        c.ResetState(state="ERROR"),
        ANY,
        while_under_way=True,
        through_a_lock=True,
        administrators_alone=True,
        state_after="ERROR",
        under_way_after=False,
    ),
    "delete": Row(
        c.DeleteServer(),
        ANY,
        while_under_way=True,
        through_a_lock=False,
        under_way_after=False,
        there_after=False,
    ),
}
LOCKS = {"lock": c.LockServer(), "unlock": c.UnlockServer()}
REPORTS = {
    "report built": c.ReportBuilt(),
    "complete": c.CompleteRebuild(),
    "fail": c.FailRebuild(reason="No valid host was found."),
}
CALLS: dict[str, c.Command] = {
    **{call: row.command for call, row in ROWS.items()},
    **LOCKS,
    **REPORTS,
}

SITUATIONS = tuple(
    Now(state, under_way, locked_by)
    for state in ("ACTIVE", "SHUTOFF", "ERROR", "BUILD")
    for under_way in (False, True)
    if not (under_way and state == "BUILD")
    for locked_by in (None, "owner", "admin")
)
"""Every place that a server can be in."""


def verdict(call: str, now: Now, actor: Actor) -> tuple[str, Now]:
    """What the call comes to, and where the server is then.

    The words are ``done``, ``nothing``, ``not found``, ``conflict``, ``role``, ``lock`` and
    ``state``; all but the first leave the server where it was.
    """
    said, then = _verdict(call, now, actor)
    return said, then if said == "done" else now


def _verdict(call: str, now: Now, actor: Actor) -> tuple[str, Now]:
    if not now.there:
        return "not found", now
    admin = "admin" in actor.roles
    if not admin and "member" not in actor.roles:
        return "role", now
    if call in REPORTS:
        return _report(call, now)
    if call == "lock":
        return _lock(now, own=actor.project_id == "openstack")
    if call == "unlock":
        return _unlock(now, admin)
    row = ROWS[call]
    if row.administrators_alone and not admin:
        return "role", now
    if now.locked_by is not None and not row.through_a_lock and not admin:
        return "lock", now
    if now.state not in row.states or (now.under_way and not row.while_under_way):
        return "state", now
    then = now._replace(
        state=row.state_after or now.state,
        under_way=now.under_way if row.under_way_after is None else row.under_way_after,
        there=row.there_after,
    )
    return ("nothing" if row.administrators_alone and then == now else "done"), then


def _report(call: str, now: Now) -> tuple[str, Now]:
    if call == "report built":
        return ("done" if now.state == "BUILD" else "conflict"), now._replace(state="ACTIVE")
    if not now.under_way:
        return "conflict", now
    if call == "fail":
        return "done", now._replace(state="ERROR", under_way=False)
    after = {"ACTIVE": "ACTIVE", "ERROR": "ACTIVE", "SHUTOFF": "SHUTOFF"}[now.state]
    return "done", now._replace(state=after, under_way=False)


def _lock(now: Now, own: bool) -> tuple[str, Now]:
    if own:
        return ("nothing" if now.locked_by else "done"), now._replace(locked_by="owner")
    return ("nothing" if now.locked_by == "admin" else "done"), now._replace(locked_by="admin")


def _unlock(now: Now, admin: bool) -> tuple[str, Now]:
    if now.locked_by == "admin" and not admin:
        return "role", now
    return ("done" if now.locked_by else "nothing"), now._replace(locked_by=None)


def every_case() -> Iterator[tuple[str, Now, str]]:
    """Each call, in each situation, by each caller."""
    for call in CALLS:
        for now in SITUATIONS:
            for caller in CALLERS:
                yield call, now, caller
