"""`AsyncServers` is `Servers`, awaited: the same names, the same rules, the same log."""

from __future__ import annotations

import asyncio
import inspect
import os
import pickle
import pydoc
import re
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from serverdomain import (
    AsyncServers,
    Conflict,
    Context,
    CreateServer,
    InvalidInput,
    NotFound,
    Outcome,
    RebuildServer,
    Refused,
    RequestIdTaken,
    Server,
    Servers,
    StoreBehind,
    StoreError,
    StoreLocked,
    StoreReadOnly,
)
from serverdomain.domain.events import ServerRenamed
from serverdomain.servers.awaited import Opening
from serverdomain.servers.awaited.growth import Growth
from serverdomain.servers.awaited.left_commands import MOST, LeftCommands
from serverdomain.store.log import Log
from serverdomain.store.request import Request
from serverdomain.testing.store_contract import IMAGE, OTHER, SERVER, adopted, under

SECONDS = 20

Work = Callable[[AsyncServers], Coroutine[Any, Any, Any]]

OTHERWISE = {
    "view": "ask",
    "timeline": "ask",
    "ledger": "ask",
    "log_id": "ask",
    "fleet": "ask",
    "bulk": "ask",
    "recorded": "ask",
}
"""What is asked for by another name, because it goes on asking, or is no call."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.db"


def run(path: Path | str, work: Work) -> Any:
    async def main() -> Any:
        async with AsyncServers.open(path) as servers, asyncio.timeout(SECONDS):
            return await work(servers)

    return asyncio.run(main())


def names(kind: type) -> dict[str, Any]:
    public = (name for name in dir(kind) if not name.startswith("_"))
    return {name: inspect.getattr_static(kind, name) for name in public}


# Its names


def test_it_has_the_names_of_servers_and_one_for_the_rest() -> None:
    assert names(Servers).keys() - OTHERWISE.keys() | {"ask"} == names(AsyncServers).keys()


@pytest.mark.parametrize("name", sorted(names(Servers).keys() - OTHERWISE.keys() - {"react"}))
def test_a_name_takes_what_it_takes_there_and_says_what_it_says(name: str) -> None:
    one, other = getattr(Servers, name), getattr(AsyncServers, name)
    if isinstance(one, property):
        one, other = one.fget, other.fget
    there, here = inspect.signature(one), inspect.signature(other)
    assert here.parameters == there.parameters
    assert (here.return_annotation in (there.return_annotation, "AsyncIterator[Server]")) or (
        name == "open"
    )
    if name not in ("get", "get_at_once", "mark", "close"):
        assert inspect.getdoc(other) == inspect.getdoc(one)


def test_help_shows_that_it_is_awaited() -> None:
    shown = pydoc.plain(pydoc.render_doc(AsyncServers))
    assert re.search(r"async rebuild\(\s*self,\s*server_id: 'ServerId',\s*command: ", shown)
    assert "Wipe the server and install it again" in shown


# Its commands


def test_a_life_is_led_as_with_servers(path: Path) -> None:
    async def life(servers: AsyncServers) -> None:
        web = (await servers.create(CreateServer(name="web", image_id=IMAGE, flavor_id="1"))).id
        await servers.report_built(web)
        asked = await servers.rebuild(web, RebuildServer(image_id=IMAGE, name="new"), under("r"))
        again = await servers.rebuild(web, RebuildServer(image_id=IMAGE, name="new"), under("r"))
        assert asked.admin_pass is not None
        assert (again.replayed, again.server, again.admin_pass) == (True, asked.server, None)
        await servers.complete_rebuild(web)
        recorded = await servers.record(web, [ServerRenamed("late")])
        assert isinstance(recorded, Outcome)

        assert (await servers.get(web)).name == "late"
        assert [one.id for one in await servers.list(status="ACTIVE")] == [web]
        assert [one.name async for one in servers] == ["late"]
        assert (await servers.history(web))[2].name == "RebuildRequested"
        assert (await servers.get(web, as_of="version:1")).status == "BUILD"
        assert await servers.ask(lambda all_of_them: len(all_of_them.timeline)) == 6
        assert await servers.check() == []

    run(path, life)
    with Servers.open(path, create=False) as servers:
        assert [one.name for one in servers] == ["late"]


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (lambda servers: servers.start(SERVER), Refused),
        (lambda servers: servers.stop(SERVER, expected_version=7), Conflict),
        (lambda servers: servers.stop(OTHER), NotFound),
        (lambda servers: servers.rename(SERVER, "b", under("register")), RequestIdTaken),
        (lambda servers: servers.rename(SERVER, 7), InvalidInput),
        (lambda servers: servers.get("no id"), NotFound),
        (lambda servers: servers.ask(7), InvalidInput),
    ],
)
def test_what_is_raised_is_raised_where_it_is_awaited(
    path: Path, work: Callable[[AsyncServers], Any], error: type[Exception]
) -> None:
    async def asked(servers: AsyncServers) -> None:
        await servers.register(adopted(), under("register"))
        awaited = work(servers)
        with pytest.raises(error):
            await awaited

    run(path, asked)


def test_many_commands_at_once_each_get_their_own_outcome_in_their_order(path: Path) -> None:
    count = 2 * MOST + 1

    async def many(servers: AsyncServers) -> None:
        await servers.register(adopted())
        asked = [servers.rename(SERVER, f"name {number}") for number in range(count)]
        refused = servers.start(SERVER)
        outcomes = await asyncio.gather(*asked, refused, return_exceptions=True)
        assert isinstance(outcomes.pop(), Refused)
        assert [one.server.name for one in outcomes] == [f"name {one}" for one in range(count)]
        assert [one.server.version for one in outcomes] == list(range(2, count + 2))

    run(path, many)


def test_those_that_wait_together_are_handed_to_the_log_together(path: Path) -> None:
    with Servers.open(path) as servers:
        servers.register(adopted())
        handed: list[int] = []
        accept_many, gate = servers._log.accept_many, threading.Event()

        def noted(requests: list[Request]) -> Any:
            handed.append(len(requests))
            assert gate.wait(SECONDS)
            return accept_many(requests)

        servers._log.accept_many = noted  # type: ignore[method-assign]

        async def many() -> None:
            names = (f"name {number}" for number in range(MOST + 3))
            async_servers = AsyncServers(servers)
            tasks = [asyncio.ensure_future(async_servers.rename(SERVER, name)) for name in names]
            await asyncio.sleep(0)
            gate.set()
            await asyncio.gather(*tasks)

        asyncio.run(many())
        assert sum(handed) == MOST + 3
        assert len(handed) <= 3
        assert max(handed) <= MOST


def test_many_wait_for_a_position_and_take_no_thread(path: Path) -> None:
    async def waiting(servers: AsyncServers) -> None:
        await servers.register(adopted())
        waits = [asyncio.ensure_future(servers.wait_for(2, SECONDS)) for _ in range(200)]
        await asyncio.sleep(0)
        # A question takes a thread, and gets one.
        assert len(await servers.list()) == 1
        assert not any(one.done() for one in waits)
        await servers.wait_for(await servers.stop(SERVER), SECONDS)
        await asyncio.gather(*waits)
        assert await servers.ask(lambda them: [one.status for one in them.view]) == ["SHUTOFF"]
        await servers.wait_for(None, 0)
        with pytest.raises(StoreBehind, match="the log ends at 2"):
            await servers.wait_for(3, 0.01)
        with pytest.raises(InvalidInput, match="seconds"):
            await servers.wait_for(3, -1)

    run(path, waiting)


# Who goes away


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """As long as another process writes to the store."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_cancelled_command_happens_or_does_not_and_its_request_id_tells(path: Path) -> None:
    async def cancelled(servers: AsyncServers) -> None:
        await servers.register(adopted())
        async with locked(path):
            first = asyncio.ensure_future(servers.rename(SERVER, "first", under("req-1")))
            while not servers._left._left.empty() or not first.done():
                # Until its thread has taken it, and waits for the lock.
                await asyncio.sleep(0)
                if servers._left._left.empty():
                    break
            second = asyncio.ensure_future(servers.rename(SERVER, "second", under("req-2")))
            await asyncio.sleep(0)
            for task in (first, second):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        third = await servers.rename(SERVER, "third", under("req-3"))
        # Whoever was taken happens, and who still waited does not.
        assert [one.request_id for one in (await servers.history(SERVER))[1:]] == ["req-1", "req-3"]
        assert third.server.version == 3
        assert (await servers.rename(SERVER, "first", under("req-1"))).replayed
        assert not (await servers.rename(SERVER, "second", under("req-2"))).replayed

    run(path, cancelled)


def test_a_time_that_is_over_is_a_caller_that_went_away(path: Path) -> None:
    async def patient(servers: AsyncServers) -> None:
        await servers.register(adopted())
        async with locked(path):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await servers.rename(SERVER, "b", under("req-1"))
        again = await servers.rename(SERVER, "b", under("req-1"))
        assert again.server.version == 2

    run(path, patient)


def test_who_waited_for_too_long_is_told_and_nothing_happens(path: Path) -> None:
    with Servers.open(path) as servers:
        servers.register(adopted())
        left = LeftCommands(servers._log)
        left._patience = -1
        asking = AsyncServers(servers)._asking
        asking._log = left

        async def late() -> None:
            await asking.rename(SERVER, "late")  # type: ignore[misc]

        with pytest.raises(StoreLocked, match="too many calls"):
            asyncio.run(late())
        assert servers.get(SERVER).version == 1


def test_a_log_that_fails_as_a_whole_fails_for_everybody(path: Path) -> None:
    class Broken(Log):
        def accept_many(self, requests: object) -> Any:
            raise MemoryError

    async def two() -> list[Any]:
        left = LeftCommands(Broken())
        request: Any = None
        return await asyncio.gather(
            left.accept(request), left.accept(request), return_exceptions=True
        )

    assert [type(one) for one in asyncio.run(two())] == [MemoryError, MemoryError]


# Its beginning and its end


def test_it_is_opened_by_await_too_and_closed_at_the_end(path: Path) -> None:
    async def main() -> None:
        servers = await AsyncServers.open(path)
        assert repr(servers) == f"<AsyncServers of {path}>"
        waiting = asyncio.ensure_future(servers.register(adopted()))
        await asyncio.sleep(0)
        await servers.close()
        assert (await waiting).position == 1
        for work in (servers.get(SERVER), servers.rename(SERVER, "b")):
            with pytest.raises(StoreError, match="closed"):
                await work

    asyncio.run(main())


def test_a_store_that_nobody_waits_for_any_more_is_closed_again(path: Path) -> None:
    gate, opened = threading.Event(), []

    def slow() -> Servers:
        assert gate.wait(SECONDS)
        opened.append(Servers.open(path))
        return opened[0]

    async def main() -> None:
        opening = asyncio.ensure_future(Opening(slow)._open())
        await asyncio.sleep(0)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        gate.set()
        async with asyncio.timeout(SECONDS):
            while not opened or not opened[0]._log.connections._closed:
                await asyncio.sleep(0.01)

    asyncio.run(main())


def test_it_is_closed_once_what_was_left_is_done(path: Path) -> None:
    async def main() -> None:
        servers = await AsyncServers.open(path)
        log, gate = servers.blocking._log, threading.Event()
        accept_many, close = log.accept_many, log.close

        def slow(requests: list[Request]) -> Any:
            assert gate.wait(SECONDS)
            return accept_many(requests)

        def early() -> None:
            gate.set()
            close()

        log.accept_many, log.close = slow, early  # type: ignore[method-assign]
        waiting = asyncio.ensure_future(servers.register(adopted()))
        closing = asyncio.ensure_future(servers.close())
        await asyncio.sleep(0.05)
        assert not gate.is_set()
        gate.set()
        await closing
        assert (await waiting).position == 1

    asyncio.run(main())


def test_its_threads_end_when_it_is_closed(path: Path) -> None:
    kept = []

    async def work(servers: AsyncServers) -> list[threading.Thread]:
        kept.append(servers)
        await servers.register(adopted())
        await servers.list()
        async for _ in servers.follow(SERVER, 0.05):
            pass
        pools = (servers._left, servers._growth, servers._threads)
        return [thread for pool in pools for thread in pool._threads]

    threads = run(path, work)
    assert len(threads) >= 3
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive()


def test_a_store_that_is_only_read_answers_and_takes_no_command(path: Path) -> None:
    with Servers.open(path) as servers:
        servers.register(adopted())

    async def main() -> None:
        async with AsyncServers.open(path, read_only=True) as servers:
            assert servers.read_only
            assert (await servers.get(SERVER)).id == SERVER
            with pytest.raises(StoreReadOnly):
                await servers.stop(SERVER)
            with pytest.raises(StoreReadOnly):
                await servers.react("one", print)

    asyncio.run(main())


def test_one_serves_a_loop_after_another_and_is_not_copied(path: Path) -> None:
    with Servers.open(path) as servers:
        servers.register(adopted())
        async_servers = AsyncServers(servers)

        async def rename(name: str) -> str:
            return (await async_servers.rename(SERVER, name, Context())).server.name

        assert [asyncio.run(rename(name)) for name in "abc"] == ["a", "b", "c"]
        with pytest.raises(InvalidInput, match="another process opens the store itself"):
            pickle.dumps(async_servers)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_is_refused_and_does_not_wait_for_ever(path: Path) -> None:
    with Servers.open(path) as servers:
        servers.register(adopted())
        async_servers = AsyncServers(servers)
        asyncio.run(async_servers.rename(SERVER, "b"))
        asyncio.run(async_servers.ask(len))

        async def asked() -> None:
            for work in (async_servers.rename(SERVER, "c"), async_servers.ask(len)):
                with pytest.raises(StoreError, match="fork"):
                    await asyncio.wait_for(work, SECONDS)

        child = os.fork()
        if child == 0:
            code = 1
            try:
                asyncio.run(asked())
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert servers.get(SERVER).version == 2


# Remembered


def test_who_is_remembered_is_given_without_a_thread(path: Path) -> None:
    async def asked(servers: AsyncServers) -> None:
        await servers.register(adopted())
        there = await servers.get(SERVER)
        servers._threads.run = None  # type: ignore[assignment, method-assign]
        assert await servers.get(SERVER) == servers.get_at_once(SERVER) == there
        del servers._threads.run

    run(path, asked)


# Followed


def test_a_server_is_followed_by_many_through_every_state(path: Path) -> None:
    looked = asyncio.Semaphore(0)

    async def seen(servers: AsyncServers) -> list[str]:
        states: list[str] = []
        async for one in _until_shut_off(servers):
            if not states:
                looked.release()
            states.append(one.status)
        return states

    async def followed(servers: AsyncServers) -> None:
        await servers.register(adopted())
        await servers.register(adopted(OTHER))
        async with asyncio.TaskGroup() as tasks:
            followers = [tasks.create_task(seen(servers)) for _ in range(40)]
            for _ in followers:
                await looked.acquire()
            await servers.rebuild(SERVER, RebuildServer(image_id=IMAGE))
            await servers.stop(OTHER)
            await servers.complete_rebuild(SERVER)
            await servers.stop(SERVER)
        for follower in followers:
            assert follower.result()[-2:] == ["ACTIVE", "SHUTOFF"]
        assert len(servers._growth._threads) == 1

    run(path, followed)


async def _until_shut_off(servers: AsyncServers) -> AsyncIterator[Server]:
    async for server in servers.follow(SERVER):
        yield server
        if server.status == "SHUTOFF":
            return


def test_what_another_process_appends_is_followed_and_a_deleted_server_ends_it(path: Path) -> None:
    async def followed(servers: AsyncServers) -> None:
        await servers.register(adopted())
        following = aiter(servers.follow(SERVER))
        await anext(following)
        with Servers.open(path) as other:
            other.stop(SERVER)
            assert (await anext(following)).status == "SHUTOFF"
            other.delete(SERVER)
            with pytest.raises(NotFound):
                await anext(following)
        with pytest.raises(InvalidInput, match=r"^server_id"):
            servers.follow(7)  # type: ignore[arg-type]

    run(path, followed)


def test_a_log_that_cannot_be_read_ends_the_waiting() -> None:
    class Broken(Log):
        def reading(self) -> Any:
            raise StoreError("the disk is gone")

    async def wait() -> None:
        async with asyncio.timeout(SECONDS):
            await Growth(Broken()).past(0, None)

    with pytest.raises(StoreError, match="gone"):
        asyncio.run(wait())


def test_following_ends_with_its_time_and_with_the_store(path: Path) -> None:
    async def main() -> None:
        servers = await AsyncServers.open(path)
        await servers.register(adopted())
        assert [one.status async for one in servers.follow(SERVER, 0)] == ["ACTIVE"]
        following = aiter(servers.follow(SERVER))
        await anext(following)
        more = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        await servers.close()
        with pytest.raises(StoreError, match="closed"):
            await asyncio.wait_for(more, SECONDS)

    asyncio.run(main())
