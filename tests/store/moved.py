"""A log with something of everything in it, to be moved, and what it holds."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from serverdomain import Refused, Servers
from serverdomain.domain import events as e
from serverdomain.domain.commands import RebuildServer
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.opening import Store, open_to_read
from serverdomain.testing.contract import IMAGE, OTHER, SERVER, adopted, under
from serverdomain.testing.writing_contract import everything


def fill(store: Store) -> None:
    """Commands, a refusal, a fact that came late, and a reaction's place."""
    with Servers.open(store) as servers:
        servers.register(adopted(), under("req-1"))
        servers.register(adopted(OTHER), under("req-2"))
        servers.rebuild(SERVER, RebuildServer(image_id=IMAGE, name="é 中"), under("req-3"))
        with pytest.raises(Refused):
            servers.start(SERVER, under("req-4"))
        servers.record(OTHER, [e.ServerStopped()], under("req-5"))
        assert servers._log.keep_bookmark(Bookmark("billing", 3), None)


def held(store: Store) -> tuple[Any, ...]:
    """All that a log holds, as whoever only reads it is told."""
    with closing(open_to_read(store)) as log, log.reading() as reading:
        return reading.log_id(), everything(reading), reading.bookmarks()
