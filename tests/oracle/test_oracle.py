"""A second opinion on rules and fold: the server as another library's tutorial would write it."""

from typing import Any
from uuid import UUID

import pytest
from eventsourcing.application import AggregateNotFoundError
from hypothesis import example
from hypothesis import given as for_any
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import asdict

from serverdomain.domain import commands as c
from serverdomain.domain import moment
from serverdomain.domain.actor import Actor
from serverdomain.domain.document import document
from serverdomain.domain.events import ServerRegistered
from serverdomain.errors import Conflict, Refused, ServerdomainError
from serverdomain.testing import ADMIN, OWNER, registered, strategies
from tests.domain.world import World
from tests.oracle import idiomatic

SERVER_ID = UUID(registered().server_id)
START = moment.parse("2012-09-12T17:20:36Z")
ANOTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"

ASKS_WHO = {
    *("rebuild", "update_metadata", "replace_metadata", "delete_metadata"),
    *("unlock", "stop", "start", "reset_state", "delete"),
}
# What gets far: among any commands whatever, few would follow each other.
ORDINARY = (
    c.RebuildServer(image_id=ANOTHER_IMAGE, name="another"),
    c.ReportProgress(percent=40),
    c.CompleteRebuild(),
    c.FailRebuild(reason="no host", stage="scheduling"),
    c.StopServer(),
    c.StartServer(),
    c.ResetState(state="ACTIVE"),
)
OUR_RULES_ALONE = ("image", "quota")


class Both:
    """One server, told the same at the same moment here and there."""

    def __init__(self, beginning: ServerRegistered, clock: pytest.MonkeyPatch) -> None:
        self._clock = clock
        self._theirs = idiomatic.Servers()
        self._world = World()
        self._now = START
        members = asdict(beginning)
        members["status"] = members.pop("state")
        members["created"] = START if beginning.created is None else beginning.created
        self._begin(c.RegisterServer(updated=START, **members))

    def _begin(self, command: c.RegisterServer) -> None:
        self._world.ask(command, OWNER, "req-0", self._now)
        asked = to_builtins(command)
        asked["state"] = asked.pop("status")
        for holder in filter(None, (asked, asked["fault"])):
            holder["created"] = moment.seconds(holder["created"])
        del asked["updated"]
        self._set_their_clock()
        self._theirs.register(**asked)

    def ask(self, command: c.Command, actor: Actor, request_id: str, later: int) -> None:
        """Told to both where it is accepted; what the oracle's rules speak of, both refuse."""
        self._now += later
        self._set_their_clock()
        try:
            self._world.ask(command, actor, request_id, self._now)
        except Refused as no:
            if no.rule not in OUR_RULES_ALONE:
                self._is_refused_there(command, actor, request_id)
        except Conflict:
            self._is_refused_there(command, actor, request_id)
        except ServerdomainError:
            pass
        else:
            self._tell_them(command, actor, request_id)

    def _is_refused_there(self, command: c.Command, actor: Actor, request_id: str) -> None:
        with pytest.raises(idiomatic.NotAllowed):
            self._tell_them(command, actor, request_id)

    def _tell_them(self, command: c.Command, actor: Actor, request_id: str) -> None:
        asked = command.members()
        if command.kind == "rebuild":
            asked["rebuild_id"] = request_id
        if command.kind == "lock":
            asked["by"] = "owner" if actor.project_id == OWNER.project_id else "admin"
        if command.kind in ASKS_WHO:
            asked["admin"] = actor.is_admin
        getattr(self._theirs, command.kind)(SERVER_ID, **asked)

    def _set_their_clock(self) -> None:
        now = moment.to_datetime(self._now)
        self._clock.setattr("eventsourcing.domain.datetime_now_with_tzinfo", lambda: now)

    @property
    def ours(self) -> dict[str, Any] | None:
        """The documented members as the fold has them; ``None`` once it is deleted."""
        server = self._world.server
        assert server is not None
        return None if server.deleted else document(server)

    @property
    def theirs(self) -> dict[str, Any] | None:
        """The documented members as the oracle has them."""
        try:
            return self._theirs.get_server(SERVER_ID)
        except AggregateNotFoundError:
            return None

    def __enter__(self) -> "Both":
        return self

    def __exit__(self, *_: object) -> None:
        self._theirs.close()


def asked() -> st.SearchStrategy[list[tuple[c.Command, Actor, int]]]:
    actors = st.sampled_from((OWNER, OWNER, ADMIN, Actor("root", "openstack", ("admin",))))
    commands = st.sampled_from(ORDINARY) | strategies.commands()
    return st.lists(
        st.tuples(commands, actors, st.integers(0, 10_000_000)), min_size=8, max_size=16
    )


@for_any(strategies.beginnings(), asked())
@example(  # A rebuild that could not be scheduled goes back to its image, and a second one runs.
    registered(),
    [
        (c.LockServer(), ADMIN, 1),
        (c.RebuildServer(image_id=ANOTHER_IMAGE, name="new", metadata={}), ADMIN, 0),
        (c.ReportProgress(percent=40), OWNER, 5),
        (c.FailRebuild(reason="no host", stage="scheduling"), OWNER, 1_000_000),
        (c.UnlockServer(), ADMIN, 1),
        (c.RebuildServer(image_id=ANOTHER_IMAGE), OWNER, 1),
        (c.CompleteRebuild(), OWNER, 1_999_999),
    ],
)
@example(  # One that is off stays off; a state that is reset ends the rebuild.
    registered(state="SHUTOFF"),
    [
        (c.RebuildServer(image_id=ANOTHER_IMAGE), OWNER, 1),
        (c.CompleteRebuild(), OWNER, 1),
        (c.RebuildServer(image_id=ANOTHER_IMAGE), OWNER, 1),
        (c.ResetState(state="ERROR"), ADMIN, 1),
        (c.StopServer(), OWNER, 1),
        (c.DeleteServer(), OWNER, 1),
    ],
)
def test_the_oracle_and_the_fold_agree_on_where_commands_lead(
    beginning: ServerRegistered, commands: list[tuple[c.Command, Actor, int]]
) -> None:
    with pytest.MonkeyPatch.context() as clock, Both(beginning, clock) as both:
        for number, (command, actor, later) in enumerate(commands, start=1):
            both.ask(command, actor, f"req-{number}", later)
            assert both.ours == both.theirs
