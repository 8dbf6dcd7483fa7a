"""The log in PostgreSQL as `eventsourcing` knows it: its test cases, applications, and factory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import TestCase
from uuid import UUID, uuid4

import pytest
from eventsourcing.persistence import OperationalError, StoredEvent
from eventsourcing.postgres import PostgresAggregateRecorder, PostgresTrackingRecorder
from eventsourcing.tests import persistence as theirs
from eventsourcing.utils import Environment

from serverdomain import Servers
from serverdomain.store.opening import copy_log
from serverdomain.store.postgresql import Factory, PostgreSQLRecorder, ProcessRecorder
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.making import init
from serverdomain.testing.contract import OTHER, adopted
from tests.store.recorder_contract import RecorderContract

SECONDS = 20


def environment(url: str) -> dict[str, str]:
    """What `eventsourcing` reads, for a log at a URL."""
    address = Address(url)
    given = {name: str(value) for name, value in address.parameters().items()}
    return {
        "PERSISTENCE_MODULE": "serverdomain.store.postgresql",
        "POSTGRES_DBNAME": given["dbname"],
        "POSTGRES_HOST": given["host"],
        "POSTGRES_PORT": given.get("port", "5432"),
        "POSTGRES_USER": given["user"],
        "POSTGRES_PASSWORD": given.get("password", ""),
        "POSTGRES_SCHEMA": address.schema,
        "POSTGRES_POOL_SIZE": "1",
    }


class _InPostgreSQL(TestCase):
    @pytest.fixture(autouse=True)
    def _factory(self, url: str) -> Iterator[None]:
        init(Address(url))
        self.factory = Factory(Environment(env=environment(url)))
        yield
        self.factory.close()


class TestTheirCase(_InPostgreSQL, theirs.ApplicationRecorderTestCase[PostgreSQLRecorder]):
    def create_recorder(self) -> PostgreSQLRecorder:
        recorder = self.factory.application_recorder()
        assert isinstance(recorder, PostgreSQLRecorder)
        return recorder


class TestTheirInterleaving(_InPostgreSQL, theirs.NonInterleavingNotificationIDsBaseCase):
    def create_recorder(self) -> Any:
        return self.factory.application_recorder()


class TestTheirProcessCase(_InPostgreSQL, theirs.ProcessRecorderTestCase):
    def create_recorder(self) -> Any:
        return self.factory.process_recorder()


class TestTheirTrackingCase(_InPostgreSQL, theirs.TrackingRecorderTestCase):
    def create_recorder(self) -> Any:
        return self.factory.process_recorder()


class OtherTracking(PostgresTrackingRecorder):
    pass


class TestTheirFactoryCase(theirs.InfrastructureFactoryTestCase[Factory]):
    @pytest.fixture(autouse=True)
    def _made(self, url: str) -> None:
        init(Address(url))
        self.env = Environment("TestCase", environment(url))
        self._set_up()

    def setUp(self) -> None:
        """Not before there is a server."""

    def _set_up(self) -> None:
        super().setUp()

    def expected_factory_class(self) -> type:
        return Factory

    def expected_aggregate_recorder_class(self) -> type:
        return PostgresAggregateRecorder

    def expected_application_recorder_class(self) -> type:
        return PostgreSQLRecorder

    def expected_tracking_recorder_class(self) -> type:
        return PostgresTrackingRecorder

    def tracking_recorder_subclass(self) -> type:
        return OtherTracking

    def expected_process_recorder_class(self) -> type:
        return ProcessRecorder


class TestInPostgreSQL(RecorderContract):
    factory = Factory
    process_recorder = ProcessRecorder

    @pytest.fixture
    def place(self, log_url: str) -> str:
        return log_url

    @pytest.fixture
    def another(self, url: str) -> str:
        init(Address(url))
        return url

    def environment(self, place: str) -> dict[str, str]:
        return environment(place)


@pytest.fixture
def recorder(log_url: str) -> Iterator[Any]:
    factory = Factory(Environment(env=environment(log_url)))
    yield factory.application_recorder()
    factory.close()


STATES = (b"{}", b"", b"\xff\x00", b"a\0b", b"\\x00", "é".encode())


def test_any_state_is_kept_and_moves_along(
    url: str, log_url: str, recorder: Any, tmp_path: Any
) -> None:
    recorder.insert_events(
        [StoredEvent(UUID(OTHER), at, "theirs", state) for at, state in enumerate(STATES, 1)]
    )
    assert [one.state for one in recorder.select_events(UUID(OTHER))] == [*STATES]
    with Servers.open(log_url) as servers:
        servers.register(adopted())
        servers.ledger.checkpoint(tmp_path / "key", tmp_path / "signed")
        hashes = _hashes(servers)
    copy_log(log_url, tmp_path / "cloud.db")
    copy_log(tmp_path / "cloud.db", url)
    for place in (tmp_path / "cloud.db", url):
        with Servers.open(place, read_only=True) as servers:
            verdict = servers.ledger.verify(tmp_path / "signed", [tmp_path / "key"])
            assert verdict.problems == ()
            assert _hashes(servers) == hashes


def _hashes(servers: Servers) -> list[str | None]:
    with servers._log.reading() as reading:
        return [reading.row_hash(position) for position in range(1, len(STATES) + 2)]


def test_where_no_log_was_made_none_is(url: str) -> None:
    factory = Factory(Environment(env=environment(url)))
    with pytest.raises(OperationalError, match="serverdomain store init makes one"):
        factory.application_recorder()
    factory.close()


def test_a_log_that_went_elsewhere_takes_nothing(url: str, tmp_path: Any) -> None:
    init(Address(url))
    factory = Factory(Environment(env=environment(url)))
    recorder = factory.application_recorder()
    copy_log(url, tmp_path / "cloud.db")
    with pytest.raises(OperationalError, match="is not here"):
        recorder.insert_events([StoredEvent(uuid4(), 1, "theirs", b"{}")])
    factory.close()
