"""What every store promises, as tests: subclass `StoreContract` and say where your store is.

::

    class TestMyStore(StoreContract):
        def url(self, tmp_path):
            return tmp_path / "cloud.db"

An engine of your own, a `Log` that no URL names, passes the same tests as a `LogContract`:

::

    class TestMyLog(LogContract):
        def open(self, tmp_path):
            return MyLog()

Needs the extra ``serverdomain[testing]``.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from serverdomain.domain import events as e
from serverdomain.domain.actor import Actor
from serverdomain.domain.commands import CreateServer, RebuildServer
from serverdomain.errors import Conflict, InvalidInput, NotFound, Refused, RequestIdTaken
from serverdomain.servers import Servers
from serverdomain.simulation.manual_clock import ManualClock
from serverdomain.store.context import Context
from serverdomain.store.log import Log
from serverdomain.store.opening import Store, open_log
from serverdomain.testing.backup_contract import BackupContract
from serverdomain.testing.contract import IMAGE, NEW_IMAGE, OTHER, SERVER, adopted, under
from serverdomain.testing.reading_contract import ReadingContract
from serverdomain.testing.scenario import ADMIN, OWNER, READER, registered
from serverdomain.testing.writing_contract import WritingContract

__all__ = [
    "IMAGE",
    "NEW_IMAGE",
    "OTHER",
    "SERVER",
    "LogContract",
    "StoreContract",
    "adopted",
    "under",
]


class LogContract(ReadingContract, WritingContract, BackupContract):
    """All promises: those of the port, and what `Servers` makes of it."""

    @pytest.fixture
    def servers(self, tmp_path: Path, clock: ManualClock) -> Iterator[Servers]:
        """A store with the documented server in it."""
        with Servers(self.open(tmp_path), clock) as servers:
            servers.register(adopted(), under("req-register"))
            clock.advance(60)
            yield servers

    # What is written

    def test_a_command_gives_the_server_its_events_and_their_last_position(
        self, servers: Servers
    ) -> None:
        accepted = servers.rebuild(
            SERVER, RebuildServer(image_id=NEW_IMAGE, name="new"), under("req-1")
        )

        assert accepted.events == (
            e.RebuildRequested("req-1", NEW_IMAGE, "generated"),
            e.ImageChanged(NEW_IMAGE),
            e.ServerRenamed("new"),
        )
        assert accepted.server == servers.get(SERVER)
        assert (accepted.server.version, accepted.position) == (4, 4)
        assert accepted.replayed is False
        assert [entry.event for entry in servers.history(SERVER)][1:] == list(accepted.events)

    def test_the_history_says_who_asked_when_and_why(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        context = Context(ADMIN, "req-1", correlation_id="req-global", caused_by="req-0")
        when = clock.now - timedelta(seconds=30)

        servers.lock(SERVER, context, occurred_at=when)

        last = servers.history(SERVER)[-1]
        assert (last.name, last.event) == ("ServerLocked", e.ServerLocked("admin"))
        assert (last.user_id, last.project_id) == ("admin", "admin")
        assert (last.request_id, last.correlation_id, last.caused_by) == (
            "req-1",
            "req-global",
            "req-0",
        )
        assert (last.occurred_at, last.recorded_at) == (when, clock.now)

    def test_versions_and_positions_follow_without_a_gap(self, servers: Servers) -> None:
        servers.register(adopted(OTHER))
        for number in range(3):
            servers.rename(SERVER, f"name {number}")
            servers.rename(OTHER, f"name {number}")

        entries = servers.history(SERVER) + servers.history(OTHER)
        assert [entry.version for entry in entries] == [1, 2, 3, 4] * 2
        assert sorted(entry.position for entry in entries) == list(range(1, 9))

    def test_a_command_that_changes_nothing_writes_nothing_and_is_no_error(
        self, servers: Servers
    ) -> None:
        accepted = servers.rename(SERVER, "foobar", under("req-1"))

        assert (accepted.events, accepted.position, accepted.replayed) == ((), None, False)
        assert accepted.server == servers.get(SERVER)
        assert len(servers.history(SERVER)) == 1

    def test_what_a_rule_refuses_changes_nothing(self, servers: Servers) -> None:
        before = servers.get(SERVER)

        with pytest.raises(Refused) as no:
            servers.start(SERVER, under("req-1"))

        assert no.value.rule == "state"
        assert servers.get(SERVER) == before
        assert servers.list() == [before]

    def test_a_deleted_server_is_not_there_and_its_history_is(self, servers: Servers) -> None:
        assert servers.delete(SERVER).server.deleted

        for ask in (servers.get, servers.lock, servers.delete):
            with pytest.raises(NotFound, match="not there"):
                ask(SERVER)
        assert [entry.name for entry in servers.history(SERVER)] == [
            "ServerRegistered",
            "ServerDeleted",
        ]
        assert servers.list() == []

    @pytest.mark.parametrize("server_id", [OTHER, "foobar", ""])
    def test_a_server_that_never_was_is_not_there(self, servers: Servers, server_id: str) -> None:
        for ask in (servers.get, servers.history, servers.stop):
            with pytest.raises(NotFound, match="not there"):
                ask(server_id)

    def test_a_server_is_found_by_any_form_of_its_id(self, servers: Servers) -> None:
        assert servers.get(SERVER.upper().replace("-", "")).id == SERVER

    def test_an_id_that_is_or_was_in_the_log_is_registered_once(self, servers: Servers) -> None:
        servers.stop(SERVER)
        with pytest.raises(Conflict, match="is SHUTOFF: is in the log already"):
            servers.register(adopted())
        servers.delete(SERVER)
        with pytest.raises(Conflict, match="is deleted: is in the log already"):
            servers.register(adopted())
        with pytest.raises(Conflict, match="deleted"):
            servers.create(CreateServer(name="x", image_id=IMAGE, flavor_id="1", server_id=SERVER))

    # Passwords

    @pytest.mark.parametrize("given", ["seekr3t", "", None])
    def test_a_password_is_told_once(self, servers: Servers, given: str | None) -> None:
        request = RebuildServer(image_id=IMAGE, admin_pass=given)
        first = servers.rebuild(SERVER, request, under("req-1"))

        assert first.admin_pass == given if given is not None else len(first.admin_pass or "") == 12
        assert servers.rebuild(SERVER, request, under("req-1")).admin_pass is None
        assert given in (None, "") or given not in repr((first, servers.history(SERVER)))

    # Retries

    def test_a_retry_gives_the_first_outcome_and_writes_nothing(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        request = RebuildServer(image_id=NEW_IMAGE, name="new")
        first = servers.rebuild(SERVER, request, under("req-1"))
        servers.complete_rebuild(SERVER)
        servers.lock(SERVER, Context(ADMIN))
        clock.advance(3600)

        again = servers.rebuild(SERVER, request, under("req-1"))

        assert again.replayed
        assert (again.server, again.events, again.position) == (
            first.server,
            first.events,
            first.position,
        )
        assert len(servers.history(SERVER)) == 6

    def test_a_retry_is_looked_up_before_anything_can_refuse_it(self, servers: Servers) -> None:
        first = servers.rename(SERVER, "new", under("req-1"))
        servers.delete(SERVER)

        again = servers.rename(SERVER, "new", under("req-1", READER), expected_version=77)

        assert again.replayed
        assert again.server == first.server

    def test_passwords_generated_ids_and_known_images_are_not_compared(
        self, servers: Servers
    ) -> None:
        first = servers.create(
            CreateServer(name="x", image_id=IMAGE, flavor_id="1", admin_pass="one"), under("req-1")
        )
        again = servers.create(
            CreateServer(
                name="x", image_id=IMAGE, flavor_id="1", admin_pass="two", image_known=False
            ),
            under("req-1"),
        )

        assert again.replayed
        assert again.id == first.id

    def test_another_command_under_a_used_id_is_a_conflict(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        servers.register(adopted(OTHER))
        servers.rename(SERVER, "new", under("req-1"))

        with pytest.raises(RequestIdTaken, match="req-1"):
            servers.rename(SERVER, "other", under("req-1"))
        with pytest.raises(RequestIdTaken, match="req-1"):
            servers.rename(OTHER, "new", under("req-1"))
        with pytest.raises(RequestIdTaken, match="req-1"):
            servers.lock(SERVER, under("req-1"))
        with pytest.raises(RequestIdTaken, match="req-1"):
            servers.rename(SERVER, "new", under("req-1"), occurred_at=clock.now)

    def test_a_time_that_is_given_is_part_of_what_was_asked(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        at = clock.now
        first = servers.stop(SERVER, under("req-1"), occurred_at=at)
        clock.advance(60)

        assert servers.stop(SERVER, under("req-1"), occurred_at=at).position == first.position
        for other in (clock.now, None):
            with pytest.raises(RequestIdTaken, match="req-1"):
                servers.stop(SERVER, under("req-1"), occurred_at=other)

    def test_a_refused_or_idle_command_claims_no_id(self, servers: Servers) -> None:
        with pytest.raises(Refused):
            servers.start(SERVER, under("req-1"))
        assert servers.rename(SERVER, "foobar", under("req-1")).events == ()

        assert servers.stop(SERVER, under("req-1")).events == (e.ServerStopped(),)

    def test_facts_from_elsewhere_are_retried_like_any_command(self, servers: Servers) -> None:
        facts = [e.ServerStopped()]
        first = servers.record(SERVER, facts, under("req-1"))

        assert servers.record(SERVER, facts, under("req-1")).replayed
        assert first.position == 2
        with pytest.raises(RequestIdTaken, match="req-1"):
            servers.record(SERVER, [e.ServerStarted()], under("req-1"))

    # Versions and times

    def test_a_caller_who_saw_an_older_version_gets_a_conflict(self, servers: Servers) -> None:
        seen = servers.get(SERVER)
        servers.rename(SERVER, "new")

        with pytest.raises(Conflict, match=r"ACTIVE at version 2, version 1 was expected"):
            servers.stop(SERVER, expected_version=seen.version)
        assert servers.stop(SERVER, expected_version=2).server.version == 3
        with pytest.raises(Conflict, match="is not there at version 0, version 1 was expected"):
            servers.register(adopted(OTHER), expected_version=1)

    def test_a_time_before_the_latest_fact_is_a_conflict_that_names_both(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        early = clock.now - timedelta(hours=1)

        with pytest.raises(Conflict, match=r"16:21:36.*17:20:36"):
            servers.stop(SERVER, occurred_at=early)

    def test_a_command_may_occur_at_the_very_time_of_the_latest_fact(
        self, servers: Servers
    ) -> None:
        latest = servers.history(SERVER)[-1].occurred_at

        servers.stop(SERVER, occurred_at=latest)

        assert servers.history(SERVER)[-1].name == "ServerStopped"
        assert servers.get(SERVER).status == "SHUTOFF"

    def test_a_time_may_lie_five_minutes_ahead_and_no_more(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        ahead = clock.now + timedelta(minutes=5)
        with pytest.raises(Refused, match="five minutes") as refused:
            servers.stop(SERVER, occurred_at=ahead + timedelta(microseconds=1))
        assert refused.value.rule == "time"
        with pytest.raises(Refused, match="five minutes"):
            servers.record(SERVER, [e.ServerStopped()], occurred_at=ahead + timedelta(seconds=1))

        servers.stop(SERVER, occurred_at=ahead)

        assert servers.history(SERVER)[-1].occurred_at == ahead

    def test_a_naive_time_is_no_time(self, servers: Servers) -> None:
        with pytest.raises(InvalidInput, match="zone"):
            servers.stop(SERVER, occurred_at=datetime(2012, 9, 12))  # noqa: DTZ001  # that is it

    def test_a_clock_that_steps_back_stops_nobody(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        servers.stop(SERVER)
        latest = clock.now
        clock.set_back(latest - timedelta(days=1))

        servers.start(SERVER)
        servers.register(adopted(OTHER, updated=0))
        servers.stop(OTHER)

        started = servers.history(SERVER)[-1]
        assert started.name == "ServerStarted"
        assert (started.occurred_at, started.recorded_at) == (latest, latest)
        stopped = servers.history(OTHER)[-1]
        assert (stopped.occurred_at, stopped.recorded_at) == (clock.now, latest)

    def test_an_adopted_server_was_registered_when_it_was_last_updated(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        first = servers.history(SERVER)[0]

        assert first.occurred_at == datetime.fromisoformat("2012-09-12T17:20:36Z")
        with pytest.raises(Refused, match="five minutes"):
            servers.register(adopted(OTHER, updated=1347470436_000_000 + 3600_000_000))

    # Refusals

    def test_a_refusal_is_a_fact_with_who_what_and_why_and_no_version(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        context = Context(OWNER, "req-1", correlation_id="req-global", caused_by="req-0")
        servers.lock(SERVER, Context(ADMIN))
        clock.advance(60)
        with pytest.raises(Refused) as no:
            servers.rebuild(
                SERVER, RebuildServer(image_id=NEW_IMAGE, admin_pass="seekr3t"), context
            )
        clock.advance(60)
        servers.unlock(SERVER, Context(ADMIN))

        entries = servers.history(SERVER)
        assert [(entry.name, entry.version) for entry in entries] == [
            ("ServerRegistered", 1),
            ("ServerLocked", 2),
            ("CommandRefused", None),
            ("ServerUnlocked", 3),
        ]
        refusal = entries[2]
        assert refusal.event == e.CommandRefused(
            server_id=SERVER,
            kind="rebuild",
            members={"image_id": NEW_IMAGE},
            rule="lock",
            why=str(no.value),
        )
        assert (refusal.user_id, refusal.project_id) == (OWNER.user_id, OWNER.project_id)
        assert (refusal.request_id, refusal.correlation_id, refusal.caused_by) == (
            "req-1",
            "req-global",
            "req-0",
        )
        assert refusal.occurred_at == refusal.recorded_at == clock.now - timedelta(seconds=60)
        assert refusal.changes == ()
        assert "seekr3t" not in repr(entries)

    def test_a_refusal_never_contends_with_the_version_that_a_caller_saw(
        self, servers: Servers
    ) -> None:
        seen = servers.get(SERVER)
        for _ in range(3):
            with pytest.raises(Refused):
                servers.start(SERVER)

        assert servers.stop(SERVER, expected_version=seen.version).server.version == 2

    def test_a_refusal_occurred_when_the_caller_says_that_it_was_asked(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        when = clock.now - timedelta(seconds=30)
        with pytest.raises(Refused):
            servers.start(SERVER, occurred_at=when)

        refusal = servers.history(SERVER)[-1]
        assert (refusal.occurred_at, refusal.recorded_at) == (when, clock.now)

    def test_what_is_no_rule_or_has_no_server_is_not_recorded(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        unknown = CreateServer(name="x", image_id=IMAGE, flavor_id="1", image_known=False)
        with pytest.raises(Refused):
            servers.create(unknown)
        with pytest.raises(Refused):
            servers.register(adopted(OTHER), Context(READER))
        with pytest.raises(Refused):
            servers.stop(SERVER, occurred_at=clock.now + timedelta(hours=1))
        with pytest.raises(Conflict):
            servers.start(SERVER, expected_version=7)
        with pytest.raises(Conflict):
            servers.complete_rebuild(SERVER)
        with pytest.raises(NotFound):
            servers.start(OTHER)

        assert servers.rename(SERVER, "new").position == 2

    def test_while_the_log_lies_ahead_of_the_clock_a_minute_is_one_of_the_clock(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        now = clock.now
        clock.advance(timedelta(days=3650))
        servers.rename(SERVER, "from-the-future")
        clock.set_back(now)
        for _ in range(3):
            clock.advance(61)
            for _ in range(70):
                with pytest.raises(Refused):
                    servers.start(SERVER, Context(OWNER))
        refused = [entry for entry in servers.history(SERVER) if entry.version is None]
        assert len(refused) == 3 * 60

    def test_an_actor_is_recorded_with_sixty_refusals_in_a_minute(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        def refused(times: int, actor: Actor = OWNER) -> int:
            before = len(servers.history(SERVER))
            for _ in range(times):
                with pytest.raises(Refused):
                    servers.start(SERVER, Context(actor))
            return len(servers.history(SERVER)) - before

        assert refused(62) == 60
        assert refused(2, Actor(OWNER.user_id, "another")) == 2
        clock.advance(59)
        assert refused(1) == 0
        clock.advance(1)
        assert refused(61) == 60

    # Facts from elsewhere

    def test_a_late_fact_takes_its_place_in_the_history(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        servers.rename(SERVER, "now")
        before = clock.now - timedelta(seconds=30)

        late = servers.record(
            SERVER, [e.ServerRenamed("before"), e.ServerStopped()], occurred_at=before
        )

        assert [entry.version for entry in servers.history(SERVER)] == [1, 3, 4, 2]
        server = servers.get(SERVER)
        assert (server.name, server.status, server.version) == ("now", "SHUTOFF", 4)
        assert servers.list() == [server] == [late.server]

    def test_among_facts_of_one_time_the_position_decides(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        servers.rename(SERVER, "first")
        servers.record(SERVER, [e.ServerRenamed("second")], occurred_at=clock.now)

        assert servers.get(SERVER).name == "second"

    def test_a_deletion_that_comes_late_ends_what_came_before_it(
        self, servers: Servers, clock: ManualClock
    ) -> None:
        servers.rename(SERVER, "new")
        assert len(servers.list()) == 1
        before = clock.now - timedelta(seconds=30)

        outcome = servers.record(SERVER, [e.ServerDeleted()], under("req-1"), occurred_at=before)

        assert servers.list() == []
        with pytest.raises(NotFound):
            servers.rename(SERVER, "newer")
        again = servers.record(SERVER, [e.ServerDeleted()], under("req-1"), occurred_at=before)
        assert (again.server, again.replayed) == (outcome.server, True)
        assert outcome.server is not None
        assert outcome.server.deleted

    def test_facts_may_come_before_their_beginning(self, servers: Servers) -> None:
        begun = datetime.fromisoformat("2012-09-12T17:00:00Z")
        early = servers.record(OTHER, [e.ServerRenamed("new")])
        assert early.server is None
        with pytest.raises(Conflict, match=r"with 1 events but no beginning$"):
            servers.register(adopted(OTHER))
        with pytest.raises(NotFound):
            servers.get(OTHER)
        assert servers.list() == [servers.get(SERVER)]

        servers.record(OTHER, [registered(server_id=OTHER)], occurred_at=begun)

        assert servers.get(OTHER).name == "new"
        assert {server.id for server in servers.list()} == {SERVER, OTHER}
        with pytest.raises(Conflict):
            servers.register(adopted(OTHER))

    def test_a_fact_that_could_not_be_read_again_is_not_taken_in(self, servers: Servers) -> None:
        poison: list[Any] = [
            e.ImageChanged(5),  # type: ignore[arg-type]
            e.ServerRenamed("\ud800"),
            e.MetadataReplaced({"a": None}),  # type: ignore[dict-item]
            e.RebuildProgressed("req-1", 2**63),
            e.RebuildCompleted("req-1", -1),
            registered(created=2**62),
            e.ServerObserved(server_id=SERVER, progress=101),
            e.ServerObserved(server_id=SERVER, created=-(2**62)),
            e.ServerObserved(server_id=SERVER, fault=e.Fault(500, 2**62, "late")),
            "ServerStopped",
        ]
        for fact in poison:
            with pytest.raises(InvalidInput, match="event"):
                servers.record(SERVER, [e.ServerStopped(), fact])
        with pytest.raises(InvalidInput, match="at least one"):
            servers.record(SERVER, [])
        refusal = e.CommandRefused(server_id=SERVER, kind="stop", members={}, rule="lock", why="")
        with pytest.raises(InvalidInput, match="what happened to a server is allowed"):
            servers.record(SERVER, [refusal])
        with pytest.raises(InvalidInput, match=SERVER):
            servers.record(OTHER, [registered()])
        assert len(servers.history(SERVER)) == 1

    # The view

    def test_the_view_is_the_fold(self, servers: Servers) -> None:
        servers.register(adopted(OTHER, name="other"))
        servers.rebuild(SERVER, RebuildServer(image_id=NEW_IMAGE))

        assert servers.list() == [servers.get(OTHER), servers.get(SERVER)]
        assert servers.list(status="REBUILD") == [servers.get(SERVER)]
        servers.view.replay()
        assert servers.list(name="other") == [servers.get(OTHER)]


class StoreContract(LogContract):
    """The same of a store that a URL names."""

    @abstractmethod
    def url(self, tmp_path: Path) -> Store:
        """The URL of a store that is not there yet."""

    def open(self, tmp_path: Path) -> Log:
        """Open it."""
        return open_log(self.url(tmp_path))
