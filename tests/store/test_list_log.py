"""An engine of a user's own keeps what every log promises."""

from __future__ import annotations

from pathlib import Path

from serverdomain.testing import LogContract
from tests.store.list_log import ListLog


class TestInLists(LogContract):
    def open(self, tmp_path: Path) -> ListLog:
        return ListLog()
