"""What is asked of one server, by whom and when, from its beginning to the end of the log.

A life is a coroutine: it yields the next command, and is sent the answer. It knows no rule. It
also asks for what is not allowed, and is refused.
"""

from __future__ import annotations

from collections.abc import Generator
from random import Random
from typing import NamedTuple, TypedDict, Unpack

from msgspec import UNSET

from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.domain.limits import MOST_METADATA
from serverdomain.domain.server import Server
from serverdomain.simulation.fleet.surroundings import (
    BEGINS,
    DAY,
    ENDS,
    HOUR,
    MINUTE,
    SECOND,
    Image,
    Surroundings,
)

_ROLES = ("web", "api", "db", "cache", "worker", "build", "mail", "proxy")
_INVENTORY = Actor("inventory", "operations")
_OFFICE_HOURS = (7, 8, 8, 9, 9, 9, 10, 10, 10, 11, 11, 12, 13, 13, 14, 14, 14, 15, 15, 16, 17, 20)
_REASONS = (
    "Failed to allocate the network(s), not rescheduling.",
    "Image download failed: checksum mismatch",
    "Timed out waiting for the virtual interface to be plugged",
    "libvirt: internal error: process exited while connecting to monitor",
)


Asked = c.Command | tuple[e.Event, ...]


class Told(TypedDict, total=False):
    """What may be told besides."""

    correlation_id: str | None
    caused_by: str | None
    occurred_at: int | None


class Ask(NamedTuple):
    """A command, or facts that are told; ``occurred_at`` if the caller gives a time."""

    at: int
    what: Asked
    who: Actor
    correlation_id: str | None = None
    caused_by: str | None = None
    occurred_at: int | None = None


class Answer(NamedTuple):
    """The answer: the server as it then is, the request id, and whether a rule said no."""

    server: Server | None
    request_id: str
    refused: bool


Asking = Generator[Ask, Answer, None]


class Life:
    """The life of one server; `asks` tells it."""

    def __init__(self, surroundings: Surroundings, chance: Random) -> None:
        self._surroundings = surroundings
        self._chance = chance
        self.server_id = surroundings.new_id()
        self._project = chance.choice(surroundings.projects)
        self._host = chance.choice(self._project.hosts)
        self._family = min(chance.randrange(8), chance.randrange(8))
        self._role = chance.choice(_ROLES)
        # Some servers get each new image, some are rebuilt by hand, some never.
        self._rolled = chance.random() < 0.5
        self._rebuilt = self._rolled or chance.random() < 0.7
        self._adopted = chance.random() < 0.35
        self._at = BEGINS + chance.randrange(2 * DAY if self._adopted else ENDS - BEGINS)
        self._ends = self._at + int(chance.expovariate(1 / 540) * DAY)
        self._server: Server
        self._answer: Answer

    def asks(self) -> Asking:
        """Every command, in order of time, until the server or the log ends."""
        yield from self._adopt() if self._adopted else self._create()
        rollout = self._next_rollout()
        while True:
            soon = self._at + int(self._chance.expovariate(1 / 41) * DAY)
            if rollout is not None and rollout[1] < min(soon, self._ends):
                image, planned = rollout
                self._at = max(self._at, planned)
                yield from self._roll_out(image)
                rollout = self._next_rollout()
            elif soon < self._ends:
                self._at = self._at_work(soon)
                yield from self._something()
            else:
                self._at = max(self._at, self._ends)
                yield from self._delete()
                return

    # Beginnings and the end

    def _adopt(self) -> Asking:
        chance, owner = self._chance, self._someone()
        image = self._surroundings.families[self._family][0]
        updated = BEGINS - chance.randrange(5 * DAY, 400 * DAY)
        last = self._someone().user_id
        yield from self._ask(
            c.RegisterServer(
                server_id=self.server_id,
                name=self._name(),
                project_id=self._project.id,
                user_id=last,
                image_id=image.id,
                flavor_id=str(chance.randrange(1, 6)),
                created=updated - chance.randrange(500 * DAY),
                updated=updated,
                status=chance.choice(("ACTIVE", "ACTIVE", "ACTIVE", "ACTIVE", "SHUTOFF")),
                metadata=self._notes(),
                addresses={"private": (e.Address(self._address(), 4),)},
                host_id=self._host_id(),
                progress=100,
            ),
            owner,
        )

    def _create(self) -> Asking:
        chance = self._chance
        image = self._surroundings.newest(self._family, self._at)
        yield from self._ask(
            c.CreateServer(
                server_id=self.server_id,
                name=self._name(),
                image_id=image.id,
                flavor_id=str(chance.randrange(1, 6)),
                metadata=self._notes(),
            ),
            self._someone(),
            correlation_id=f"req-{self._surroundings.new_id()}" if chance.random() < 0.3 else None,
        )
        asked = self._answer.request_id
        yield from self._later(20 * SECOND, 3 * MINUTE, c.ReportBuilt(), SYSTEM, caused_by=asked)
        # The inventory reports its host, mostly within the hour, sometimes a day later.
        seen = self._at
        late = chance.random() < 0.03
        yield from self._later(
            *((4 * HOUR, 30 * HOUR) if late else (MINUTE, HOUR)),
            self._seen_there(),
            _INVENTORY,
            occurred_at=seen if late else None,
        )

    def _delete(self) -> Asking:
        if self._server.locked_by is not None:
            yield from self._ask(c.DeleteServer(), self._someone())
            yield from self._later(HOUR, 2 * DAY, c.UnlockServer(), self._operator())
        yield from self._later(0, HOUR, c.DeleteServer(), self._someone())

    # Days between

    def _something(self) -> Asking:
        weight = self._chance.random()
        if weight < 0.42 and self._rebuilt:
            yield from self._rebuild_by_hand()
        elif weight < 0.62:
            yield from self._power()
        elif weight < 0.70:
            yield from self._ask(c.RenameServer(name=self._name()), self._someone())
        elif weight < 0.88:
            yield from self._note()
        elif weight < 0.93:
            yield from self._lock()
        elif weight < 0.95:
            yield from self._move()
        else:
            yield from self._hopeless()

    def _power(self) -> Asking:
        who = self._someone()
        if self._server.state == "SHUTOFF":
            yield from self._ask(c.StartServer(), who)
            return
        yield from self._ask(c.StopServer(), who)
        if self._chance.random() < 0.05:
            yield from self._later(5 * SECOND, MINUTE, c.StopServer(), who)
        if self._chance.random() < 0.85:
            yield from self._later(2 * MINUTE, 9 * HOUR, c.StartServer(), who)

    def _note(self) -> Asking:
        chance, who = self._chance, self._someone()
        there = self._server.metadata
        if chance.random() < 0.15 and there:
            yield from self._ask(c.DeleteMetadata(keys=(chance.choice(sorted(there)),)), who)
        elif chance.random() < 0.15:
            yield from self._ask(c.ReplaceMetadata(metadata=self._notes()), who)
        else:
            key = chance.choice(("ticket", "backup", "owner", "window", "cost-center"))
            value = f"{key[0]}-{chance.randrange(1000)}"
            yield from self._ask(c.UpdateMetadata(metadata={key: value}), who)

    def _lock(self) -> Asking:
        chance, someone = self._chance, self._someone()
        locker = self._operator() if chance.random() < 0.4 else someone
        yield from self._ask(c.LockServer(), locker)
        if chance.random() < 0.6:
            refused = self._request() if chance.random() < 0.5 else c.StopServer()
            yield from self._later(MINUTE, 5 * DAY, refused, self._someone())
        if chance.random() < 0.9:
            if locker is not someone and chance.random() < 0.4:
                yield from self._later(MINUTE, HOUR, c.UnlockServer(), someone)
            yield from self._later(HOUR, 20 * DAY, c.UnlockServer(), locker)

    def _move(self) -> Asking:
        # It moves at night. The inventory reports that by day, often after other facts.
        self._host = self._chance.choice(self._project.hosts)
        happened = self._at - self._chance.randrange(HOUR, 12 * HOUR)
        if self._chance.random() < 0.5:
            yield from self._note()
        yield from self._ask(self._seen_there(), _INVENTORY, occurred_at=happened)

    def _hopeless(self) -> Asking:
        which, who = self._chance.randrange(20), self._someone()
        if which < 3:
            reader = self._project.reader
            yield from self._ask(c.RebuildServer(image_id=self._image().id), reader)
        elif which < 6:
            yield from self._ask(c.StopServer(), self._project.reader)
        elif which < 9:
            yield from self._ask(c.ResetState(state="ACTIVE"), who)
        elif which < 10:
            too_many = {f"key-{number}": "" for number in range(MOST_METADATA + 1)}
            yield from self._ask(c.UpdateMetadata(metadata=too_many), who)
        elif which < 15:
            unknown = c.RebuildServer(image_id=self._retired(), image_known=False)
            yield from self._ask(unknown, who)
        else:
            yield from self._ask(c.StartServer(), who)

    # Rebuilds

    def _next_rollout(self) -> tuple[Image, int] | None:
        image = self._surroundings.next_after(self._family, self._at) if self._rolled else None
        if image is None:
            return None
        return image, image.published + self._chance.randrange(DAY, 20 * DAY)

    def _roll_out(self, image: Image) -> Asking:
        if self._chance.random() < 0.25 or image.id == self._server.image_id:
            return
        command = c.RebuildServer(image_id=image.id, metadata=self._kept() or UNSET)
        rollout = self._surroundings.rollout(self._project, image)
        yield from self._rebuild(command, self._project.deployer, image, rollout)

    def _rebuild_by_hand(self) -> Asking:
        image = self._image()
        yield from self._rebuild(self._request(image), self._someone(), image, None)

    def _rebuild(
        self, command: c.RebuildServer, who: Actor, image: Image, correlation_id: str | None
    ) -> Asking:
        chance = self._chance
        yield from self._ask(command, who, correlation_id=correlation_id)
        if self._answer.refused:
            return
        asked = self._answer.request_id
        cause: Told = {"correlation_id": correlation_id, "caused_by": asked}
        if chance.random() < 0.02:
            # No host took it.
            no = c.FailRebuild(
                reason="No valid host was found.", stage="scheduling", rebuild_id=asked
            )
            yield from self._report(no, 2 * SECOND, 20 * SECOND, cause)
            yield from self._after_failure(command, image)
            return
        if chance.random() < 0.04:
            yield from self._later(5 * SECOND, MINUTE, command, who)
        yield from self._on_host(command, image, asked, cause)

    def _on_host(self, command: c.RebuildServer, image: Image, asked: str, cause: Told) -> Asking:
        chance = self._chance
        takes = int(image.minutes * MINUTE * chance.lognormvariate(0, 0.4))
        reports = chance.choice((1, 2, 3))
        step = takes // (reports + 1) + 1
        fails = chance.random() < image.fails + self._host.fails
        for number in range(chance.randrange(reports + 1) if fails else reports):
            done = 100 * (number + 1) // (reports + 1)
            percent = c.ReportProgress(percent=done, rebuild_id=asked)
            yield from self._report(percent, step // 2, step + 1, cause)
        if chance.random() < 0.006:
            yield from self._never_ends()
        elif fails:
            failed = c.FailRebuild(reason=chance.choice(_REASONS), rebuild_id=asked)
            yield from self._report(failed, step // 2, 3 * step, cause)
            yield from self._after_failure(command, image)
        else:
            complete = c.CompleteRebuild(rebuild_id=asked)
            late = chance.random() < 0.1
            yield from self._report(complete, step // 2, step + 1, cause, late=late)

    def _report(
        self, what: c.Command, shortest: int, longest: int, cause: Told, *, late: bool = False
    ) -> Asking:
        self._at += self._chance.randrange(shortest, longest)
        if late:
            # A delayed report gives the time at which it happened.
            cause = {**cause, "occurred_at": self._at}
            self._at += self._chance.randrange(SECOND, MINUTE)
        yield from self._ask(what, SYSTEM, **cause)

    def _after_failure(self, command: c.RebuildServer, image: Image) -> Asking:
        chance = self._chance
        if chance.random() < 0.15:
            yield from self._later(MINUTE, HOUR, c.ResetState(state="ACTIVE"), self._someone())
        if chance.random() < 0.5:
            self._at += chance.randrange(2 * MINUTE, 6 * HOUR)
            yield from self._rebuild(command, self._someone(), image, None)
        elif chance.random() < 0.7:
            yield from self._later(
                10 * MINUTE, 2 * DAY, c.ResetState(state="ACTIVE"), self._operator()
            )

    def _never_ends(self) -> Asking:
        chance = self._chance
        if chance.random() < 0.5:
            yield from self._later(HOUR, 9 * HOUR, c.StopServer(), self._someone())
        if chance.random() < 0.75:
            state: e.State = "ERROR" if chance.random() < 0.5 else "ACTIVE"
            yield from self._later(3 * HOUR, 3 * DAY, c.ResetState(state=state), self._operator())

    def _request(self, image: Image | None = None) -> c.RebuildServer:
        chance = self._chance
        return c.RebuildServer(
            image_id=(image or self._image()).id,
            name=self._name() if chance.random() < 0.2 else UNSET,
            metadata=self._kept() or UNSET,
            admin_pass="as the caller said" if chance.random() < 0.3 else None,
        )

    # Choices

    def _image(self) -> Image:
        newest = self._surroundings.newest(self._family, self._at)
        if self._chance.random() < 0.7:
            return newest
        usable = [
            image
            for image in self._surroundings.families[self._family]
            if image.published <= self._at < image.retired
        ]
        return self._chance.choice(usable or [newest])

    def _retired(self) -> str:
        first = self._surroundings.families[self._family][0]
        return first.id if first.retired <= self._at else self._surroundings.new_id()

    def _kept(self) -> dict[str, str]:
        # A rebuild replaces the whole map, and users forget some of it now and then.
        chance = self._chance
        if chance.random() < 0.55:
            return {}
        kept = dict(self._server.metadata)
        kept["release"] = f"r{(self._at - BEGINS) // (14 * DAY)}"
        if chance.random() < 0.2:
            kept = {key: value for key, value in kept.items() if chance.random() < 0.6}
        return kept

    def _notes(self) -> dict[str, str]:
        chance = self._chance
        notes = {"role": self._role, "env": chance.choice(("prod", "prod", "test", "dev"))}
        if chance.random() < 0.6:
            notes["backup"] = chance.choice(("daily", "weekly"))
        if chance.random() < 0.5:
            notes["cost-center"] = f"{chance.randrange(100, 200)}"
        return notes

    def _host_id(self) -> str:
        return self._host.id_for(self._project.id)

    def _seen_there(self) -> tuple[e.Event, ...]:
        return (e.ServerObserved(server_id=self.server_id, host_id=self._host_id()),)

    def _name(self) -> str:
        return f"{self._role}-{self._chance.randrange(10_000):04}"

    def _address(self) -> str:
        number = self._chance.getrandbits(24)
        return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"

    def _someone(self) -> Actor:
        return self._chance.choice(self._project.members)

    def _operator(self) -> Actor:
        return self._chance.choice(self._surroundings.operators)

    def _at_work(self, at: int) -> int:
        # Mostly on weekdays and by day.
        day = at // DAY
        weekday = (day + 3) % 7  # 1970 began on a Thursday.
        if weekday > 4 and self._chance.random() < 0.8:
            day += 7 - weekday
        hour = self._chance.choice(_OFFICE_HOURS)
        then = day * DAY + hour * HOUR + self._chance.randrange(HOUR)
        return max(then, self._at + self._chance.randrange(SECOND, HOUR))

    # Asking

    def _later(
        self,
        shortest: int,
        longest: int,
        what: Asked,
        who: Actor,
        **told: Unpack[Told],
    ) -> Asking:
        self._at += self._chance.randrange(shortest, longest)
        yield from self._ask(what, who, **told)

    def _ask(self, what: Asked, who: Actor, **told: Unpack[Told]) -> Asking:
        # Two commands of one caller at the same microsecond would have no order.
        self._at += 1
        self._answer = yield Ask(self._at, what, who, **told)
        if self._answer.server is not None:
            self._server = self._answer.server
