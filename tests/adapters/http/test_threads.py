"""The way into a thread and back, for many calls at a time."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from serverdomain.adapters.http import threads
from serverdomain.adapters.http.threads import Threads


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


def test_a_call_runs_in_a_thread_and_gives_what_it_gives() -> None:
    there = run(Threads().run(threading.get_ident))

    assert there != threading.get_ident()
    assert run(Threads().run(divmod, 7, 2)) == (3, 1)


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        run(Threads().run(divmod, 1, 0))
    with pytest.raises(KeyboardInterrupt):
        run(raising(Threads(), KeyboardInterrupt))


async def raising(pool: Threads, error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    await pool.run(fail)


def test_each_of_many_gets_its_own_answer() -> None:
    async def many() -> list[int]:
        pool = Threads()
        return await asyncio.gather(*(pool.run(abs, -number) for number in range(500)))

    assert run(many()) == list(range(500))


def test_calls_wait_beside_each_other() -> None:
    async def together() -> None:
        # None passes before all are there: they must be in as many threads.
        pool, barrier = Threads(), threading.Barrier(threads.MOST, timeout=30)
        await asyncio.gather(*(pool.run(barrier.wait) for _ in range(threads.MOST)))

    run(together())


def test_one_that_was_cancelled_holds_nobody_up() -> None:
    async def cancelled() -> int:
        pool, gate = Threads(), threading.Event()
        waiting = asyncio.ensure_future(pool.run(gate.wait, 30))
        await asyncio.sleep(0)
        waiting.cancel()
        gate.set()
        return await pool.run(abs, -1)

    assert run(cancelled()) == 1


def test_one_pool_serves_one_loop_after_another() -> None:
    pool = Threads()

    assert [run(pool.run(abs, -number)) for number in range(3)] == [0, 1, 2]


def test_its_threads_end_with_it() -> None:
    pool = Threads()
    thread = run(pool.run(threading.current_thread))
    del pool
    gc.collect()

    thread.join(30)
    assert not thread.is_alive()


def test_an_idle_thread_keeps_nothing_of_a_call() -> None:
    class Secret:
        pass

    import weakref

    pool, secret = Threads(), Secret()
    run(pool.run(id, secret))
    there = weakref.ref(secret)
    del secret
    run(pool.run(id, 1))
    gc.collect()

    assert there() is None
