"""The store as `eventsourcing` knows it: its own test cases, its applications, its factory."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import TestCase

import pytest
from eventsourcing.sqlite import SQLiteAggregateRecorder, SQLiteTrackingRecorder
from eventsourcing.tests import persistence as theirs
from eventsourcing.utils import Environment

from serverdomain.store.sqlite import Factory, ProcessRecorder, SQLiteRecorder
from serverdomain.store.sqlite.connections import Connections
from serverdomain.store.sqlite.place import of as place_of
from serverdomain.store.sqlite.recorder import Datastore
from tests.store.recorder_contract import Notes, RecorderContract

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


class TestInAFile(RecorderContract):
    factory = Factory
    process_recorder = ProcessRecorder

    @pytest.fixture
    def place(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/cloud.db"

    @pytest.fixture
    def another(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/another.db"

    def environment(self, place: str) -> dict[str, str]:
        return environment(place.removeprefix("sqlite:///"))
