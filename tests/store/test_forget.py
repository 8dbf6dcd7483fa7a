"""A log in memory can be forgotten, whole; one in a file is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from serverdomain import Conflict, Context, NotFound, Servers
from serverdomain.testing.store_contract import SERVER, adopted

SECONDS = 20


def test_a_forgotten_log_is_a_new_one() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted(), Context(request_id="req-1"))
        assert servers.list() != []
        told: list[str] = []
        reaction = servers.react("billing", lambda happened: told.append(happened.name))

        servers.forget()

        assert servers.list() == []
        assert servers.latest() is None
        assert servers.reactions() == []
        assert not reaction.is_alive
        with pytest.raises(NotFound):
            servers.history(SERVER)
        assert servers.register(adopted(), Context(request_id="req-1")).position == 1
        assert [server.id for server in servers.list()] == [SERVER]
        assert told == []


def test_a_reaction_runs_again_on_the_new_log() -> None:
    with Servers.open("memory:") as servers:
        told: list[int] = []
        for _ in range(2):
            reaction = servers.react("billing", lambda happened: told.append(happened.position))
            servers.register(adopted())
            assert reaction.caught_up(SECONDS)
            servers.forget()
        assert told == [1, 1]


def test_one_in_a_file_is_kept_and_so_are_its_reactions(tmp_path: Path) -> None:
    with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
        servers.register(adopted())
        reaction = servers.react("billing", print)
        with pytest.raises(Conflict, match="the store is a file, which is kept"):
            servers.forget()
        assert servers.get(SERVER).name == "foobar"
        assert reaction.is_alive
