"""A log behind PgBouncer in transaction mode: nothing is kept in a session, so nothing is lost."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import Servers
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.testing import LogContract
from serverdomain.testing.contract import OTHER, SERVER, adopted, under
from tests.store.postgresql import bouncer

SECONDS = 60
NODES = 4


@pytest.fixture(scope="module")
def pooled_log(one_log: str) -> Iterator[str]:
    found = bouncer.program()
    if found is None:
        pytest.skip(f"no pgbouncer is installed, and {bouncer.SETTING} names none")
    # Those who run it as nobody do not come into pytest's folders.
    folder = Path(tempfile.mkdtemp(prefix="pgb-", dir="/tmp"))
    with bouncer.pooled(found, one_log, folder) as url:
        yield url
    shutil.rmtree(folder)


@pytest.fixture
def pooled(log_url: str, pooled_log: str) -> str:
    """The URL of an empty log, through PgBouncer."""
    return pooled_log


@pytest.mark.slow
class TestBehindPgBouncer(LogContract):
    @pytest.fixture(autouse=True)
    def _address(self, pooled: str) -> None:
        self.address = Address(pooled)

    def open(self, tmp_path: Path) -> PostgreSQLLog:
        return PostgreSQLLog(self.address)


def test_many_nodes_share_few_sessions_and_every_command_happens_once(pooled: str) -> None:
    def work(node: int) -> None:
        with Servers.open(pooled) as servers:
            for number in range(20):
                servers.update_metadata(SERVER, {f"{node}": f"{number}"}, under(f"{node}-{number}"))
                again = servers.update_metadata(
                    SERVER, {f"{node}": f"{number}"}, under(f"{node}-{number}")
                )
                assert again.replayed

    with Servers.open(pooled) as servers:
        servers.register(adopted())
        with ThreadPoolExecutor(NODES) as nodes:
            for done in [nodes.submit(work, node) for node in range(NODES)]:
                done.result(SECONDS)
        assert servers.get(SERVER).version == 1 + NODES * 20
        assert servers.get(SERVER).metadata == {f"{node}": "19" for node in range(NODES)}
        assert servers.check() == []


def test_who_waits_is_told_though_nobody_listens(pooled: str) -> None:
    with Servers.open(pooled) as one, Servers.open(pooled) as other:
        other.register(adopted())
        following = one.follow(SERVER, SECONDS)
        next(following)
        position = other.stop(SERVER).position
        assert next(following).status == "SHUTOFF"
        one.wait_for(position, SECONDS)
        assert not one._log._hints.listening.is_set()  # type: ignore[attr-defined]


def test_of_two_nodes_one_works(pooled: str) -> None:
    with (
        closing(PostgreSQLLog(Address(pooled))) as one,
        closing(PostgreSQLLog(Address(pooled))) as other,
        one.alone("billing") as mine,
        other.alone("billing") as theirs,
    ):
        assert (mine, theirs) == (True, False)


def test_much_is_taken_in_at_once(pooled: str) -> None:
    with Servers.open(pooled) as servers:
        with servers.bulk() as bulk:
            bulk.register(adopted())
            bulk.register(adopted(OTHER))
        assert len(servers.list()) == 2
