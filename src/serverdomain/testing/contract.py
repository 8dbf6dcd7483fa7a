"""What the parts of the contract share: the log that they test, and whom its commands are about."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from serverdomain.domain.actor import Actor
from serverdomain.domain.commands import Command, RegisterServer
from serverdomain.simulation.manual_clock import ManualClock
from serverdomain.store.context import Context
from serverdomain.store.log import Log
from serverdomain.store.opening import open_log
from serverdomain.store.request import Outcome, Request
from serverdomain.testing.scenario import OWNER

SERVER = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
OTHER = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
NEW_IMAGE = "a2459075-d96c-40d5-893e-577ff92e721c"
NOW = 1347470436_000_000
"""When the clock of the tests begins, in microseconds since 1970 UTC."""
SECOND = 1_000_000


def adopted(server_id: str = SERVER, **members: Any) -> RegisterServer:
    """The documented server, to be registered."""
    documented: dict[str, Any] = {
        "name": "foobar",
        "project_id": "openstack",
        "user_id": "fake",
        "image_id": IMAGE,
        "flavor_id": "1",
        "created": NOW,
        "updated": NOW,
    }
    return RegisterServer(server_id=server_id, **(documented | members))


def under(request_id: str, actor: Actor = OWNER) -> Context:
    """A command of somebody under a request id."""
    return Context(actor, request_id)


def ask(
    log: Log,
    command: Command,
    request_id: str | Context,
    server_id: str = SERVER,
    **times: int,
) -> Outcome:
    """Ask a command of a log, at the times that `asked` takes."""
    return log.accept(asked(command, request_id, server_id, **times))


def asked(
    command: Command,
    request_id: str | Context,
    server_id: str = SERVER,
    *,
    at: int = 0,
    occurred_at: int | None = None,
) -> Request:
    """What is asked of a log; times are seconds behind `NOW`."""
    return Request(
        server_id=server_id,
        command=command,
        context=under(request_id) if isinstance(request_id, str) else request_id,
        now=NOW + at * SECOND,
        occurred_at=None if occurred_at is None else NOW + occurred_at * SECOND,
    )


class Contract(ABC):
    """Some promises of a log; each test opens one of its own."""

    @abstractmethod
    def open(self, tmp_path: Path) -> Log:
        """Make a log, empty; its files, if it has any, may lie in ``tmp_path``."""

    def open_backup(self, path: Path) -> Log:
        """Open the file that `Log.backup` wrote; an engine with a form of its own says how."""
        return open_log(f"sqlite:///{path}", create=False)

    @pytest.fixture
    def clock(self) -> ManualClock:
        """A clock that stands."""
        return ManualClock()

    @pytest.fixture
    def log(self, tmp_path: Path) -> Iterator[Log]:
        """An empty log."""
        with closing(self.open(tmp_path)) as log:
            yield log
