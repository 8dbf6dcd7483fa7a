"""The way into a thread and back, for many calls at a time."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from typing import Any

import pytest

from serverdomain import StoreLocked
from serverdomain.servers.awaited import jobs
from serverdomain.servers.awaited.jobs import Waker
from serverdomain.servers.awaited.threads import Threads


def run(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


def given(pool: Threads, call: Any, *arguments: Any) -> Any:
    """What a call gives in a thread of the pool."""

    async def asked() -> Any:
        return await pool.run(call, *arguments)

    return run(asked())


def test_a_call_runs_in_a_thread_and_gives_what_it_gives() -> None:
    there = given(Threads(32), threading.get_ident)

    assert there != threading.get_ident()
    assert given(Threads(32), divmod, 7, 2) == (3, 1)


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        given(Threads(32), divmod, 1, 0)
    with pytest.raises(KeyboardInterrupt):
        run(raising(Threads(32), KeyboardInterrupt))


async def raising(pool: Threads, error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    await pool.run(fail)


def test_each_of_many_gets_its_own_answer() -> None:
    async def many() -> list[int]:
        pool = Threads(32)
        return await asyncio.gather(*(pool.run(abs, -number) for number in range(500)))

    assert run(many()) == list(range(500))


def test_calls_wait_beside_each_other() -> None:
    async def together() -> None:
        # None passes before all are there: they must be in as many threads.
        pool, barrier = Threads(32), threading.Barrier(32, timeout=30)
        await asyncio.gather(*(pool.run(barrier.wait) for _ in range(32)))

    run(together())


def test_no_more_run_at_a_time_than_it_may_have_threads() -> None:
    async def three() -> set[int]:
        pool = Threads(2)
        return set(await asyncio.gather(*(pool.run(threading.get_ident) for _ in range(100))))

    assert len(run(three())) <= 2


def made_while_the_loop_is_busy(pool: Threads, most: int) -> int:
    """How many of ten answers are made while the loop takes none, once it has waited for some."""
    made: list[int] = []
    enough = threading.Event()

    def make(number: int) -> int:
        made.append(number)
        if len(made) > most:
            enough.set()
        return number

    async def ten() -> int:
        answers = [pool.run(make, number) for number in range(10)]
        enough.wait(0.2)  # Here, on the loop.
        at_once = len(made)
        assert await asyncio.gather(*answers) == list(range(10))
        return at_once

    at_once = run(ten())
    assert isinstance(at_once, int)
    return at_once


def test_large_answers_are_made_no_faster_than_the_loop_takes_them() -> None:
    assert made_while_the_loop_is_busy(Threads(2, large=True), 2) == 2
    assert made_while_the_loop_is_busy(Threads(2), 2) > 2


def test_a_loop_that_takes_nothing_holds_a_thread_up_for_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "HELD_UP_SECONDS", 0)
    assert made_while_the_loop_is_busy(Threads(2, large=True), 2) > 2


@pytest.mark.parametrize("many", [1, 3])
def test_nor_does_a_loop_that_is_closed(monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    monkeypatch.setattr(jobs, "HELD_UP_SECONDS", 600)
    pool, gate = Threads(1, large=True), threading.Event()

    async def left() -> None:
        for _ in range(many):
            pool.run(gate.wait, 30)

    run(left())
    gate.set()
    assert given(pool, abs, -1) == 1


def test_who_waited_too_long_for_a_thread_is_left_undone() -> None:
    done: list[int] = []
    with pytest.raises(StoreLocked, match="no thread was free"):
        given(Threads(1, patience=-1), done.append, 1)
    assert done == []


def test_one_that_was_cancelled_holds_nobody_up() -> None:
    async def cancelled() -> int:
        pool, gate = Threads(32), threading.Event()
        waiting = asyncio.ensure_future(pool.run(gate.wait, 30))
        await asyncio.sleep(0)
        waiting.cancel()
        gate.set()
        return await pool.run(abs, -1)

    assert run(cancelled()) == 1


def test_one_pool_serves_one_loop_after_another() -> None:
    pool = Threads(32)

    assert [given(pool, abs, -number) for number in range(3)] == [0, 1, 2]


def test_an_answer_that_nobody_waits_for_holds_up_no_other() -> None:
    async def both() -> int:
        waker = Waker(asyncio.get_running_loop())
        gone, waiting = asyncio.Future[int](), asyncio.Future[int]()
        gone.cancel()
        waker.hand_over([(gone, 1, None)])
        waker.hand_over([(waiting, 2, None)])
        return await asyncio.wait_for(waiting, 30)

    assert run(both()) == 2


def test_all_its_threads_end_with_it() -> None:
    pool, barrier = Threads(32), threading.Barrier(2, timeout=30)

    def meet() -> threading.Thread:
        barrier.wait()
        return threading.current_thread()

    async def two(pool: Threads) -> list[threading.Thread]:
        return await asyncio.gather(pool.run(meet), pool.run(meet))

    pair = run(two(pool))
    del pool
    gc.collect()

    for thread in pair:
        thread.join(30)
        assert not thread.is_alive()


def test_an_idle_thread_keeps_nothing_of_a_call() -> None:
    class Secret:
        pass

    pool, secret = Threads(32), Secret()
    given(pool, id, secret)
    there = weakref.ref(secret)
    del secret

    # The answer is there a moment before the thread has let go.
    until = time.monotonic() + 30
    while there() is not None and time.monotonic() < until:
        gc.collect()
    assert there() is None
