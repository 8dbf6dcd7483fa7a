"""The log in PostgreSQL keeps what every log promises."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from serverdomain import Refused, Servers
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.testing import LogContract
from serverdomain.testing.contract import SERVER, adopted


class TestInPostgreSQL(LogContract):
    @pytest.fixture(autouse=True)
    def _address(self, log_url: str) -> None:
        self.address = Address(log_url)

    def open(self, tmp_path: Path) -> PostgreSQLLog:
        return PostgreSQLLog(self.address)


def test_a_checkpoint_holds_for_a_log_and_for_the_file_that_it_was_copied_into(
    log_url: str, tmp_path: Path
) -> None:
    with Servers.open(log_url) as servers:
        servers.register(adopted())
        with pytest.raises(Refused):
            servers.start(SERVER)
        servers.stop(SERVER)
        made = servers.ledger.checkpoint(tmp_path / "key", tmp_path / "signed")
        assert servers.ledger.verify(tmp_path / "signed", [tmp_path / "key"]).problems == ()
        assert servers.check() == []
        servers.backup(tmp_path / "copy.db", verify=True)
    with Servers.open(tmp_path / "copy.db", create=False) as copy:
        verdict = copy.ledger.verify(tmp_path / "signed", [tmp_path / "key"])
        assert (made.checkpoint.size, verdict.events, verdict.problems) == (3, 3, ())
        assert copy.start(SERVER).position == 4


@pytest.mark.slow
def test_every_node_lists_what_any_of_them_wrote_and_answers_the_command_alike(
    log_url: str, tmp_path: Path
) -> None:
    def command(node: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "serverdomain", *words],
            env={
                **os.environ,
                "SERVERDOMAIN_STORE": log_url,
                "XDG_CACHE_HOME": f"{tmp_path}/{node}",
            },
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout

    assert "events of 5 servers" in command("one", "generate", "--servers", "5")
    assert "everything holds" in command("one", "check")
    first = command("one", "list", "--json")
    assert command("two", "list", "--json") == first
    assert command("one", "history", "--json") == command("two", "history", "--json")


def test_nothing_is_known_without_a_question_to_the_database(log_url: str) -> None:
    with Servers.open(log_url) as servers:
        servers.register(adopted())
        assert servers.get(SERVER).id == SERVER
        assert (servers.mark(), servers.get_at_once(SERVER)) == (None, None)
