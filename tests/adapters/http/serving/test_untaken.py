"""Readers who take nothing of large answers: so much waits for all of them, and no more."""

from __future__ import annotations

import asyncio
from typing import Any

from serverdomain.adapters.http.serving.untaken import MOST, leave_some
from tests.adapters.http.serving.test_accepting import ASKING, Door, answer, leave, until

LARGE = 16 * 1024 * 1024


class Reader:
    """A connection on which so many bytes wait for a reader, who is left at that time, if any."""

    def __init__(self, untaken: int, left_at: float | None) -> None:
        self._untaken = untaken
        self.left_at = left_at
        self.is_left = False
        self.transport: Any = self

    def get_write_buffer_size(self) -> int:
        return self._untaken

    def abort(self) -> None:
        self.is_left = True


def test_as_many_readers_are_left_as_it_takes_and_no_more() -> None:
    readers = [Reader(MOST // 4, left_at) for left_at in (7, 5, 5, 6, 8, 9)]
    taking = Reader(MOST, None)
    leave_some([*readers, taking])
    # Four times a quarter is just what may wait.
    assert [one.left_at for one in readers if one.is_left] == [5, 5]
    assert not taking.is_left


def test_of_readers_who_take_nothing_those_who_took_the_longest_are_left() -> None:
    async def run() -> None:
        async with Door(b"x" * LARGE) as door:
            door.may.set()
            places = []
            for number in range(2 * MOST // LARGE):
                door.caller(ASKING)
                await until(lambda asked=number: door.state.total_requests > asked)
                places.append(door.callers[-1].getsockname())
            waiting = {connection.client: connection for connection in door.state.connections}
            untaken = [one.transport.get_write_buffer_size() for one in waiting.values()]
            assert MOST // 2 < sum(untaken) <= MOST
            assert set(waiting) == set(places[-len(waiting) :])
            assert places[0] not in waiting

    asyncio.run(run())


def test_while_an_answer_waits_for_its_reader_no_other_is_made() -> None:
    async def run() -> None:
        async with Door(b"x" * LARGE) as door:
            door.may.set()
            reader = door.caller(ASKING * 2 + b"GET / HTTP/1.0\r\n\r\n")
            await until(lambda: door.state.total_requests)
            for _ in range(1_000):
                await asyncio.sleep(0)
            assert door.begun == 1
            loop, taken = asyncio.get_running_loop(), 0
            while part := await loop.sock_recv(reader, 1 << 20):
                taken += len(part)
            assert taken > 3 * LARGE
            assert door.begun == 3

    asyncio.run(run())


def test_who_leaves_an_answer_untaken_is_not_asked_for_behind_it() -> None:
    async def run() -> None:
        async with Door(b"x" * LARGE) as door:
            door.may.set()
            reader = door.caller(ASKING * 3)
            await until(lambda: door.state.total_requests)
            assert await answer(reader)
            leave(reader)
            await until(lambda: not door.state.connections and not door.state.tasks)
            assert door.begun == 1

    asyncio.run(run())
