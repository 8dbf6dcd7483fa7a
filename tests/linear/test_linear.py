"""What many callers are told at once fits into the one order of the log."""

from __future__ import annotations

import random
import signal
from collections import Counter
from threading import Event

import pytest

from serverdomain import Servers

from .callers import asked_first, play, prepare
from .calls import Call, Done, Raised
from .checking import wrongs
from .crowd import Process, calls_of
from .points import Points


@pytest.fixture
def url(kept_url: str) -> str:
    with Servers.open(kept_url) as servers:
        prepare(servers)
    return kept_url


def holds(url: str, calls: list[Call]) -> None:
    with Servers.open(url, create=False) as servers:
        points = Points.of(servers)
        decides_first = url.startswith("postgresql:")
        told = wrongs(points, [*asked_first(), *calls], decides_first=decides_first)
        assert told == []
        assert servers.check() == []
        assert servers.list() == list(points.there(len(points.written)))


def kind(answer: object) -> str:
    match answer:
        case Done(replayed=True):
            return "replayed"
        case Done(events=()):
            return "idle"
        case Raised(kind):
            return kind
    return type(answer).__name__


def require_every_kind(calls: list[Call]) -> None:
    """Nothing of what can be answered stays away, or the test says little."""
    kinds = Counter(kind(one.answer) for one in calls)
    errors = {"Refused", "Conflict", "NotFound", "RequestIdTaken"}
    assert set(kinds) >= {"Done", "idle", "replayed", "Seen", "Told", *errors}, kinds


def test_threads_of_two_stores_on_one_file_see_one_order(url: str) -> None:
    notes: list[Call] = []
    with Servers.open(url) as one, Servers.open(url) as other:
        play([one, other], "t", 6, 60, notes.append)

    ended = [one for one in notes if one.answer is not None]
    assert len(notes) == 2 * len(ended) == 2 * 6 * 60
    require_every_kind(ended)
    holds(url, ended)


@pytest.mark.slow
def test_four_processes_of_twenty_four_threads_see_one_order(url: str) -> None:
    calls = calls_of([Process(url, f"p{number}", 24, 40) for number in range(4)])

    assert len(calls) == 4 * 24 * 40
    require_every_kind(calls)
    holds(url, calls)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_processes_of_many_threads_are_killed_at_any_moment(url: str, seed: int) -> None:
    dice = random.Random(seed)
    dying = [
        Process(url, f"dying-{number}", 16, 1000, {dice.randrange(20, 600): killed})
        for number in range(2)
    ]
    calls = calls_of([Process(url, "living", 16, 40), *dying])

    assert any(one.answer is None for one in calls)
    holds(url, calls)


def killed(process: Process) -> None:
    process.signal(signal.SIGKILL)


@pytest.mark.slow
def test_a_process_is_stopped_again_and_again_and_others_go_on_or_are_told(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.1")
    other = Process(url, "other", 8, 100)

    def stopped_for_a_while(process: Process) -> None:
        process.signal(signal.SIGSTOP)
        until = other.notes + 20
        while other.notes < until and not other.has_ended:
            Event().wait(0.001)
        process.signal(signal.SIGCONT)

    stops = dict.fromkeys(range(50, 1200, 50), stopped_for_a_while)
    calls = calls_of([other, Process(url, "stopped", 8, 100, stops)])

    assert all(one.answer for one in calls)
    holds(url, calls)
