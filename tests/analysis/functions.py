"""What a user folds with, beside `evolve`: found by another process under its name."""

from __future__ import annotations

import os
from typing import Any

from serverdomain.domain import events as e
from serverdomain.domain.events import Event
from serverdomain.domain.server import Server, evolve
from serverdomain.errors import Refused


def counted(state: int | None, event: Event, at: int) -> int:
    """How many events a server has."""
    return (state or 0) + 1


def renames(state: dict[str, Any] | None, event: Event, at: int) -> dict[str, Any]:
    """What a server was called, and since when."""
    state = state or {"names": [], "since": None}
    if isinstance(event, e.ServerRenamed | e.ServerRegistered):
        return {"names": [*state["names"], event.name], "since": at}
    return state


def without_failures(server: Server | None, event: Event, at: int) -> Server | None:
    """What if no rebuild had failed."""
    if isinstance(event, e.RebuildFailed):
        event = e.RebuildCompleted(rebuild_id=event.rebuild_id, progress=100)
    return evolve(server, event, at)


def lacks_its_file(state: object, event: Event, at: int) -> object:
    """Reads a file that is not there."""
    raise FileNotFoundError(2, "No such file or directory", "prices.csv")


def refuses(state: object, event: Event, at: int) -> object:
    """Raises an error of the library's own."""
    raise Refused("time", "no events here")


def of_two_kinds(state: int | None, event: Event, at: int) -> Any:
    """A number for some servers, and text for others."""
    return {"value": at if at % 2 else "even"}


def ends_its_process(state: object, event: Event, at: int) -> object:
    """Takes its process down, as one without memory is."""
    os._exit(9)
