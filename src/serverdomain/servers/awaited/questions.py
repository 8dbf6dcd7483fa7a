"""Every question of `Servers` that waits for the store, by its name: asked in a thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from serverdomain.audit.as_of import AsOf
from serverdomain.domain.server import Server
from serverdomain.domain.typed import require_type
from serverdomain.servers import Servers
from serverdomain.servers.awaited.threads import Threads
from serverdomain.servers.commanding import ServerId

P = ParamSpec("P")
Given = TypeVar("Given")


def in_a_thread(
    method: Callable[Concatenate[Servers, P], Given],
) -> Callable[Concatenate[AsyncQuestions, P], Coroutine[Any, Any, Given]]:
    """The method, awaited: its name, its parameters, and what it says of itself."""

    @wraps(method)
    async def ask(self: AsyncQuestions, /, *args: P.args, **named: P.kwargs) -> Given:
        return await self._threads.run(partial(method, self.blocking, *args, **named))

    return ask


class AsyncQuestions:
    """The questions of `AsyncServers`."""

    blocking: Servers
    _threads: Threads

    async def get(
        self, server_id: ServerId, *, project_id: str | None = None, as_of: AsOf | str | None = None
    ) -> Server:
        """The server as it is now, or as of a moment. Raises `NotFound`, also for a deleted one.

        One that is remembered is given without a thread. With a ``project_id`` a server of another
        project is not there either. Raises `Refused` for a version or position beyond the head.
        """
        if as_of is None:
            known = self.get_at_once(server_id, project_id=project_id)
            if known is not None:
                return known
        get = partial(self.blocking.get, server_id, project_id=project_id, as_of=as_of)
        return await self._threads.run(get)

    def mark(self) -> int | None:
        """A number that is another once anything was committed; ``None`` if it is not known."""
        return self.blocking.mark()

    def get_at_once(
        self, server_id: ServerId, *, project_id: str | None = None, mark: int | None = None
    ) -> Server | None:
        """What `get` would give, if that is known without a look into the log; never waits.

        With a `mark` that was read a moment ago it is what a `get` would have given then.
        """
        return self.blocking.get_at_once(server_id, project_id=project_id, mark=mark)

    async def ask(self, question: Callable[[Servers], Given]) -> Given:
        """What a question about the `Servers` gives, in a thread: a function of yours.

        For what is not here by its own name, because it goes on asking: a view, the timeline, the
        ledger, a fleet. What it gives back must be whole, a list and no iterator.
        """
        require_type("question", question, Callable)
        return await self._threads.run(question, self.blocking)

    find = in_a_thread(Servers.find)
    latest = in_a_thread(Servers.latest)
    head = in_a_thread(Servers.head)
    history = in_a_thread(Servers.history)
    actions = in_a_thread(Servers.actions)
    what_if = in_a_thread(Servers.what_if)
    backup = in_a_thread(Servers.backup)
    check = in_a_thread(Servers.check)
    list = in_a_thread(Servers.list)
    diff = in_a_thread(Servers.diff)
    diff_servers = in_a_thread(Servers.diff_servers)
    diff_fleet = in_a_thread(Servers.diff_fleet)
    reactions = in_a_thread(Servers.reactions)
    resume_reaction = in_a_thread(Servers.resume_reaction)
    skip_reaction = in_a_thread(Servers.skip_reaction)
    forget = in_a_thread(Servers.forget)
    require_forgettable = in_a_thread(Servers.require_forgettable)

    async def __aiter__(self) -> AsyncIterator[Server]:
        for server in await self.list():
            yield server
