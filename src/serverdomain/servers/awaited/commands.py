"""Every command of `Servers` by its name, awaited: each is its method there, asked in the loop."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from serverdomain.servers.awaited.left_commands import LeftCommands
from serverdomain.servers.commanding import Clock
from serverdomain.servers.commands import Commands
from serverdomain.store.request import Request

P = ParamSpec("P")
Given = TypeVar("Given")


class Asking(Commands):
    """Makes the same requests of the same commands, and leaves them to be accepted."""

    _log: LeftCommands  # type: ignore[assignment]  # Whose outcomes are awaited.

    def __init__(self, left: LeftCommands, clock: Clock) -> None:
        self._log = left
        self._clock = clock

    async def _answer(self, request: Request, outcome: Any) -> Any:  # type: ignore[override]
        return super()._answer(request, await outcome)


def asked(
    method: Callable[Concatenate[Commands, P], Given],
) -> Callable[Concatenate[AsyncCommands, P], Coroutine[Any, Any, Given]]:
    """The method, awaited: its name, its parameters, and what it says of itself."""

    @wraps(method)
    async def ask(self: AsyncCommands, /, *args: P.args, **named: P.kwargs) -> Given:
        awaited: Any = method(self._asking, *args, **named)
        return await awaited  # type: ignore[no-any-return]

    return ask


class AsyncCommands:
    """The commands of `AsyncServers`."""

    _asking: Asking

    command = asked(Commands.command)
    register = asked(Commands.register)
    create = asked(Commands.create)
    report_built = asked(Commands.report_built)
    rebuild = asked(Commands.rebuild)
    report_progress = asked(Commands.report_progress)
    complete_rebuild = asked(Commands.complete_rebuild)
    fail_rebuild = asked(Commands.fail_rebuild)
    rename = asked(Commands.rename)
    change = asked(Commands.change)
    update_metadata = asked(Commands.update_metadata)
    replace_metadata = asked(Commands.replace_metadata)
    delete_metadata = asked(Commands.delete_metadata)
    lock = asked(Commands.lock)
    unlock = asked(Commands.unlock)
    stop = asked(Commands.stop)
    start = asked(Commands.start)
    reset_state = asked(Commands.reset_state)
    delete = asked(Commands.delete)
    record = asked(Commands.record)
