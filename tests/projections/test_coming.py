"""A position is waited for, at most so long; then what is asked is answered as of it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from serverdomain import InvalidInput, Servers, StoreBehind
from serverdomain.projections import coming
from serverdomain.projections.follow import LOOK
from serverdomain.testing.store_contract import SERVER, adopted

pytestmark = pytest.mark.core

SECONDS = 20


def test_a_view_that_is_open_shows_what_another_process_wrote(kept_url: str) -> None:
    with Servers.open(kept_url) as servers, Servers.open(kept_url) as other:
        servers.register(adopted())
        assert len(servers.list()) == 1
        assert len(servers.timeline) == 1
        position = other.rename(SERVER, "renamed").position

        servers.wait_for(position, SECONDS)

        assert [server.name for server in servers.view.servers()] == ["renamed"]
        assert len(servers.timeline) == 2


def test_a_position_that_comes_later_is_waited_for(kept_url: str) -> None:
    with (
        Servers.open(kept_url) as servers,
        Servers.open(kept_url) as other,
        ThreadPoolExecutor() as threads,
    ):
        servers.register(adopted())
        waiting = threads.submit(servers.wait_for, 2, SECONDS)
        assert other.stop(SERVER).position == 2
        assert waiting.result(SECONDS) is None


class WhileWaited:
    """A log into which somebody writes while a position is waited for."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self.reading = servers._log.reading

    def wait_past(self, position: int, seconds: float) -> None:
        assert (position, seconds) == (1, LOOK)
        self._servers.stop(SERVER)


def test_who_waits_for_less_than_a_second_waits_so_long() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        log: Any = WhileWaited(servers)
        coming.wait_for(log, 2, 0.9)


def test_a_position_that_does_not_come_is_told_with_the_logs_end(
    new_log: Callable[[], str],
) -> None:
    with Servers.open(new_log()) as servers:
        servers.register(adopted())
        servers.wait_for(1, 0)
        servers.wait_for(0, 0)
        with pytest.raises(
            StoreBehind, match=r"^position 2 is not here: the log ends at 1 as yet$"
        ):
            servers.wait_for(2, 0.01)


def test_a_command_that_changed_nothing_is_there_at_once(new_log: Callable[[], str]) -> None:
    with Servers.open(new_log()) as servers:
        servers.register(adopted())
        unchanged = servers.rename(SERVER, servers.get(SERVER).name)
        servers.wait_for(unchanged.position, 0)
        servers.wait_for(unchanged, 0)


def test_what_a_command_gave_is_waited_for_as_its_position_is(kept_url: str) -> None:
    with Servers.open(kept_url) as servers, Servers.open(kept_url) as other:
        servers.register(adopted())
        stopped = other.stop(SERVER)
        servers.wait_for(stopped, SECONDS)
        with pytest.raises(StoreBehind, match=r"^position 9 is not here"):
            servers.wait_for(replace(stopped, position=9), 0)


def test_the_position_of_a_command_that_is_no_more_is_another_commands() -> None:
    with Servers.open("memory:") as servers:
        lost = servers.register(adopted())
        servers.forget()
        kept = servers.register(adopted())
        servers.wait_for(kept, 0)
        with pytest.raises(
            StoreBehind,
            match=f"^position 1 is another command's: .*{lost.request_id} is in it no more$",
        ):
            servers.wait_for(lost, 0)


POSITION = f"0 to {2**63 - 1} is allowed"
SECOND = "0 to 31,622,400 is allowed"


@pytest.mark.parametrize(
    ("position", "seconds", "says"),
    [
        (-1, 1.0, f"position: -1 came, {POSITION}"),
        (2**63, 1.0, f"position: {2**63} came, {POSITION}"),
        (1, -1.0, f"seconds: -1.0 came, {SECOND}"),
        (1, float("inf"), f"seconds: inf came, {SECOND}"),
        (1, float("nan"), f"seconds: nan came, {SECOND}"),
        (1, 10**400, f"seconds: {10**59}… came, {SECOND}"),
    ],
)
def test_a_wait_that_cannot_be_is_refused(position: int, seconds: float, says: str) -> None:
    with Servers.open("memory:") as servers, pytest.raises(InvalidInput, match=f"^{says}$"):
        servers.wait_for(position, seconds)


def test_the_last_position_that_there_can_be_is_waited_for() -> None:
    with Servers.open("memory:") as servers, pytest.raises(StoreBehind, match="ends at 0 as yet"):
        servers.wait_for(2**63 - 1, 0)
