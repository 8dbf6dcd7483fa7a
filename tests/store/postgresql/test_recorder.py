"""The log in PostgreSQL as `eventsourcing` knows it: its test cases, applications, and factory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import TestCase
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    InfrastructureFactory,
    IntegrityError,
    OperationalError,
    StoredEvent,
)
from eventsourcing.postgres import PostgresAggregateRecorder, PostgresTrackingRecorder
from eventsourcing.system import ProcessApplication, SingleThreadedRunner, System
from eventsourcing.tests import persistence as theirs
from eventsourcing.utils import Environment

from serverdomain import NotFound, Servers, StoreError
from serverdomain.domain.events import ServerStopped
from serverdomain.store.opening import copy_log
from serverdomain.store.postgresql import Factory, PostgreSQLRecorder, ProcessRecorder
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.making import init
from serverdomain.testing.contract import OTHER, SERVER, adopted

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


class Note(Aggregate):
    def __init__(self, text: str) -> None:
        self.text = text

    @event("Changed")
    def change(self, text: str) -> None:
        self.text = text


class Notes(Application[Any]):
    is_snapshotting_enabled = True
    snapshotting_intervals = {Note: 2}  # noqa: RUF012

    def add(self, text: str) -> Any:
        note = Note(text)
        self.save(note)
        return note.id

    def change(self, note_id: Any, text: str) -> None:
        note: Note = self.repository.get(note_id)
        note.change(text)
        self.save(note)


class Counter(ProcessApplication[Any]):
    def policy(self, domain_event: Any, processing_event: Any) -> None:
        if isinstance(domain_event, Note.Changed):
            processing_event.collect_events(Note("counted"))


def test_an_application_of_theirs_and_ours_share_a_log(log_url: str) -> None:
    notes = Notes(environment(log_url))
    note_id = notes.add("one")
    with Servers.open(log_url) as servers:
        servers.register(adopted())
        for text in ("two", "three"):
            notes.change(note_id, text)
        servers.stop(SERVER)

        assert [entry.position for entry in servers.history(SERVER)] == [2, 5]
        assert servers.list() == [servers.get(SERVER)]
        assert servers.check() == []
        with pytest.raises(NotFound):
            servers.get(str(note_id))
    assert notes.repository.get(note_id).text == "three"
    assert [one.id for one in notes.notification_log.select(1, 10)] == [1, 2, 3, 4, 5]
    notes.close()


def test_a_system_of_theirs_follows_one_application_with_another(
    server_url: str, log_url: str, url: str
) -> None:
    init(Address(url))
    upstream = {f"NOTES_{name}": value for name, value in environment(log_url).items()}
    downstream = {f"COUNTER_{name}": value for name, value in environment(url).items()}
    env = {**upstream, **downstream, "PERSISTENCE_MODULE": "serverdomain.store.postgresql"}
    with SingleThreadedRunner(System([[Notes, Counter]]), env) as runner:
        notes, counter = runner.get(Notes), runner.get(Counter)
        notes.change(notes.add("one"), "two")

        assert isinstance(counter.recorder, ProcessRecorder)
        assert counter.recorder.max_tracking_id("Notes") == 2
        assert len(counter.notification_log.select(1, 10)) == 1


def test_the_module_has_one_factory(log_url: str) -> None:
    factory = InfrastructureFactory.construct(environment(log_url))
    assert type(factory) is Factory
    factory.close()


@pytest.fixture
def recorder(log_url: str) -> Iterator[Any]:
    factory = Factory(Environment(env=environment(log_url)))
    yield factory.application_recorder()
    factory.close()


def test_a_stream_is_theirs_or_ours_and_never_both(log_url: str, recorder: Any) -> None:
    theirs_id = str(uuid4())
    recorder.insert_events([StoredEvent(UUID(theirs_id), 1, "theirs", b"{}")])
    with Servers.open(log_url) as servers:
        servers.register(adopted())
        with pytest.raises(IntegrityError, match="one of serverdomain's"):
            recorder.insert_events([StoredEvent(UUID(SERVER), 2, "theirs", b"{}")])
        for ask in (
            lambda: servers.register(adopted(theirs_id)),
            lambda: servers.record(theirs_id, [ServerStopped()]),
        ):
            with pytest.raises(StoreError, match="is another application's"):
                ask()
        assert servers.stop(SERVER).server.version == 2
        assert recorder.max_notification_id() == 3


def test_theirs_cannot_write_an_event_of_ours_without_its_command(recorder: Any) -> None:
    ours = StoredEvent(uuid4(), 1, "serverdomain:ServerDeleted:1", b"{}")
    with pytest.raises(IntegrityError):
        recorder.insert_events([ours])
    assert recorder.max_notification_id() is None


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


def test_theirs_reads_our_events_as_bytes(log_url: str, recorder: Any) -> None:
    with Servers.open(log_url) as servers:
        servers.register(adopted(OTHER))
    (stored,) = recorder.select_notifications(1, 10)
    assert stored.topic == "serverdomain:ServerRegistered:1"
    assert isinstance(stored.state, bytes)
    assert str(stored.originator_id) == OTHER


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
