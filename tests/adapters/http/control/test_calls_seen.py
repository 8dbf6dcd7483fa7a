"""How much is kept of the calls that were seen."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.responses import Response

from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.control.calls_seen import LARGEST, MOST, MOST_BYTES, CallsSeen

AT = datetime(2012, 9, 12, tzinfo=UTC)


def add(calls: CallsSeen, number: int, size: int) -> None:
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/{number}",
        "headers": [(b"x-long", b"h" * size)],
    }
    calls.add(Call(scope), AT, Response(b"b" * min(size, LARGEST)), None)


def test_of_small_calls_the_last_thousand_are_kept() -> None:
    calls = CallsSeen()
    for number in range(MOST + 5):
        add(calls, number, 10)
    assert [one.path for one in calls.of()] == [f"/{number}" for number in range(5, MOST + 5)]


def test_of_large_ones_as_many_as_weigh_no_more_than_the_bound() -> None:
    calls = CallsSeen()
    for number in range(MOST):
        add(calls, number, 60_000)
        assert calls.weight <= MOST_BYTES
    kept = calls.of()
    assert kept[-1].path == f"/{MOST - 1}"
    assert MOST_BYTES // 100_000 - 5 <= len(kept) <= MOST_BYTES // 90_000


def test_what_is_forgotten_weighs_nothing() -> None:
    calls = CallsSeen()
    add(calls, 1, 60_000)
    calls.clear()
    assert (calls.of(), calls.weight) == ([], 0)
