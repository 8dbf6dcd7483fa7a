"""The strategies give what the domain takes, and reach every part of it."""

from hypothesis import given as for_any
from hypothesis import settings

from serverdomain.domain import limits
from serverdomain.domain.commands import COMMANDS
from serverdomain.domain.server import fold
from serverdomain.testing import strategies


def test_every_command_on_a_server_is_asked() -> None:
    found: set[str] = set()

    @settings(max_examples=500)
    @for_any(strategies.commands())
    def look(command) -> None:
        found.add(command.kind)

    look()
    assert found == set(COMMANDS) - {"register", "create", "record"}


def test_histories_reach_every_status_both_locks_and_deletion() -> None:
    statuses, locks, deleted = set(), set(), set()

    @settings(max_examples=500)
    @for_any(strategies.histories())
    def look(history) -> None:
        server = fold(history)
        statuses.add(server.status)
        locks.add(server.locked_by)
        deleted.add(server.deleted)

    look()
    assert statuses == {"ACTIVE", "SHUTOFF", "ERROR", "BUILD", "REBUILD"}
    assert locks == {None, "owner", "admin"}
    assert deleted == {True, False}


@for_any(strategies.histories(most=5))
def test_a_history_is_in_order_of_occurrence_and_begins(history) -> None:
    times = [at for _, at in history]
    assert times == sorted(times)
    assert type(history[0][0]).__name__ == "ServerRegistered"


@for_any(strategies.names(), strategies.metadata(), strategies.request_ids(), strategies.actors())
def test_values_keep_the_limits(name, items, request_id, actor) -> None:
    assert limits.server_name("name", name) == name
    assert limits.metadata("metadata", items) == items
    assert limits.request_id("request_id", request_id) == request_id
    assert actor.user_id
