"""One writer at a time, for all who wait: many callers, one commit. It knows no engine.

Whoever finds nobody writing writes for all who wait; `serverdomain.store.turns` says whose turn it
is. What they ask is accepted, each for itself, in one transaction, and then each is answered. Who
comes alone waits for nobody, and nobody leads for longer than it takes to be answered.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from msgspec.structs import replace

from serverdomain.errors import OutcomeUnknown, Refused, ServerdomainError, StoreLocked
from serverdomain.store.accept import accept, members_of
from serverdomain.store.interrupts import Interrupts
from serverdomain.store.lock_timeout import lock_timeout_setting
from serverdomain.store.log import Answer, CommitFailed, Log, Overtaken, Unanswered, Writing
from serverdomain.store.real_time import monotonic, sleep
from serverdomain.store.recorded import RecordedCommand
from serverdomain.store.repeated import first_outcome
from serverdomain.store.request import Outcome, Request
from serverdomain.store.turns import MOST_TOGETHER, MOST_WAITING, Answers, Call, Turns

Sent = tuple[Unanswered, Answers]
"""What was written, or not: nobody was told; and what is answered if it was."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 1.0  # Seconds before what was not answered is sent again.

_log = logging.getLogger("serverdomain")


class Writer:
    """The one way into a log; shared between threads.

    So many commands are written ``together``, and so many callers may be ``waiting``, each for as
    long as for any lock, if ``seconds`` does not say otherwise.
    """

    def __init__(
        self,
        log: Log,
        seconds: float | None = None,
        together: int = MOST_TOGETHER,
        waiting: int = MOST_WAITING,
    ) -> None:
        self._log = log
        self._seconds = seconds = lock_timeout_setting() if seconds is None else seconds
        self._turns = Turns(log, seconds, together, waiting)

    def accept(self, request: Request) -> Outcome:
        """Look a command up, decide and write it; see `serverdomain.store.accept`.

        Raises what the decision raises, `Refused` once the refusal is recorded, `OutcomeUnknown`
        where the disk did not tell if it was written, and `StoreLocked` where it waited too long.
        """
        (answer,) = self.accept_many((request,))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def accept_many(self, requests: Sequence[Request]) -> list[Answer]:
        """Accept commands in this order: of each what `accept` gives, or what it raises.

        What is asked at once is written together: no more is allowed than others may wait for.
        """
        call = Call(requests, self._seconds)
        try:
            if requests and (self._turns.come(call) or self._turns.waits(call)):
                self._lead(call)
        except StoreLocked as error:
            return [error for _ in requests]
        except BaseException:
            self._turns.leave(call)
            raise
        return [
            self._first_outcome(answer, request) if isinstance(answer, RecordedCommand) else answer
            for answer, request in zip(call.answers, requests, strict=True)
        ]

    def _lead(self, call: Call) -> None:
        """Write what waits, of which this caller's is the first, and hand on."""
        answers: Answers = []
        with Interrupts() as interrupts:
            try:
                with self._log.writing(call.seconds_left) as log:
                    requests = self._turns.take()
                    if len(self._turns.taken) > 1:
                        interrupts.put_off()
                    _accept_each(log, requests, answers)
                answers = _as_written(log, answers)
            except Exception as error:
                answers = self._unwritten(call, answers, error)
            rest = iter(answers)
            for one in self._turns.taken:
                one.answers = [next(rest) for _ in one.requests]
            self._turns.hand_on()

    def _unwritten(self, call: Call, answers: Answers, error: Exception) -> Answers:
        """The answers where the log does not say that what was taken is written."""
        if not self._turns.taken:
            self._turns.take(call)
            if not isinstance(error, Overtaken):
                return [error for _ in call.requests]
        requests = [request for one in self._turns.taken for request in one.requests]
        if isinstance(error, Overtaken | Unanswered):
            return self._anew(requests, [(error, answers)] if type(error) is Unanswered else [])
        return self._each_or_alone(requests, answers, error)

    def _each_or_alone(
        self, requests: list[Request], answers: Answers, error: Exception
    ) -> Answers:
        if len(requests) == 1:
            return [_if_unwritten(requests[0], answers[0], error) if answers else error]
        if isinstance(error, CommitFailed):
            # What one was told may rest on what another did.
            return [OutcomeUnknown(one.context.request_id, str(error)) for one in requests]
        # One of them is at fault, and fails alone; a lock is waited for once.
        alone: Answers = []
        for request in requests:
            (answer,) = self._anew([request])
            if isinstance(answer, StoreLocked):
                return [*alone, *[answer] * (len(requests) - len(alone))]
            alone.append(answer)
        return alone

    def _anew(self, requests: list[Request], sent: Sequence[Sent] = ()) -> Answers:
        """Have commands decided and written, as often as another is there before.

        What was ``sent`` and not answered is looked for first: it may have happened.
        """
        began, sent = monotonic(), [*sent]
        while True:
            answers: Answers = []
            is_open = False
            try:
                for unanswered, given in sent:
                    if unanswered.is_written():
                        return _as_written(unanswered.writing, given)
                with self._log.writing() as log:
                    is_open = True
                    _accept_each(log, _now(requests, began) if sent else requests, answers)
                return _as_written(log, answers)
            except Unanswered as error:
                sent.append((error, answers))
                sleep(min(_FIRST_PAUSE * 2 ** len(sent), _LONGEST_PAUSE))
            except Overtaken as error:
                overtaken = error
            except Exception as error:
                if sent:
                    break
                alone = self._each_or_alone
                return alone(requests, answers, error) if is_open else [error] * len(requests)
            if monotonic() > began + self._seconds:
                break
        if sent:
            return self._each_or_alone(requests, sent[-1][1], sent[-1][0])
        return [overtaken] * len(requests)

    def _first_outcome(self, first: RecordedCommand, request: Request) -> Answer:
        try:
            members = members_of(request.command, request.occurred_at)
            with self._log.reading() as log:
                return first_outcome(log, first, request, members)
        except Exception as error:
            return error


def _accept_each(log: Writing, requests: Sequence[Request], answers: Answers) -> None:
    log.expect(requests)
    for request in requests:
        try:
            answers.append(accept(log, request))
        except ServerdomainError as error:
            answers.append(error)


def _now(requests: Sequence[Request], began: float) -> list[Request]:
    """Requests as they are asked again later: of two logs each has another row then."""
    later = int((monotonic() - began) * 1_000_000) + 1
    return [replace(request, now=request.now + later) for request in requests]


def _as_written(log: Writing, answers: Answers) -> Answers:
    return answers if log.as_written is None else [*map(log.as_written, answers)]


def _if_unwritten(
    request: Request, answer: Answer | RecordedCommand, error: Exception
) -> Answer | RecordedCommand:
    perhaps = "was not"
    if isinstance(error, CommitFailed):
        error, perhaps = OutcomeUnknown(request.context.request_id, str(error)), "may not be"
    if isinstance(answer, Refused):
        # It is refused all the same, whatever the disk says.
        _log.warning("a refusal %s recorded: %s", perhaps, error)
        return answer
    wrote = type(answer) is Outcome and answer.position is not None
    return error if wrote else answer
