"""What surrounds made-up servers: projects and people, hosts, and images that come and go."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from random import Random
from typing import NamedTuple
from uuid import UUID

from serverdomain.domain import moment
from serverdomain.domain.actor import Actor

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

BEGINS = moment.parse("2022-07-01T00:00:00Z")
ENDS = moment.parse("2025-07-01T00:00:00Z")
"""When the log ends. Nothing is recorded later, whatever the clock says."""


class Image(NamedTuple):
    """An image: from when to when it can be used, how often it fails, how many minutes it takes."""

    id: str
    published: int
    retired: int
    fails: float
    minutes: float


class Host(NamedTuple):
    """A host, and how often a rebuild fails on it."""

    name: str
    fails: float

    def id_for(self, project_id: str) -> str:
        """The id by which a project knows it, made as Nova makes it."""
        return hashlib.sha224(f"{project_id}{self.name}".encode()).hexdigest()


class Project(NamedTuple):
    """A project, the hosts that take its servers, and who acts in it."""

    id: str
    hosts: tuple[Host, ...]
    members: tuple[Actor, ...]
    reader: Actor
    deployer: Actor


class Surroundings:
    """What surrounds so many servers, made by chance."""

    def __init__(self, servers: int, chance: Random) -> None:
        self._chance = chance
        hosts = [
            Host(f"compute-{number:04}", 0.3 if chance.random() < 0.03 else 0.015)
            for number in range(max(3, servers // 25))
        ]
        self.projects = [self._project(number, hosts) for number in range(max(3, servers // 250))]
        self.operators = [Actor(f"operator-{n}", "operations", ("admin",)) for n in range(1, 13)]
        self.families = [self._images(minutes) for minutes in (3, 3, 4, 4, 5, 6, 9, 22)]
        self._published = [[image.published for image in family] for family in self.families]
        self._rollouts: dict[tuple[str, str], str] = {}

    def newest(self, family: int, at: int) -> Image:
        """The latest image that a family has published at a time."""
        images = self.families[family]
        return images[max(0, bisect_right(self._published[family], at) - 1)]

    def next_after(self, family: int, at: int) -> Image | None:
        """The next image that a family publishes after a time."""
        place = bisect_right(self._published[family], at)
        return self.families[family][place] if place < len(self._published[family]) else None

    def rollout(self, project: Project, image: Image) -> str:
        """The correlation id under which a project rebuilds its servers from a new image."""
        found = self._rollouts.get((project.id, image.id))
        if found is None:
            found = f"req-{self.new_id()}"
            self._rollouts[project.id, image.id] = found
        return found

    def new_id(self) -> str:
        """A random UUID."""
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def _project(self, number: int, hosts: list[Host]) -> Project:
        name = f"project-{number:03}"
        members = self._chance.randrange(2, 8)
        return Project(
            name,
            tuple(self._chance.choice(hosts) for _ in range(12)),
            tuple(Actor(f"user-{number:03}-{one}", name) for one in range(1, members + 1)),
            Actor(f"reader-{number:03}", name, ("reader",)),
            Actor(f"deploy-{number:03}", name),
        )

    def _images(self, minutes: float) -> list[Image]:
        # A new image every seven weeks or so, the first before the log begins.
        chance, images = self._chance, []
        published = BEGINS - chance.randrange(60, 100) * DAY
        while published < ENDS:
            fails = 0.4 if chance.random() < 0.05 else chance.choice((0.005, 0.01, 0.02))
            retired = published + chance.randrange(180, 420) * DAY
            images.append(Image(self.new_id(), published, retired, fails, minutes))
            published += chance.randrange(25, 75) * DAY
        return images
