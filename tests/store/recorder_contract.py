"""What every engine is to `eventsourcing`, as tests: a place where its applications keep events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import InfrastructureFactory, IntegrityError, StoredEvent
from eventsourcing.system import ProcessApplication, SingleThreadedRunner, System
from eventsourcing.utils import Environment

from serverdomain import NotFound, Servers, StoreError
from serverdomain.domain.events import ServerStopped
from serverdomain.testing.contract import OTHER, SERVER, adopted


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
    def policy(self, domain_event: Any, processing_event: Any) -> None:
        if isinstance(domain_event, Note.Changed):
            processing_event.collect_events(Note("counted"))


class RecorderContract:
    """For a subclass with an engine's ``factory`` and the fixtures ``place`` and ``another``.

    Both are URLs of empty logs.
    """

    factory: ClassVar[Any]
    process_recorder: ClassVar[type]

    def environment(self, place: str) -> dict[str, str]:
        """What `eventsourcing` reads, for a log at a URL."""
        raise NotImplementedError

    @pytest.fixture
    def notes(self, place: str) -> Iterator[Notes]:
        notes = Notes(self.environment(place))
        yield notes
        notes.close()

    @pytest.fixture
    def recorder(self, place: str) -> Iterator[Any]:
        factory = self.factory(Environment(env=self.environment(place)))
        yield factory.application_recorder()
        factory.close()

    def test_an_application_of_theirs_and_ours_share_a_log(self, place: str, notes: Notes) -> None:
        note_id = notes.add("one")
        with Servers.open(place) as servers:
            servers.register(adopted())
            for text in ("two", "three"):
                notes.change(note_id, text)
            servers.stop(SERVER)

            assert [entry.position for entry in servers.history(SERVER)] == [2, 5]
            assert servers.list() == [servers.get(SERVER)]
            assert servers.view.status().lag == 0
            # In a file their table of snapshots is none of ours.
            assert [one for one in servers.check() if "stored_snapshots" not in one.what] == []
            with pytest.raises(NotFound):
                servers.get(str(note_id))
        assert notes.repository.get(note_id).text == "three"
        assert [one.id for one in notes.notification_log.select(1, 10)] == [1, 2, 3, 4, 5]

    def test_a_system_of_theirs_follows_one_application_with_another(
        self, place: str, another: str
    ) -> None:
        upstream, downstream = self.environment(place), self.environment(another)
        env = {f"NOTES_{name}": value for name, value in upstream.items()}
        env |= {f"COUNTER_{name}": value for name, value in downstream.items()}
        env["PERSISTENCE_MODULE"] = upstream["PERSISTENCE_MODULE"]
        with SingleThreadedRunner(System([[Notes, Counter]]), env) as runner:
            notes, counter = runner.get(Notes), runner.get(Counter)
            notes.change(notes.add("one"), "two")

            assert isinstance(counter.recorder, self.process_recorder)
            assert counter.recorder.max_tracking_id("Notes") == 2
            assert len(counter.notification_log.select(1, 10)) == 1

    def test_the_module_has_one_factory(self, place: str) -> None:
        factory: Any = InfrastructureFactory.construct(self.environment(place))
        assert type(factory) is self.factory
        factory.close()

    def test_a_stream_is_theirs_or_ours_and_never_both(self, place: str, recorder: Any) -> None:
        theirs_id = str(uuid4())
        recorder.insert_events([StoredEvent(UUID(theirs_id), 1, "theirs", b"{}")])
        with Servers.open(place) as servers:
            servers.register(adopted())
            with pytest.raises(IntegrityError, match=r"one of serverdomain's|one application's"):
                recorder.insert_events([StoredEvent(UUID(SERVER), 2, "theirs", b"{}")])
            for ask in (
                lambda: servers.register(adopted(theirs_id)),
                lambda: servers.record(theirs_id, [ServerStopped()]),
            ):
                with pytest.raises(StoreError, match=r"(another|one) application's"):
                    ask()
            assert servers.stop(SERVER).server.version == 2
            assert recorder.max_notification_id() == 3

    def test_theirs_cannot_write_an_event_of_ours_without_its_command(self, recorder: Any) -> None:
        ours = StoredEvent(uuid4(), 1, "serverdomain:ServerDeleted:1", b"{}")
        with pytest.raises(IntegrityError):
            recorder.insert_events([ours])
        assert recorder.max_notification_id() is None

    def test_theirs_reads_our_events_as_bytes(self, place: str, recorder: Any) -> None:
        with Servers.open(place) as servers:
            servers.register(adopted(OTHER))
        (stored,) = recorder.select_notifications(1, 10)
        assert stored.topic == "serverdomain:ServerRegistered:1"
        assert isinstance(stored.state, bytes)
        assert str(stored.originator_id) == OTHER
