"""The store as `eventsourcing` knows it: its own test cases, its applications, its factory."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from unittest import TestCase
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application, ProcessingEvent
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, DomainEvent, event
from eventsourcing.persistence import InfrastructureFactory, IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteTrackingRecorder
from eventsourcing.system import ProcessApplication, SingleThreadedRunner, System
from eventsourcing.tests import persistence as theirs
from eventsourcing.utils import Environment

from serverdomain import NotFound, Servers, StoreError
from serverdomain.domain.events import ServerStopped
from serverdomain.store.sqlite import Factory, ProcessRecorder, SQLiteRecorder
from serverdomain.store.sqlite.connections import Connections
from serverdomain.store.sqlite.place import of as place_of
from serverdomain.store.sqlite.recorder import Datastore
from serverdomain.testing.store_contract import OTHER, SERVER, adopted

MODULE = "serverdomain.store.sqlite"


def recorder_at(url: str) -> SQLiteRecorder:
    return SQLiteRecorder(Datastore(Connections(place_of(url))))


class _InAFile(TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = recorder_at(f"sqlite:///{folder.name}/cloud.db")
        self.addCleanup(self.store.datastore.close)

    def create_recorder(self) -> SQLiteRecorder:
        return self.store


class _InMemory(_InAFile):
    def setUp(self) -> None:
        self.store = recorder_at("memory:")
        self.addCleanup(self.store.datastore.close)


class TestTheirCaseInAFile(_InAFile, theirs.ApplicationRecorderTestCase[SQLiteRecorder]):
    pass


class TestTheirCaseInMemory(_InMemory, theirs.ApplicationRecorderTestCase[SQLiteRecorder]):
    pass


class TestTheirInterleavingInAFile(_InAFile, theirs.NonInterleavingNotificationIDsBaseCase):
    pass


class TestTheirInterleavingInMemory(_InMemory, theirs.NonInterleavingNotificationIDsBaseCase):
    pass


class _Followers(TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.factory = Factory(Environment(env=environment(f"{folder.name}/cloud.db")))
        self.addCleanup(self.factory.close)

    def create_recorder(self) -> ProcessRecorder:
        return self.factory.process_recorder()


class TestTheirProcessCase(_Followers, theirs.ProcessRecorderTestCase):
    pass


class TestTheirTrackingCase(_Followers, theirs.TrackingRecorderTestCase):
    pass


class OtherTracking(SQLiteTrackingRecorder):
    pass


class TestTheirFactoryCase(theirs.InfrastructureFactoryTestCase[Factory]):
    def setUp(self) -> None:
        self.env = Environment("TestCase", environment(":memory:"))
        super().setUp()

    def expected_factory_class(self) -> type:
        return Factory

    def expected_aggregate_recorder_class(self) -> type:
        return SQLiteAggregateRecorder

    def expected_application_recorder_class(self) -> type:
        return SQLiteRecorder

    def expected_tracking_recorder_class(self) -> type:
        return SQLiteTrackingRecorder

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
    snapshotting_intervals: ClassVar[dict[Any, int]] = {Note: 2}

    def add(self, text: str) -> Any:
        note = Note(text)
        self.save(note)
        return note.id

    def change(self, note_id: Any, text: str) -> None:
        note: Note = self.repository.get(note_id)
        note.change(text)
        self.save(note)


class Counter(ProcessApplication[Any]):
    @singledispatchmethod
    def policy(self, domain_event: DomainEvent, processing_event: ProcessingEvent[Any]) -> None:
        if isinstance(domain_event, Note.Changed):
            processing_event.collect_events(Note("counted"))


def environment(path: Path | str) -> dict[str, str]:
    return {"PERSISTENCE_MODULE": MODULE, "SQLITE_DBNAME": str(path)}


@pytest.mark.parametrize("where", ["cloud.db", ":memory:", "file::memory:?cache=shared"])
def test_an_application_of_theirs_is_kept_by_our_store(tmp_path: Path, where: str) -> None:
    name = tmp_path / where if where.endswith(".db") else where
    notes = Notes(environment(name))
    note_id = notes.add("one")
    for text in ("two", "three"):
        notes.change(note_id, text)

    assert notes.repository.get(note_id).text == "three"
    assert [one.id for one in notes.notification_log.select(1, 10)] == [1, 2, 3]
    notes.close()


def test_a_system_of_theirs_follows_one_application_with_another(tmp_path: Path) -> None:
    env = {
        "PERSISTENCE_MODULE": MODULE,
        "NOTES_SQLITE_DBNAME": str(tmp_path / "notes.db"),
        "COUNTER_SQLITE_DBNAME": str(tmp_path / "counter.db"),
    }
    with SingleThreadedRunner(System([[Notes, Counter]]), env) as runner:
        notes, counter = runner.get(Notes), runner.get(Counter)
        notes.change(notes.add("one"), "two")

        assert isinstance(counter.recorder, ProcessRecorder)
        assert counter.recorder.max_tracking_id("Notes") == 2
        assert len(counter.notification_log.select(1, 10)) == 1


def test_the_module_has_one_factory() -> None:
    factory = InfrastructureFactory.construct(environment(":memory:"))

    assert type(factory) is Factory
    factory.close()


def test_what_their_application_wrote_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    notes = Notes(environment(path))
    note_id = notes.add("one")
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        notes.change(note_id, "two")
        servers.stop(SERVER)

        assert [entry.position for entry in servers.history(SERVER)] == [2, 4]
        assert servers.list() == [servers.get(SERVER)]
        assert servers.view.status().lag == 0
        with pytest.raises(NotFound):
            servers.get(str(note_id))
    assert notes.repository.get(note_id).text == "two"
    notes.close()


def test_theirs_cannot_write_an_event_of_ours_without_its_command() -> None:
    store = recorder_at("memory:")
    ours = StoredEvent(uuid4(), 1, "serverdomain:ServerDeleted:1", b"{}")

    with pytest.raises(IntegrityError):
        store.insert_events([ours])
    assert store.max_notification_id() is None
    store.datastore.close()


def test_a_stream_is_theirs_or_ours_and_never_both(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    notes = Notes(environment(path))
    note_id = str(notes.add("one"))
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        with pytest.raises(IntegrityError, match="one application's"):
            notes.recorder.insert_events([StoredEvent(UUID(SERVER), 2, "theirs", b"{}")])
        for ask in (
            lambda: servers.register(adopted(note_id)),
            lambda: servers.record(note_id, [ServerStopped()]),
        ):
            with pytest.raises(StoreError, match="one application's"):
                ask()

        assert servers.stop(SERVER).server.version == 2
        assert notes.recorder.max_notification_id() == 3
    notes.close()


def test_theirs_reads_our_events_as_bytes() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted(OTHER))
        recorder = SQLiteRecorder(Datastore(servers._log.connections))
        (stored,) = recorder.select_notifications(1, 10)

    assert stored.topic == "serverdomain:ServerRegistered:1"
    assert isinstance(stored.state, bytes)
    assert str(stored.originator_id) == OTHER
