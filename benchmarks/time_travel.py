"""Any moment of a made-up fleet: one server beside `get`, all of them beside a fold from zero."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fleet import Fleet
from serverdomain import AsOf, Servers
from serverdomain.audit.fleet import Fleet as FleetAsOf
from serverdomain.audit.keyframes import Frame, Keyframes
from serverdomain.domain import moment
from serverdomain.projections.history import HistoryEntry

QUESTIONS = 40
"""So many servers and moments are chosen by chance, the same in every run."""

BETWEEN = 1_000
"""Positions between the two moments of a diff of the fleet."""

_BY = ("version", "position", "recorded_at", "occurred_at")


class Asking(Fleet):
    """Questions about servers that are there, and about moments."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder)
        self._facade = Servers(self._fleet)

    def fill(self, servers: int, cycles: int) -> None:
        super().fill(servers, cycles)
        chance = Random(1)
        there = sorted(server.id for server in self._facade.list())
        histories = [self._facade.history(chance.choice(there)) for _ in range(QUESTIONS)]
        self._ids = [history[0].server_id for history in histories]
        # By all four in turn: as of the head, and as of some event of each.
        self._heads = [_last(history, _BY[n % 4]) for n, history in enumerate(histories)]
        self._moments = [
            _last(history[: chance.randint(1, len(history))], _BY[n % 4])
            for n, history in enumerate(histories)
        ]
        with self._fleet.reading() as log:
            head = log.head()
        self._positions = [chance.randint(1, head) for _ in range(QUESTIONS)]

    def now(self, number: int) -> object:
        return self._facade.get(self._ids[number])

    def as_of_the_head(self, number: int) -> object:
        return self._facade.get(self._ids[number], as_of=self._heads[number])

    def as_of_then(self, number: int) -> object:
        return self._facade.get(self._ids[number], as_of=self._moments[number])

    def diff(self, number: int) -> object:
        return self._facade.diff(self._ids[number])

    def history_of(self, number: int) -> object:
        return self._facade.history(self._ids[number])

    def close(self) -> None:
        self._facade.close()
        super().close()


class Now(Asking):
    """As it is now, whatever was asked."""

    name = "get"

    as_of_the_head = as_of_then = Asking.now


class Histories(Asking):
    """What a diff has to read at least, told whole."""

    name = "history"

    diff = Asking.history_of


class FromKeyframes(Asking):
    """The fleet as of random positions and times of recording, once keyframes are there."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder)
        self._keyframes = Keyframes(self._fleet)

    def fill(self, servers: int, cycles: int) -> None:
        super().fill(servers, cycles)
        with FleetAsOf(self._fleet, self._keyframes):
            pass

    def statuses(self, number: int) -> list[Any]:
        with FleetAsOf(self._fleet, self._keyframes, self._moment(number)) as fleet:
            return fleet.query("SELECT status, COUNT(*) AS n FROM server GROUP BY 1 ORDER BY 1")

    def changed(self, number: int) -> int:
        diff = self._facade.diff_fleet(*self._ends(number))
        return len(diff.servers)

    def _ends(self, number: int) -> tuple[AsOf, AsOf]:
        position = self._positions[number]
        return AsOf(position=max(0, position - BETWEEN)), AsOf(position=position)

    def _moment(self, number: int) -> AsOf:
        position = self._positions[number]
        if number % 2:
            return AsOf(position=position)
        with self._fleet.reading() as log:
            found = log.events_named(position - 1, 1, ()).events
        if not found:
            return AsOf(position=position)
        return AsOf(recorded_at=moment.to_datetime(found[0].recorded_at))


class FromZero(FromKeyframes):
    """The same answers, folded from zero."""

    name = "from zero"

    def __init__(self, folder: Path | None) -> None:
        super().__init__(folder)
        self._keyframes = _NoKeyframes(self._fleet)

    def fill(self, servers: int, cycles: int) -> None:
        Asking.fill(self, servers, cycles)


class ComparingFleets(FromKeyframes):
    """Both fleets, row by row."""

    name = "two fleets compared"

    def changed(self, number: int) -> int:
        found: list[dict[str, str]] = []
        for as_of in self._ends(number):
            with FleetAsOf(self._fleet, self._keyframes, as_of) as fleet:
                rows = fleet.query("SELECT id, server FROM server")
                found.append({row["id"]: row["server"] for row in rows})
        before, after = found
        return sum(before.get(one) != after.get(one) for one in before.keys() | after.keys())


class _NoKeyframes(Keyframes):
    def chain(self, position: int, without: object = ()) -> list[Frame]:
        return []

    @contextmanager
    def alone(self) -> Iterator[bool]:
        yield False


def _last(history: list[HistoryEntry], by: str) -> AsOf:
    return AsOf(**{by: max(getattr(entry, by) for entry in history if entry.version)})
