"""What every log promises of its backup, as tests: one file, one moment, whole or not there."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from serverdomain.errors import InvalidInput
from serverdomain.servers import Servers
from serverdomain.simulation.manual_clock import ManualClock
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.log import Log
from serverdomain.testing.contract import OTHER, SERVER, Contract, adopted, ask
from serverdomain.testing.writing_contract import everything


class BackupContract(Contract):
    """The promises of `Log.backup`."""

    def test_a_backup_opens_by_itself_and_holds_what_the_log_held(
        self, log: Log, tmp_path: Path, clock: ManualClock
    ) -> None:
        for server_id in (SERVER, OTHER):
            ask(log, adopted(server_id), f"req-{server_id}", server_id)
        out = tmp_path / "backup.db"

        with log.backup(out):
            pass

        with log.reading() as reading:
            held = reading.log_id(), everything(reading)
        with closing(self.open_backup(out)) as copy:
            with copy.reading() as reading:
                assert (reading.log_id(), everything(reading)) == held
            with Servers(copy, clock) as servers:
                servers.rename(SERVER, "goes on")
                assert servers.get(SERVER).name == "goes on"
        with log.reading() as reading:
            assert reading.head() == 2

    def test_what_is_written_while_it_is_made_is_not_in_it(self, log: Log, tmp_path: Path) -> None:
        ask(log, adopted(), "req-1")
        out = tmp_path / "backup.db"

        with log.backup(out) as copy:
            ask(log, adopted(OTHER), "req-2", OTHER)
            assert copy.head() == 1
            assert copy.count() == 1
        with closing(self.open_backup(out)) as later, later.reading() as reading:
            assert reading.head() == 1

    def test_it_takes_its_place_at_the_end_or_never(self, log: Log, tmp_path: Path) -> None:
        ask(log, adopted(), "req-1")
        before = sorted(tmp_path.iterdir())
        out = tmp_path / "backup.db"

        def fail() -> None:
            with log.backup(out):
                assert not out.exists()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

        assert sorted(tmp_path.iterdir()) == before

    def test_what_is_there_already_stays(self, log: Log, tmp_path: Path) -> None:
        out = tmp_path / "backup.db"
        out.write_text("mine", "utf-8")

        with pytest.raises(InvalidInput, match=r"^out: .*there already"), log.backup(out):
            pass

        assert out.read_text("utf-8") == "mine"

    def test_its_progress_ends_with_everything(self, log: Log, tmp_path: Path) -> None:
        ask(log, adopted(), "req-1")
        told: list[tuple[int, int]] = []

        with log.backup(tmp_path / "backup.db", lambda done, of: told.append((done, of))):
            pass

        assert told[-1][0] == told[-1][1] > 0
        assert told == sorted(told)

    def test_it_holds_the_places_of_reactions(self, log: Log, tmp_path: Path) -> None:
        place = Bookmark("mailer", 0)
        assert log.keep_bookmark(place, None)
        with log.backup(tmp_path / "backup.db") as copy:
            assert copy.bookmarks() == [place]
