"""A log that nobody can reach for a while: whoever uses it is told so, and goes on when it is back.

Its folder is moved away, or closed to its user.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event as Flag

import pytest

from serverdomain import AsOf, Servers, StoreError, StoreMissing, StoreReadOnly
from serverdomain.projections.happened import Happened
from serverdomain.testing.store_contract import SERVER, adopted
from tests.store.nobody import nobody

SECONDS = 20

QUESTIONS: dict[str, Callable[[Servers], object]] = {
    "get": lambda servers: servers.get(SERVER),
    "list": lambda servers: servers.list(),
    "timeline": lambda servers: servers.timeline.search(),
    "fleet": lambda servers: servers.fleet(as_of=AsOf(position=1)).__enter__(),
    "follow": lambda servers: next(servers.follow(SERVER, 0)),
    "reactions": lambda servers: servers.reactions(),
    "react": lambda servers: servers.react("another", print),
    "replay": lambda servers: servers.view.replay(),
    "backup": lambda servers: servers.backup(Path(tempfile.gettempdir()) / "unmade.db"),
    "rename": lambda servers: servers.rename(SERVER, "lost"),
}


class Noticed(logging.Filter):
    """Whether a line of the log came."""

    def __init__(self) -> None:
        super().__init__()
        self.something = Flag()

    def filter(self, record: logging.LogRecord) -> bool:
        self.something.set()
        return True


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        with nobody():
            folder = Path(name) / "log"
            folder.mkdir()
            yield folder


@contextmanager
def moved(folder: Path) -> Iterator[str]:
    away = folder.with_name("away")
    folder.rename(away)
    yield "is gone"
    assert not folder.exists(), "nothing was made in its place"
    away.rename(folder)


@contextmanager
def closed(folder: Path) -> Iterator[str]:
    folder.chmod(0)
    yield "cannot be looked at: Permission denied"
    folder.chmod(0o777)


@pytest.mark.parametrize("out_of_reach", [moved, closed])
def test_all_say_that_the_log_is_out_of_reach_and_go_on_when_it_is_back(
    folder: Path,
    out_of_reach: Callable[[Path], AbstractContextManager[str]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[str] = []
    mirror_says = Noticed()

    def tell(happened: Happened) -> None:
        told.append(happened.name)

    with Servers.open(folder / "cloud.db") as servers:
        servers.register(adopted())
        for question in list(QUESTIONS.values())[:5]:
            question(servers)
        with servers.react("mirror", tell, start="beginning") as mirror:
            assert mirror.caught_up(SECONDS)
            with out_of_reach(folder) as why, caplog.filtering(mirror_says):
                for question in QUESTIONS.values():
                    with pytest.raises(StoreError, match=f"^{folder}/cloud.db {why}"):
                        question(servers)
                assert mirror_says.something.wait(SECONDS)
            assert servers.rename(SERVER, "goes on").server.name == "goes on"
            assert [server.name for server in servers.list()] == ["goes on"]
            assert len([*servers.timeline.search()]) == 2
            while told[1:] != ["ServerRenamed"]:
                mirror.caught_up(SECONDS)
        assert servers.check() == []
    assert all(line.startswith("reaction mirror") for line in caplog.messages), caplog.messages


def test_what_was_opened_while_it_could_not_be_written_writes_once_it_can_be(folder: Path) -> None:
    """A fork has everything opened anew."""

    def fork() -> None:
        if (child := os.fork()) == 0:
            os._exit(0)
        os.waitpid(child, 0)

    with Servers.open(folder / "cloud.db") as servers:
        servers.register(adopted())
        servers.list()
        changes = {
            "cloud.db": lambda: servers.rename(SERVER, "written"),
            "cloud.view.db": servers.list,
        }
        for name, change in changes.items():
            (folder / name).chmod(0o444)
            fork()
            servers.get(SERVER)
            with pytest.raises(StoreReadOnly, match=f"^{folder / name} may not be written"):
                change()
            (folder / name).chmod(0o644)
            # SQLite has given it the mode of the file that it lies beside.
            with pytest.raises(
                StoreReadOnly, match=rf"^{folder / name}-(wal|shm) may not be written"
            ):
                change()
            for beside in folder.glob(f"{name}-*"):
                beside.chmod(0o644)
            change()
        assert [server.name for server in servers.list()] == ["written"]


def test_a_reaction_of_a_log_that_is_gone_makes_no_folder_for_it(folder: Path) -> None:
    with Servers.open(folder / "cloud.db") as servers:
        servers.register(adopted())
        folder.rename(folder.with_name("away"))
        with pytest.raises(StoreMissing, match=re.escape(f"{folder}/cloud.db is gone")):
            servers._log.alone("mirror")
        assert not folder.exists()


def test_a_view_in_a_folder_that_is_closed_is_one_clear_line(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    views = folder.with_name("views")
    views.mkdir()
    with Servers.open(folder / "cloud.db", view=views / "view.db") as servers:
        servers.register(adopted())
        servers.list()
        views.chmod(0)
        with pytest.raises(StoreError, match=f"^{views}/view.db cannot be read: Permission denied"):
            servers.list()
        assert caplog.messages == []
        views.chmod(0o777)
        assert len(servers.list()) == 1
