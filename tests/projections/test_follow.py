"""One server, followed through the log: nothing that it was in between is missed."""

from __future__ import annotations

import pytest

from serverdomain import NotFound, RebuildServer, Servers
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
