"""Readers who take nothing of large answers: so much waits for all of them, and no more."""

from __future__ import annotations

import asyncio

from serverdomain.adapters.http.serving.untaken import MOST
from tests.adapters.http.serving.test_accepting import ASKING, Door, answer, leave, until

LARGE = 16 * 1024 * 1024


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
