"""Whether recorded calls are linearizable, with the log as the order of what was written.

Each call is given the first point of the log at which its answer is right, of those not before
what any call saw or wrote that had ended when this one began. A command that was recorded has no
choice: it stands where the log has it. The first point is always the best for those that come
later, so where a call finds none, there is no order at all. What a command has to answer at a
point says the domain's own `decide`.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from serverdomain import Conflict, Event, NotFound, Refused, Server
from serverdomain.domain.decisions import decide
from serverdomain.domain.server import is_there
from serverdomain.store.recent_refusals import MOST

from .calls import Answer, Ask, Asked, Call, Done, Get, History, List, Raised, Seen, Told
from .points import Points, Written


class Wrong(Exception):
    """Why an answer was right at no moment at which it can have been given."""


def wrongs(points: Points, calls: Iterable[Call], *, decides_first: bool = False) -> list[str]:
    """What does not hold of the log, and of what callers were told: nothing, as it should be.

    An engine that ``decides_first`` and locks later may write a refusal behind what others wrote
    meanwhile: it was right at some moment of the call.
    """
    return _Checker(points, calls, decides_first).found()


class _Checker:
    def __init__(self, points: Points, calls: Iterable[Call], decides_first: bool) -> None:
        self.points = points
        self.decides_first = decides_first
        self.written = points.written
        self.calls = sorted(calls, key=lambda one: one.began)
        self.wrong = list(points.wrong)
        # Whoever was told that it is new has recorded it, else the first who was told nothing.
        self.recorders: dict[str, Call] = {}
        self.unsure: set[str] = set()
        self.refusals_told: set[int] = set()
        asks = [(call, call.asked) for call in self.calls if isinstance(call.asked, Ask)]
        for call, asked in asks:
            if isinstance(call.answer, Done) and call.answer.events and not call.answer.replayed:
                self.recorders.setdefault(asked.context.request_id, call)
        for call, asked in asks:
            if call.answer is None:
                self.unsure.add(asked.context.request_id)
                self.recorders.setdefault(asked.context.request_id, call)

    def found(self) -> list[str]:
        ended: list[tuple[int, int]] = []
        floor = 0
        for call in self.calls:
            while ended and ended[0][0] < call.began:
                floor = max(floor, heappop(ended)[1])
            try:
                point = self._place(call, floor)
            except Wrong as wrong:
                self.wrong.append(f"{call.who}: {call.asked} -> {call.answer}: {wrong}")
                continue
            if call.ended is not None:
                heappush(ended, (call.ended, point))
        self._whether_all_was_asked()
        return self.wrong

    def _place(self, call: Call, floor: int) -> int:
        match call.asked, call.answer:
            case Ask() as asked, None:
                return self._untold(call, asked, floor)
            case _, None | Raised("StoreLocked"):
                return floor
            case Ask() as asked, Done(replayed=True) as done:
                return self._replayed(asked, done, floor)
            case Ask() as asked, Done(position=int()) as done:
                return self._recorded(call, asked, done, floor)
            case Ask() as asked, (Done() | Raised()) as answer:
                return self._not_recorded(asked, answer, floor)
            case Get(server_id, None), (Seen() | Raised()) as answer:
                return self._seen(server_id, answer, floor)
            case Get(server_id, int() as position), answer:
                return self._seen_as_of(server_id, position, answer, floor)
            case List(), Seen(servers):
                return self._listed(servers, floor)
            case History(server_id), (Told() | Raised()) as answer:
                return self._told(server_id, answer, floor)
        raise Wrong("that is no answer to this")

    def _recorded(self, call: Call, asked: Ask, done: Done, floor: int) -> int:
        written = self._written(asked)
        if self.recorders[asked.context.request_id] is not call:
            raise Wrong("another was told the same as new")
        self._require_outcome(asked, done, written)
        decided = self._decided(asked, written.point - 1)
        if decided != done.events:
            raise Wrong(f"at its point in the log it was to give {decided}")
        return _behind(floor, written)

    def _replayed(self, asked: Ask, done: Done, floor: int) -> int:
        written = self._written(asked)
        self._require_outcome(asked, done, written)
        return max(floor, written.point)

    def _untold(self, call: Call, asked: Ask, floor: int) -> int:
        written = self.points.recorded.get(asked.context.request_id)
        if written is not None and self.recorders[asked.context.request_id] is call:
            return _behind(floor, written)
        return floor

    def _written(self, asked: Ask) -> Written:
        written = self.points.recorded.get(asked.context.request_id)
        if written is None:
            raise Wrong("it was acknowledged, and is not in the log")
        return written

    def _require_outcome(self, asked: Ask, done: Done, written: Written) -> None:
        if (written.server_id, written.kind) != (asked.server_id, asked.command.kind):
            raise Wrong(f"the log has {written.kind} of {written.server_id} under this request id")
        if (written.events, written.last) != (done.events, done.position):
            raise Wrong(f"the log has {written.events} up to position {written.last}")
        if done.server != self.points.at(asked.server_id, written.point).server:
            raise Wrong("the server is not the fold at its position")

    def _not_recorded(self, asked: Ask, answer: Done | Raised, floor: int) -> int:
        if answer == Raised("Refused", getattr(answer, "rule", None)):
            for written in self.points.refusals[asked.context.request_id]:
                if written.point > floor and written.point not in self.refusals_told:
                    self.refusals_told.add(written.point)
                    self._require_refused(asked, answer, floor, written.point - 1)
                    return written.point
            if self._has_room_for_refusals(asked):
                raise Wrong("it was refused, which is not in the log")
        told = () if isinstance(answer, Done) else answer
        recorded = self.points.recorded.get(asked.context.request_id)
        points = [floor, *self.points.changes(asked.server_id, floor)]
        if recorded is not None:
            points.append(max(floor, recorded.point))
        for point in sorted(points):
            if self._decided(asked, point) == told and (
                not isinstance(answer, Done)
                or answer.server == self.points.at(asked.server_id, point).server
            ):
                return point
        raise Wrong(f"that was right at no point behind {floor}")

    def _require_refused(self, asked: Ask, answer: Raised, floor: int, last: int) -> None:
        points = [last]
        if self.decides_first:
            changes = self.points.changes(asked.server_id, floor)
            points += [floor, *(point for point in changes if point < last)]
        if all(self._decided(asked, point) != answer for point in points):
            raise Wrong("at its point in the log it was not to be refused")

    def _decided(self, asked: Ask, point: int) -> tuple[Event, ...] | Raised | None:
        """What a command is answered at a point; ``None`` for its first outcome."""
        request_id = asked.context.request_id
        recorded = self.points.recorded.get(request_id)
        if recorded is not None and recorded.point <= point:
            first = self.recorders.get(request_id)
            same = first is not None and _same(first.asked, asked)
            return None if same else Raised("RequestIdTaken")
        state = self.points.at(asked.server_id, point)
        if not is_there(state.server) and not asked.command.begins:
            return Raised("NotFound")
        if asked.expected_version not in (None, state.version):
            return Raised("Conflict")
        command = asked.command.to(asked.server_id)
        try:
            return decide(state.server, command, asked.context.actor, request_id)
        except Refused as no:
            return Raised("Refused", no.rule)
        except (Conflict, NotFound) as no:
            return Raised(type(no).__name__)

    def _has_room_for_refusals(self, asked: Ask) -> bool:
        user_id = asked.context.actor.user_id
        kept = sum(one.refused and one.user_id == user_id for one in self.points.written)
        return kept < MOST and not asked.command.begins

    def _seen(self, server_id: str, answer: Seen | Raised, floor: int) -> int:
        for point in [floor, *self.points.changes(server_id, floor)]:
            if answer == _found(self.points.at(server_id, point).server):
                return point
        raise Wrong(f"it was so at no point behind {floor}")

    def _seen_as_of(self, server_id: str, position: int, answer: Answer, floor: int) -> int:
        point = self.points.point_of(position)
        if answer == Raised("Refused", "head"):
            if position <= self.points.head(floor):
                raise Wrong(f"the log had it by point {floor}")
            return floor
        if point is None or answer != _found(self.points.as_of(server_id, position)):
            raise Wrong("it was not so")
        return max(floor, point)

    def _listed(self, servers: tuple[Server, ...], floor: int) -> int:
        last = min((self._changed_next(server) for server in servers), default=len(self.written))
        for point in range(floor, last + 1):
            if self.points.there(point) == servers:
                return point
        raise Wrong(f"at no point behind {floor} were these all there were")

    def _changed_next(self, server: Server) -> int:
        """The last point at which a server can have been so."""
        states = self.points.changes(server.id, 0)
        later = [p for p in states if self.points.at(server.id, p).version > server.version]
        return later[0] - 1 if later else len(self.written)

    def _told(self, server_id: str, answer: Told | Raised, floor: int) -> int:
        last = max(one[0] for one in answer.entries) if isinstance(answer, Told) else 0
        point = max(floor, self.points.point_of(last) or len(self.written)) if last else floor
        rows = self.points.rows(server_id, point)
        if answer != (Told(rows) if rows else Raised("NotFound")):
            raise Wrong(f"at point {point} it was {rows}")
        return point

    def _whether_all_was_asked(self) -> None:
        for one in self.written:
            if one.refused and one.point not in self.refusals_told:
                asked = one.request_id in self.unsure
            else:
                asked = one.refused or one.request_id in self.recorders
            if not asked:
                self.wrong.append(f"{one.request_id} is in the log, and nobody was told so")


def _behind(floor: int, written: Written) -> int:
    if written.point <= floor:
        raise Wrong(
            f"it began when point {floor} of the log was known, and stands at {written.point}"
        )
    return written.point


def _same(one: Asked, other: Ask) -> bool:
    return isinstance(one, Ask) and (one.server_id, one.command) == (other.server_id, other.command)


def _found(server: Server | None) -> Answer:
    return Seen((server,)) if is_there(server) else Raised("NotFound")
