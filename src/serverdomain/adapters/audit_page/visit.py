"""A visit: who looks at which page, and what they asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from serverdomain.domain.actor import Actor
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput, NotFound

_NUMBER = re.compile(r"\d{1,18}", re.ASCII)


@dataclass(frozen=True)
class Visit:
    """A request for a page; ``place`` names it, ``root`` is the scheme and host of the request."""

    actor: Actor
    place: str
    asked: QueryParams
    root: str

    @property
    def within(self) -> str | None:
        """The project whose servers may be seen; ``None`` for an administrator, who sees all."""
        return None if self.actor.is_admin else self.actor.project_id

    def one(self, name: str) -> str | None:
        """What was asked under a name; nothing where that is empty."""
        return self.asked.get(name, "").strip() or None

    def number(self, name: str) -> int | None:
        """A whole number that was asked for. Raises `InvalidInput`."""
        given = self.one(name)
        if given is None:
            return None
        if not _NUMBER.fullmatch(given):
            raise InvalidInput(name, f"{shown(given)} came, a whole number is allowed")
        return int(given)

    def needed(self, name: str) -> str:
        """What was asked under a name. Raises `NotFound` where nothing was."""
        given = self.one(name)
        if given is None:
            raise NotFound(f"{name}: nothing came")
        return given

    def link(self, place: str | None = None, **changes: object) -> str:
        """A link to a place, or to this one with what was asked but for these changes."""
        asked = {} if place is not None else {name: self.one(name) for name in self.asked}
        given = {name: value for name, value in (asked | changes).items() if value is not None}
        return link(self.place if place is None else place, **given)


def link(place: str, **asked: object) -> str:
    """A link to a place, as it stands in a page; ``""`` is the fleet."""
    return f"{place or './'}?{urlencode(asked)}" if asked else place or "./"
