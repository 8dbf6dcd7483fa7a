"""One server, followed through the log: nothing that it was in between is missed."""

from __future__ import annotations

import pytest

from serverdomain import InvalidInput, NotFound, RebuildServer, Servers
from serverdomain.projections.follow import Followed
from serverdomain.testing.store_contract import IMAGE, OTHER, SERVER, adopted

pytestmark = pytest.mark.core

SECONDS = 20


def test_it_begins_with_the_server_as_it_is_and_ends_with_the_time(any_url: str) -> None:
    with Servers.open(any_url) as servers:
        servers.register(adopted())
        assert [one.status for one in servers.follow(SERVER, 0)] == ["ACTIVE"]


def test_every_state_between_two_looks_is_told_and_no_other_servers(any_url: str) -> None:
    with Servers.open(any_url) as servers:
        servers.register(adopted())
        servers.register(adopted(OTHER))
        following = servers.follow(SERVER, SECONDS)
        next(following)
        servers.rebuild(SERVER, RebuildServer(image_id=IMAGE))
        servers.stop(OTHER)
        servers.complete_rebuild(SERVER)
        servers.stop(SERVER)

        assert [next(following).status for _ in range(3)] == ["REBUILD", "ACTIVE", "SHUTOFF"]


def test_what_another_process_appends_is_told_too(kept_url: str) -> None:
    with Servers.open(kept_url) as servers, Servers.open(kept_url) as other:
        servers.register(adopted())
        following = servers.follow(SERVER, SECONDS)
        next(following)
        other.stop(SERVER)

        assert next(following).status == "SHUTOFF"


@pytest.mark.parametrize("seconds", [float("nan"), -1, 10**400])
def test_a_time_that_cannot_be_waited_for_is_refused(seconds: float) -> None:
    with Servers.open("memory:") as servers, pytest.raises(InvalidInput, match=r"^seconds: "):
        servers.follow(SERVER, seconds)


def test_who_waits_without_an_end_is_told_too(any_url: str) -> None:
    with Servers.open(any_url) as servers:
        servers.register(adopted())
        following = servers.follow(SERVER, None)
        next(following)
        servers.stop(SERVER)
        assert next(following).status == "SHUTOFF"


def test_each_look_tells_what_came_after_the_one_before(any_url: str) -> None:
    with Servers.open(any_url) as servers:
        followed = Followed(servers._log, SERVER)
        with pytest.raises(NotFound):
            list(followed.states())
        servers.register(adopted())
        servers.stop(SERVER)
        assert [one.status for one in followed.states()] == ["ACTIVE", "SHUTOFF"]
        servers.start(SERVER)
        assert [one.status for one in followed.states()] == ["ACTIVE"]
        assert list(followed.states()) == []


def test_where_the_log_went_back_it_begins_again() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        servers.stop(SERVER)
        following = servers.follow(SERVER, SECONDS)
        assert next(following).status == "SHUTOFF"
        servers.forget()
        servers.register(adopted())
        assert next(following).status == "ACTIVE"


def test_a_server_that_is_not_there_or_goes_is_not_found(any_url: str) -> None:
    with Servers.open(any_url) as servers:
        with pytest.raises(NotFound):
            next(servers.follow(SERVER))
        servers.register(adopted())
        following = servers.follow(SERVER, SECONDS)
        next(following)
        servers.delete(SERVER)
        with pytest.raises(NotFound):
            next(following)
