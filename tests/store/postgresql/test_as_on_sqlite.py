"""Many processes on one log, and writers that are killed: what holds on SQLite holds here."""

from __future__ import annotations

import pytest

from tests.store.test_concurrency import of_eight, sees_what_was_told
from tests.store.test_kills import holds_after_kills


def test_processes_take_turns(log_url: str) -> None:
    of_eight(log_url, 12)


@pytest.mark.slow
def test_eight_processes_send_thousands_of_commands(log_url: str) -> None:
    of_eight(log_url, 600)


def test_what_a_process_was_told_before_another_began_that_other_sees(log_url: str) -> None:
    sees_what_was_told(log_url)


def test_a_killed_writer_loses_nothing_that_it_acknowledged(log_url: str) -> None:
    holds_after_kills(log_url, kills=3, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_however_often_it_is_killed(log_url: str, seed: int) -> None:
    holds_after_kills(log_url, kills=40, seed=seed)
