"""One look at the log for all that an event loop does in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from serverdomain.adapters.http.calls.glance import Glance


def looking() -> tuple[Glance, Iterator[int]]:
    marks = count()
    return Glance(lambda: next(marks)), marks


def test_all_that_a_loop_does_in_one_turn_shares_a_look() -> None:
    glance, _ = looking()

    async def call() -> int | None:
        return glance.mark()

    async def turn() -> list[int | None]:
        return await asyncio.gather(call(), call(), call())

    assert asyncio.run(turn()) == [0, 0, 0]


def test_the_next_turn_looks_anew_also_where_nothing_else_happens() -> None:
    glance, _ = looking()

    async def turns() -> list[int | None]:
        seen = []
        for _ in range(3):
            seen.append(glance.mark())
            await asyncio.sleep(0)
        return seen

    assert asyncio.run(turns()) == [0, 1, 2]


def test_what_was_read_in_a_turn_is_read_behind_all_that_came_in_before_it() -> None:
    glance, marks = looking()

    async def calls() -> int | None:
        loop, seen = asyncio.get_running_loop(), loop_seen
        loop.call_soon(lambda: seen.append(glance.mark()))
        await asyncio.sleep(0)
        came = next(marks)  # Somebody commits, and asks afterwards: for the next turn.
        loop.call_soon(lambda: seen.append(glance.mark()))
        await asyncio.sleep(0)
        return came

    loop_seen: list[int | None] = []
    came = asyncio.run(calls())
    assert came is not None
    assert loop_seen == [came - 1, came + 1]


def test_loops_do_not_share_a_look() -> None:
    glance, _ = looking()

    async def outer() -> tuple[int | None, int | None]:
        async def inner() -> int | None:
            return glance.mark()

        mine = glance.mark()
        with ThreadPoolExecutor(1) as threads:  # While this turn lasts.
            return mine, threads.submit(asyncio.run, inner()).result()

    assert asyncio.run(outer()) == (0, 1)
