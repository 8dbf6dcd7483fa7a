"""`async def` handlers: told on the loop, and otherwise as every reaction is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from serverdomain import AsyncServers, InvalidInput, RebuildServer, Servers
from serverdomain.domain.events import RebuildRequested, ServerRenamed
from serverdomain.projections.happened import Happened
from serverdomain.testing.store_contract import IMAGE, SERVER, adopted

SECONDS = 20

Work = Callable[[AsyncServers], Coroutine[Any, Any, Any]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.db"
    with Servers.open(path) as servers:
        servers.register(adopted())
    return path


def run(path: Path, work: Work) -> Any:
    async def main() -> Any:
        async with AsyncServers.open(path) as servers, asyncio.timeout(SECONDS):
            return await work(servers)

    return asyncio.run(main())


def places(path: Path) -> list[tuple[int, str | None]]:
    with Servers.open(path) as servers:
        return [(one.position, one.why) for one in servers.reactions()]


def test_a_handler_runs_on_the_loop_event_by_event_and_may_command(path: Path) -> None:
    threads, at_once = set(), []

    async def work(servers: AsyncServers) -> None:
        async def finish(happened: Happened) -> None:
            threads.add(threading.get_ident())
            at_once.append(happened.position)
            await asyncio.sleep(0)
            assert len(at_once) == 1
            if isinstance(happened.event, RebuildRequested):
                await servers.complete_rebuild(happened.server_id, happened.context())
            at_once.clear()

        async with await servers.react("hypervisor", finish) as reaction:
            await servers.rebuild(SERVER, RebuildServer(image_id=IMAGE))
            async for server in servers.follow(SERVER):
                if server.status == "ACTIVE":
                    break
            assert await reaction.caught_up(SECONDS)
            assert reaction.is_alive
        assert not reaction.is_alive
        last = (await servers.history(SERVER))[-1]
        assert (last.name, last.caused_by is None) == ("RebuildCompleted", False)

    run(path, work)
    assert threads == {threading.get_ident()}


def test_another_handler_runs_in_the_reactions_thread(path: Path) -> None:
    threads = []

    async def work(servers: AsyncServers) -> None:
        def note(happened: Happened) -> None:
            threads.append(threading.current_thread().name)

        async with await servers.react("billing", note, start="beginning") as billing:
            assert await billing.caught_up(SECONDS)

    run(path, work)
    assert threads == ["reaction billing"]


def test_it_is_tried_again_and_stops_with_words_and_can_be_skipped(path: Path) -> None:
    tried: list[str] = []
    told: list[str] = []

    async def work(servers: AsyncServers) -> None:
        async def fails(happened: Happened) -> None:
            assert isinstance(happened.event, ServerRenamed)
            if happened.event.name == "bad":
                tried.append("bad")
                raise TimeoutError("the printer is on fire")
            told.append(happened.event.name)

        async with await servers.react("billing", fails, attempts=2) as billing:
            await servers.rename(SERVER, "bad")
            while not billing.is_stopped:
                await asyncio.sleep(0.01)
            (stopped,) = await servers.reactions()
            assert (stopped.stopped_at, stopped.why) == (2, "TimeoutError: the printer is on fire")
            await servers.skip_reaction("billing")
            await servers.rename(SERVER, "good")
            while not told:
                await asyncio.sleep(0.01)

    run(path, work)
    assert (tried, told) == (["bad", "bad"], ["good"])


def test_a_handler_may_stop_its_own_reaction(path: Path) -> None:
    told: list[int] = []

    async def work(servers: AsyncServers) -> None:
        ended = asyncio.Event()

        async def only_once(happened: Happened) -> None:
            told.append(happened.position)
            await reaction.stop()
            ended.set()

        reaction = await servers.react("once", only_once)
        await servers.rename(SERVER, "one")
        await servers.rename(SERVER, "two")
        await ended.wait()
        await reaction.stop()

    run(path, work)
    assert (told, places(path)) == ([2], [(2, None)])


def test_closing_lets_the_current_event_finish(path: Path) -> None:
    told: list[int] = []

    async def work(servers: AsyncServers) -> None:
        begun, gate = asyncio.Event(), asyncio.Event()

        async def slow(happened: Happened) -> None:
            begun.set()
            await gate.wait()
            await servers.get(SERVER)
            told.append(happened.position)

        await servers.react("slow", slow)
        await servers.rename(SERVER, "one")
        await begun.wait()
        closing = asyncio.ensure_future(servers.close())
        await asyncio.sleep(0)
        gate.set()
        await closing

    run(path, work)
    assert (told, places(path)) == ([2], [(2, None)])


@pytest.mark.parametrize("by_itself", [False, True])
def test_an_event_whose_loop_ends_is_left_to_whoever_works_next(
    path: Path, by_itself: bool
) -> None:
    servers = Servers.open(path)

    async def forgetful() -> Any:
        async_servers = AsyncServers(servers)
        begun = asyncio.Event()

        async def endless(happened: Happened) -> None:
            begun.set()
            if by_itself:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            await asyncio.Event().wait()

        reaction = await async_servers.react("one", endless, attempts=2)
        await async_servers.rename(SERVER, "one")
        await begun.wait()
        while by_itself and reaction.is_alive:
            await asyncio.sleep(0.01)  # It ends before its loop.
        return reaction._reaction

    reaction = asyncio.run(forgetful())
    reaction._thread.join(SECONDS)
    assert not reaction.is_alive
    servers.close()
    assert places(path) == [(1, None)]

    told: list[int] = []

    async def work(servers: AsyncServers) -> None:
        async def note(happened: Happened) -> None:
            told.append(happened.position)

        async with await servers.react("one", note) as reaction:
            assert await reaction.caught_up(SECONDS)

    run(path, work)
    assert told == [2]


def test_a_loop_that_is_closed_when_something_happens_is_no_failure(path: Path) -> None:
    with Servers.open(path) as servers:

        async def note(happened: Happened) -> None:
            raise AssertionError

        async def begin() -> Any:
            return (await AsyncServers(servers).react("one", note, attempts=1))._reaction

        reaction = asyncio.run(begin())
        servers.rename(SERVER, "one")
        reaction._thread.join(SECONDS)
        assert not reaction.is_alive
    assert places(path) == [(1, None)]


# At work


def test_what_it_needs_is_entered_and_left_in_one_task_on_the_loop(path: Path) -> None:
    seen: list[str] = []

    async def work(servers: AsyncServers) -> None:
        groups: list[asyncio.TaskGroup] = []

        @asynccontextmanager
        async def at_work() -> AsyncIterator[None]:
            async with asyncio.TaskGroup() as tasks:
                groups.append(tasks)
                seen.append("entered")
                yield
            seen.append("left")

        async def later(name: str) -> None:
            await asyncio.sleep(0)
            seen.append(name)

        async def schedule(happened: Happened) -> None:
            groups[-1].create_task(later(happened.name))

        async with await servers.react("yard", schedule, at_work=at_work) as yard:
            await servers.rename(SERVER, "one")
            assert await yard.caught_up(SECONDS)

    run(path, work)
    assert seen == ["entered", "ServerRenamed", "left"]


def test_one_that_cannot_be_entered_stops_the_reaction_and_says_why(path: Path) -> None:
    async def work(servers: AsyncServers) -> None:
        @asynccontextmanager
        async def at_work() -> AsyncIterator[None]:
            raise RuntimeError("no room")
            yield

        async with await servers.react("yard", _nothing, attempts=1, at_work=at_work) as yard:
            await servers.rename(SERVER, "one")
            while not yard.is_stopped:
                await asyncio.sleep(0.01)

    run(path, work)
    assert places(path) == [(1, "RuntimeError: no room")]


async def _nothing(happened: Happened) -> None:
    """Do nothing."""


def test_what_no_reaction_takes_is_refused(path: Path) -> None:
    async def work(servers: AsyncServers) -> None:
        for wrong in ({"name": "a b"}, {"attempts": 0}, {"handler": 7}, {"start": "here"}):
            with pytest.raises(InvalidInput, match=rf"^{next(iter(wrong))}: "):
                await servers.react(**{"name": "one", "handler": _nothing, **wrong})

    run(path, work)
