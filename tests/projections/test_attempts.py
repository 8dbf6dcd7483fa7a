"""What fails is tried again, with pauses that grow, and not for ever."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from threading import Event as Flag

import pytest

from serverdomain.projections.attempts import LONGEST_WORDS, Recurring, failure_of, in_words, warn


class Pauses(Flag):
    """A flag that nobody waits for: it notes how long each pause would have been."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout)
        return self.is_set()


class Failing:
    """A call that fails so many times, then succeeds."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        if self.calls <= self.times:
            raise RuntimeError(f"no room for {self.calls}")


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_what_succeeds_in_the_end_did_not_fail(failures: int) -> None:
    call = Failing(failures)
    assert failure_of(call, 3, Pauses()) is None
    assert call.calls == failures + 1


@pytest.mark.parametrize("attempts", [1, 3])
def test_what_goes_on_failing_is_told_by_its_last_failure(attempts: int) -> None:
    call = Failing(9)
    assert failure_of(call, attempts, Pauses()) == f"RuntimeError: no room for {attempts}"
    assert call.calls == attempts


def test_pauses_grow_to_ten_seconds() -> None:
    pauses = Pauses()
    failure_of(Failing(99), 10, pauses)
    assert pauses.seconds == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10]


def test_a_pause_ends_when_all_is_to_stop() -> None:
    stopping = Flag()
    call = Failing(9)

    def stops() -> None:
        stopping.set()
        call()

    assert failure_of(stops, 5, stopping) == "RuntimeError: no room for 1"


@pytest.mark.parametrize("error", [SystemExit, CancelledError, KeyboardInterrupt, GeneratorExit])
def test_whatever_a_call_ends_in_is_a_failure(error: type[BaseException]) -> None:
    def ends() -> None:
        raise error("enough")

    assert failure_of(ends, 2, Pauses()) == f"{error.__name__}: enough"


class Silent(Exception):
    """An error that fails when it is asked what it says."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class Ending(Exception):
    """An error that ends whoever asks what it says."""

    def __str__(self) -> str:
        raise SystemExit


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("no room"), "RuntimeError: no room"),
        (CancelledError(), "CancelledError"),
        (ValueError("no \udcff"), "ValueError: no \\udcff"),
        (Silent(), "Silent: its message cannot be read"),
        (Ending(), "Ending: its message cannot be read"),
    ],
)
def test_an_error_is_its_type_and_message(error: BaseException, words: str) -> None:
    assert in_words(error) == words


def test_of_a_long_message_its_beginning_is_kept() -> None:
    words = in_words(ValueError("x" * 10**6))
    assert len(words) == LONGEST_WORDS
    assert words.endswith("xxx...")
    exact = in_words(ValueError("x" * (LONGEST_WORDS - len("ValueError: "))))
    assert len(exact) == LONGEST_WORDS
    assert exact.endswith("xxxx")
    assert len(in_words(ValueError("\udcff" * LONGEST_WORDS))) == LONGEST_WORDS


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_a_warning_that_nobody_can_take_holds_nothing_up(error: type[BaseException]) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise error(record.getMessage())

    broken = Broken()
    logging.getLogger("serverdomain").addHandler(broken)
    try:
        warn("reaction %s stopped", "billing")
    finally:
        logging.getLogger("serverdomain").removeHandler(broken)


def test_what_goes_on_failing_is_news_once_and_tried_ever_less_often() -> None:
    trouble = Recurring(1.0)
    met = [trouble.met("full") for _ in range(6)]
    assert [is_news for is_news, _ in met] == [True, *[False] * 5]
    assert [pause for _, pause in met] == [1, 2, 4, 8, 10, 10]
    assert trouble.met("locked") == (True, 10)
    assert trouble.over()
    assert not trouble.over()
    assert trouble.met("locked") == (True, 1)
