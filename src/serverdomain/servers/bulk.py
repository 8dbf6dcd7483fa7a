"""Many commands in few transactions: for an import, for fixtures, for whoever has them at hand.

They wait here until they are many, and no lock is held meanwhile. Then the log takes them together,
each on the same way as any command.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from serverdomain.domain import moment
from serverdomain.domain.commands import RecordFacts
from serverdomain.domain.events import Event
from serverdomain.errors import ServerdomainError
from serverdomain.servers.accepted import Failed
from serverdomain.servers.commanding import Clock
from serverdomain.servers.commands import Commands
from serverdomain.store.context import Context
from serverdomain.store.log import Log
from serverdomain.store.request import Outcome, Request
from serverdomain.store.turns import weight

MOST_COMMANDS = 2_000
"""Commands of a `Bulk` that share a transaction, at most."""

MOST_BYTES = 4 * 1024 * 1024
"""What they weigh, as JSON, when they are written at the latest."""

P = ParamSpec("P")


class _Left(Commands):
    """Makes a request of each command, as `Servers` do, and leaves it; gives the server's id."""

    _answered = False

    def __init__(self, leave: Callable[[Request], str], clock: Clock) -> None:
        self.accept = leave
        self._log: Any = self
        self._clock = clock

    def _answer(self, request: Request, outcome: Any) -> Any:
        return outcome


def _left(
    method: Callable[Concatenate[Commands, P], object],
) -> Callable[Concatenate[Bulk, P], str]:
    """The method with its parameters, whose command is left to be written; the server's id."""

    @wraps(method)
    def leave(self: Bulk, /, *args: P.args, **named: P.kwargs) -> str:
        server_id: Any = method(self._commands, *args, **named)
        return server_id  # type: ignore[no-any-return]

    return leave


class Bulk:
    """Commands and facts, thousands a transaction; what `Servers.bulk` gives.

    It has the commands of `Servers` by their names. Each is left to be written, in this order, and
    gives back the id of its server. So none can tell what came of it; that is counted:
    ``recorded`` are in the log now, ``repeated`` were in it under their request ids already,
    ``unchanged`` had nothing to change, and ``refused`` did not happen, whichever error said so.

    What was counted is durable. To go on after an interruption, ask all of it again under the same
    request ids: each happens once. For one thread.
    """

    command = _left(Commands.command)
    register = _left(Commands.register)
    create = _left(Commands.create)
    report_built = _left(Commands.report_built)
    rebuild = _left(Commands.rebuild)
    report_progress = _left(Commands.report_progress)
    complete_rebuild = _left(Commands.complete_rebuild)
    fail_rebuild = _left(Commands.fail_rebuild)
    rename = _left(Commands.rename)
    change = _left(Commands.change)
    update_metadata = _left(Commands.update_metadata)
    replace_metadata = _left(Commands.replace_metadata)
    delete_metadata = _left(Commands.delete_metadata)
    lock = _left(Commands.lock)
    unlock = _left(Commands.unlock)
    stop = _left(Commands.stop)
    start = _left(Commands.start)
    reset_state = _left(Commands.reset_state)
    delete = _left(Commands.delete)
    record = _left(Commands.record)

    def __init__(self, log: Log, clock: Clock, failed: Failed | None = None) -> None:
        self.recorded = self.repeated = self.unchanged = self.refused = 0
        self._log = log
        self._clock, self._now = clock, 0
        self._failed = failed
        self._commands = _Left(self._leave, clock)
        self._waiting: list[Request] = []
        self._weight = 0

    def _leave(self, request: Request) -> str:
        self._wait(request, weight(request))
        return request.server_id

    def _wait(self, request: Request, weight: int) -> None:
        self._waiting.append(request)
        self._weight += weight
        if len(self._waiting) >= MOST_COMMANDS or self._weight >= MOST_BYTES:
            self.write()

    def take_in(
        self,
        server_id: str,
        facts: tuple[Event, ...],
        context: Context,
        occurred_at: int,
        weight: int,
    ) -> None:
        """Leave facts, as `record` does, whose source says them in the log's own terms.

        ``server_id`` is in canonical form, ``occurred_at`` in microseconds since 1970 UTC, and
        ``weight`` what they weigh in bytes, roughly. They are recorded at the time of the first
        that waits.
        """
        if not self._waiting:
            self._now = moment.to_micros(self._clock(), "clock")
        self._wait(
            Request(
                server_id=server_id,
                command=RecordFacts(events=facts),
                context=context,
                now=self._now,
                occurred_at=occurred_at,
                answered=False,
            ),
            weight,
        )

    def write(self) -> None:
        """Write what waits, without waiting for more.

        Raises the first error of a command, unless a function is told of them; the others of its
        transaction are written all the same.
        """
        waiting, self._waiting, self._weight = self._waiting, [], 0
        answers = self._log.accept_many(waiting) if waiting else []
        errors = []
        for request, answer in zip(waiting, answers, strict=True):
            if isinstance(answer, Outcome):
                self._count(answer)
                continue
            if not isinstance(answer, ServerdomainError):
                raise answer
            self.refused += 1
            answer.add_note(
                f"{request.command.kind} of server {request.server_id} in bulk, "
                f"under request id {request.context.request_id}"
            )
            errors.append((request.context.request_id, answer))
        for request_id, error in errors:
            if self._failed is None:
                raise error
            self._failed(request_id, error)

    def _count(self, outcome: Outcome) -> None:
        if outcome.replayed:
            self.repeated += 1
        elif outcome.events:
            self.recorded += 1
        else:
            self.unchanged += 1

    def __enter__(self) -> Bulk:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Write what waits, unless the block raised: that is then not written."""
        if kind is None:
            self.write()
