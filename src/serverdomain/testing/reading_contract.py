"""What every reading of a log answers, question by question, as tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from serverdomain.audit.ledger import leaf
from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain.history import Fact
from serverdomain.domain.server import fold
from serverdomain.errors import Refused, StoreDamaged, UnknownEvent
from serverdomain.store.codec import CODEC, Codec, refusals_of, stream_of
from serverdomain.store.context import Context
from serverdomain.store.in_order import in_order
from serverdomain.store.log import LARGEST, Log, Page
from serverdomain.store.recorded import RecordedEvent
from serverdomain.testing.contract import (
    NEW_IMAGE,
    NOW,
    OTHER,
    SECOND,
    SERVER,
    Contract,
    adopted,
    ask,
    under,
)
from serverdomain.testing.scenario import ADMIN, OWNER

_ROLES = '["member"]'


def all_pages(page: Callable[[int], Page[Any]], limit: int, behind: int = 0) -> list[Any]:
    """What pages hold together, read one behind the other, until one leads nowhere."""
    found: list[Any] = []
    while True:
        events, last, stopped_by = page(behind)
        assert len(events) <= limit
        assert last >= behind
        assert stopped_by is None
        found += events
        if last == behind:
            assert events == []
            return found
        behind = last


class ReadingContract(Contract):
    """The questions to a log, each asked of one that holds nine events of two servers."""

    @pytest.fixture
    def told(self, log: Log) -> Log:
        """A log with a rebuild of several events, a refusal, a second server and a late fact."""
        because = Context(OWNER, "req-rebuild", correlation_id="req-global", caused_by="req-cause")
        ask(log, adopted(), "req-register")  # 1
        ask(log, adopted(OTHER), "req-other", OTHER, at=60)  # 2
        ask(log, c.RebuildServer(image_id=NEW_IMAGE, name="new"), because, at=120)  # 3, 4, 5
        with pytest.raises(Refused):
            ask(log, c.StartServer(), "req-refused", at=180)  # 6
        ask(log, c.StopServer(), "req-stop", OTHER, at=240)  # 7
        ask(log, c.CompleteRebuild(), "req-complete", at=300)  # 8
        late = c.RecordFacts(events=(e.ServerRenamed("late"),))
        ask(log, late, "req-late", at=360, occurred_at=90)  # 9
        return log

    @pytest.fixture
    def an_older_release(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """This release, as if it did not know yet that servers are stopped."""
        known = {name: event for name, event in e.EVENTS.items() if name != "ServerStopped"}
        monkeypatch.setattr(CODEC, "readers", Codec(known).readers)

    # The whole log

    def test_an_empty_log_answers_every_question(self, log: Log) -> None:
        with log.reading() as reading:
            assert (reading.head(), reading.first(), reading.last(LARGEST)) == (0, 0, 0)
            assert (reading.count(), reading.position_at(LARGEST)) == (0, 0)
            assert reading.latest_recorded_at() is None
            assert reading.changed_between(0, LARGEST) == []
            assert reading.row_hash(0) is None
            assert reading.row_hash(1) is None
            for page in (
                reading.facts(0, 10),
                reading.events(0, 10),
                reading.events_named(0, 10, ()),
            ):
                assert page == ([], 0, None)
            assert reading.events_at([1]) == []
            assert reading.history(SERVER).facts == []
            assert reading.recorded(SERVER, with_refusals=True) == []
            assert reading.command("req-1") is None
            assert reading.refused_since("fake", "openstack", 0) == 0
            assert (reading.bookmark("billing"), reading.bookmarks()) == (None, [])
            assert [row for some in reading.rows() for row in some] == []
            assert reading.row(1) is None
            assert (list(reading.streams()), list(reading.commands())) == ([], [])
            assert reading.commands_without_events() == []

    def test_a_log_keeps_the_id_that_it_was_given(self, log: Log) -> None:
        with log.reading() as reading:
            given = reading.log_id()
        ask(log, adopted(), "req-register")
        with log.reading() as reading:
            assert reading.log_id() == given
        assert given.isascii()
        assert given.isprintable()
        assert not {*" +"} & {*given}

    def test_where_it_begins_and_ends(self, told: Log) -> None:
        with told.reading() as reading:
            assert (reading.first(), reading.head()) == (1, 9)
            assert [reading.last(until) for until in (0, 1, 8, 9, 10, LARGEST)] == [
                *(0, 1, 8, 9, 9, 9)
            ]

    def test_how_many_events_it_holds_between_two_positions(self, told: Log) -> None:
        with told.reading() as reading:
            assert (reading.count(), reading.count(0), reading.count(6)) == (9, 0, 6)
            assert (reading.count(after=2), reading.count(6, after=2)) == (7, 4)
            assert (reading.count(LARGEST, after=9), reading.count(2, after=6)) == (0, 0)

    def test_how_far_it_was_at_a_time(self, told: Log) -> None:
        with told.reading() as reading:
            found = [
                reading.position_at(NOW + seconds * SECOND)
                for seconds in (-1, 0, 59, 60, 120, 179, 180, 360, 4000)
            ]
        assert found == [0, 1, 1, 2, 5, 5, 6, 9, 9]

    def test_when_it_took_its_latest_command_in(self, told: Log) -> None:
        with told.reading() as reading:
            assert reading.latest_recorded_at() == NOW + 360 * SECOND
        with pytest.raises(Refused):
            ask(told, c.StartServer(), "req-again", at=400)
        with told.reading() as reading:
            assert reading.latest_recorded_at() == NOW + 400 * SECOND

    def test_which_servers_have_facts_between_two_positions(self, told: Log) -> None:
        between = [(0, LARGEST), (0, 1), (1, 2), (5, 6), (6, 7), (7, 9), (9, LARGEST)]
        with told.reading() as reading:
            found = [reading.changed_between(*two) for two in between]
        assert [*map(sorted, found)] == [
            *([SERVER, OTHER], [SERVER], [OTHER], [], [OTHER], [SERVER], [])
        ]

    def test_a_rows_hash_stays_and_is_no_other_rows(self, told: Log) -> None:
        with told.reading() as reading:
            before = [reading.row_hash(position) for position in range(11)]
        ask(told, c.RenameServer(name="newer"), "req-newer", at=400)
        with told.reading() as reading:
            after = [reading.row_hash(position) for position in range(11)]

        assert (before[0], before[10]) == (None, None)
        assert after[:10] == before[:10]
        assert len({*after[1:]}) == 10

    # Its pages

    @pytest.mark.parametrize("limit", [1, 2, 3, 8, 9, 10, LARGEST])
    def test_pages_of_any_size_hold_all_facts_or_events_in_order(
        self, told: Log, limit: int
    ) -> None:
        with told.reading() as reading:
            facts = all_pages(lambda after: reading.facts(after, limit), limit)
            events = all_pages(lambda after: reading.events(after, limit), limit)

        assert [one.position for one in events] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
        happened = [one for one in events if not one.is_refusal]
        assert [one.position for one in happened] == [1, 2, 3, 4, 5, 7, 8, 9]
        assert facts == [
            Fact(one.occurred_at, one.position, one.server_id, one.version, one.event)
            for one in happened
        ]

    def test_a_page_of_facts_goes_no_further_than_it_is_asked_to(self, told: Log) -> None:
        with told.reading() as reading:
            some = all_pages(lambda after: reading.facts(after, 2, 5), 2, behind=1)
            assert [fact.position for fact in some] == [2, 3, 4, 5]
            assert reading.facts(5, 10, 5) == ([], 5, None)
            assert reading.facts(5, 1) == ([], 6, None), "a refusal is passed over"

    def test_an_event_comes_with_all_that_the_log_says_of_it(self, told: Log) -> None:
        with told.reading() as reading:
            command = reading.command("req-rebuild")
            page = reading.events(3, 1)
        (one,) = page.events
        assert (page.last, page.stopped_by) == (4, None)
        assert (one.position, one.version, one.topic) == (4, 3, "serverdomain:ImageChanged:1")
        assert (one.event, one.command) == (e.ImageChanged(NEW_IMAGE), command)

    @pytest.mark.parametrize("limit", [1, 2, 3, 10])
    @pytest.mark.parametrize(
        ("names", "positions"),
        [
            ((), [1, 2, 3, 4, 5, 7, 8, 9]),
            (("ServerRenamed",), [5, 9]),
            (("ServerRenamed", "RebuildCompleted"), [5, 8, 9]),
            (("CommandRefused",), []),
            (("Server",), []),
        ],
    )
    def test_pages_of_named_facts_pass_all_others_over(
        self, told: Log, names: tuple[str, ...], positions: list[int], limit: int
    ) -> None:
        with told.reading() as reading:
            found = all_pages(lambda after: reading.events_named(after, limit, names), limit)
            assert [one.position for one in found] == positions
            assert reading.events_named(9, limit, names) == ([], 9, None)

    def test_behind_the_last_named_fact_a_page_leads_to_the_head(self, told: Log) -> None:
        with told.reading() as reading:
            assert reading.events_named(2, 10, ("ServerStopped",)).last == 9
            assert reading.events_named(7, 10, ("ServerStopped",)) == ([], 9, None)
            assert reading.events_named(2, 1, ("ServerStopped",)).last <= 9

    def test_the_events_at_positions_come_in_order(self, told: Log) -> None:
        with told.reading() as reading:
            events = reading.events(0, 10).events
            assert reading.events_at([9, 2, 6, 77]) == [events[1], events[5], events[8]]
            assert reading.events_at([]) == []

    @pytest.mark.usefixtures("an_older_release")
    def test_an_event_of_a_newer_release_ends_a_page_before_it(self, told: Log) -> None:
        with told.reading() as reading:
            ends: list[tuple[Page[Any], list[int]]] = [
                (reading.facts(0, 10), [1, 2, 3, 4, 5]),
                (reading.events(0, 10), [1, 2, 3, 4, 5, 6]),
                (reading.events_named(0, 10, ()), [1, 2, 3, 4, 5]),
                (reading.events_named(0, 10, ("ServerRenamed", "ServerStopped")), [5]),
                (reading.facts(6, 10), []),
                (reading.events(6, 10), []),
            ]
            for page, positions in ends:
                assert [one.position for one in page.events] == positions
                assert page.last == 6
                assert isinstance(page.stopped_by, UnknownEvent)
                assert page.stopped_by.position == 7
            assert reading.facts(0, 6).stopped_by is None
            assert reading.facts(7, 10).last == 9

    def test_a_damaged_event_ends_a_page_of_named_facts_before_it(
        self, told: Log, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unreadable = Codec({**e.EVENTS, "ServerStopped": e.ImageChanged})
        monkeypatch.setattr(CODEC, "readers", unreadable.readers)
        with told.reading() as reading:
            for names, positions in [((), [1, 2, 3, 4, 5]), (("ServerStopped",), [])]:
                page = reading.events_named(0, 10, names)
                assert [one.position for one in page.events] == positions
                assert page.last == 6
                assert isinstance(page.stopped_by, StoreDamaged)
            for question in (reading.facts, reading.events):
                with pytest.raises(StoreDamaged, match="position 7"):
                    question(0, 10)

    @pytest.mark.usefixtures("an_older_release")
    def test_a_server_with_an_event_of_a_newer_release_cannot_be_read_and_others_can(
        self, told: Log
    ) -> None:
        with told.reading() as reading:
            for question in (reading.history, reading.recorded):
                with pytest.raises(UnknownEvent) as unknown:
                    question(OTHER)
                assert unknown.value.position == 7
            assert len(reading.history(SERVER).facts) == len(reading.recorded(SERVER)) == 6

    # One server

    @pytest.mark.parametrize(
        ("bounds", "positions"),
        [
            ({}, [1, 9, 3, 4, 5, 8]),
            ({"version": 0}, []),
            ({"version": 3}, [1, 3, 4]),
            ({"version": 6}, [1, 9, 3, 4, 5, 8]),
            ({"position": 2}, [1]),
            ({"position": 8}, [1, 3, 4, 5, 8]),
            ({"recorded_at": NOW + 120 * SECOND - 1}, [1]),
            ({"recorded_at": NOW + 120 * SECOND}, [1, 3, 4, 5]),
            ({"occurred_at": NOW - 1}, []),
            ({"occurred_at": NOW + 90 * SECOND - 1}, [1]),
            ({"occurred_at": NOW + 90 * SECOND}, [1, 9]),
            ({"recorded_at": NOW + 359 * SECOND, "occurred_at": NOW + 120 * SECOND}, [1, 3, 4, 5]),
            ({"version": 5, "position": 5}, [1, 3, 4, 5]),
        ],
    )
    def test_a_history_holds_the_facts_within_all_bounds_in_order_of_occurrence(
        self, told: Log, bounds: dict[str, int], positions: list[int]
    ) -> None:
        with told.reading() as reading:
            facts = {fact.position: fact for fact in reading.facts(0, 10).events}
            history = reading.history(SERVER, **bounds)
        assert history.facts == [facts[position] for position in positions]
        assert history.version == max((fact.version for fact in history.facts), default=0)
        server = fold((fact.event, fact.occurred_at) for fact in history.facts)
        assert (history.server is None) == (server is None)

    def test_what_was_recorded_of_a_server_stands_in_order_of_occurrence(self, told: Log) -> None:
        with told.reading() as reading:
            events = {one.position: one for one in reading.events(0, 10).events}
            for refusals, until, positions in [
                (False, LARGEST, [1, 9, 3, 4, 5, 8]),
                (True, LARGEST, [1, 9, 3, 4, 5, 6, 8]),
                (False, 6, [1, 3, 4, 5]),
                (True, 6, [1, 3, 4, 5, 6]),
                (True, 5, [1, 3, 4, 5]),
                (True, 0, []),
            ]:
                found = reading.recorded(SERVER, until, with_refusals=refusals)
                assert found == [events[position] for position in positions]
                found = reading.recorded(SERVER, until, after=3, with_refusals=refusals)
                assert found == [events[position] for position in positions if position > 3]
                assert [*in_order(reading, SERVER, until, after=3, with_refusals=refusals)] == found

    def test_of_a_history_in_order_of_occurrence_only_a_part_is_read_at_a_time(
        self, told: Log, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        parts: list[Sequence[int]] = []
        with told.reading() as reading:
            whole = reading.recorded(SERVER, with_refusals=True)
            sizes = dict(reading.order(SERVER, with_refusals=True))
            assert min(sizes.values()) > 1
            read = reading.events_at

            def events_at(positions: Sequence[int]) -> list[RecordedEvent]:
                parts.append(positions)
                return read(positions)

            monkeypatch.setattr(reading, "events_at", events_at)
            monkeypatch.setattr("serverdomain.store.in_order.PAGE_BYTES", max(sizes.values()))
            assert [*in_order(reading, SERVER, with_refusals=True)] == whole
        assert sum(map(len, parts)) == len(whole) > len(parts) > 1

    # One command

    def test_a_command_is_found_by_its_request_id_unless_it_was_refused(self, told: Log) -> None:
        with told.reading() as reading:
            found = reading.command("req-rebuild")
            assert reading.command("req-refused") is None
            assert reading.command("req-nobody") is None
        assert found is not None
        assert (found.kind, found.server_id) == ("rebuild", SERVER)
        assert found.members == f'{{"image_id":"{NEW_IMAGE}","name":"new"}}'
        assert (found.user_id, found.project_id, found.roles) == ("fake", "openstack", ("member",))
        assert (found.request_id, found.correlation_id) == ("req-rebuild", "req-global")
        assert found.caused_by == "req-cause"
        assert found.occurred_at == found.recorded_at == NOW + 120 * SECOND

    def test_a_commands_events_are_its_own(self, told: Log) -> None:
        with told.reading() as reading:
            events = reading.events(0, 10).events
            for request_id, expected in [
                ("req-register", events[0:1]),
                ("req-rebuild", events[2:5]),
                ("req-late", events[8:9]),
            ]:
                command = reading.command(request_id)
                assert command is not None
                assert reading.events_of(command) == expected

    def test_how_often_an_actor_was_refused_since_a_time(self, told: Log) -> None:
        with pytest.raises(Refused):
            ask(told, c.StartServer(), "req-again", at=400)
        with pytest.raises(Refused):
            ask(told, c.StartServer(), under("req-admin", ADMIN), at=400)
        with told.reading() as reading:
            for actor, seconds, refusals in [
                (OWNER, 0, 2),
                (OWNER, 179, 2),
                (OWNER, 180, 1),
                (OWNER, 400, 0),
                (ADMIN, 0, 1),
            ]:
                at = NOW + seconds * SECOND
                assert reading.refused_since(actor.user_id, actor.project_id, at) == refusals
            assert reading.refused_since(OWNER.user_id, ADMIN.project_id, 0) == 0

    # As it is stored

    def test_rows_hold_what_the_ledger_signs(self, told: Log) -> None:
        with told.reading() as reading:
            rows = [row for some in reading.rows() for row in some]
            ids = [row[5] for row in rows]
            rebuild = reading.command("req-rebuild")
        assert rebuild is not None
        assert ids == sorted(ids)
        assert ids[2:5] == [rebuild.command_id] * 3
        who = ("fake", "openstack", _ROLES)
        minute = 60 * SECOND
        # As leaves, to which a whole number and a truth value are not the same.
        assert [leaf.encoded(rows[place]) for place in (3, 5)] == [
            leaf.encoded(row)
            for row in (
                (
                    *(4, stream_of(SERVER), 3, "serverdomain:ImageChanged:1"),
                    *(f'{{"image_id":"{NEW_IMAGE}"}}', ids[3], "rebuild", SERVER),
                    *(f'{{"image_id":"{NEW_IMAGE}","name":"new"}}', *who),
                    *("req-rebuild", "req-global", "req-cause"),
                    *(NOW + 2 * minute, NOW + 2 * minute, 0),
                ),
                (
                    *(6, refusals_of(SERVER), 1, "serverdomain:CommandRefused:1"),
                    *(rows[5][4], ids[5], "start", SERVER, "{}", *who),
                    *("req-refused", None, None, NOW + 3 * minute, NOW + 3 * minute, 1),
                ),
            )
        ]
        assert isinstance(CODEC.decode(rows[5][3], rows[5][4], 6), e.CommandRefused)
        assert rows[8][15:17] == (NOW + 90 * SECOND, NOW + 360 * SECOND)
        assert rows[8][8].startswith('{"occurred_at":')

    def test_a_row_is_that_at_its_position(self, told: Log) -> None:
        with told.reading() as reading:
            rows = [row for some in reading.rows() for row in some]
            assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
            assert [reading.row(position) for position in range(1, 10)] == rows
            assert [reading.row(position) for position in (0, 10, LARGEST, LARGEST + 1)] == [
                None
            ] * 4

    def test_streams_are_the_rows_by_stream_and_version(self, told: Log) -> None:
        with told.reading() as reading:
            rows = [row for some in reading.rows() for row in some]
            assert list(reading.streams()) == sorted(rows, key=lambda row: (row[1], row[2]))

    def test_commands_come_in_their_order_with_their_first_position(self, told: Log) -> None:
        with told.reading() as reading:
            rows = {row[0]: row for some in reading.rows() for row in some}
            commands = list(reading.commands())
        assert [command[-1] for command in commands] == [1, 2, 3, 6, 7, 8, 9]
        assert commands == [(*rows[command[-1]][5:], command[-1]) for command in commands]

    def test_what_a_newer_release_wrote_is_in_the_rows_as_it_is(
        self, told: Log, an_older_release: None
    ) -> None:
        with told.reading() as reading:
            row = reading.row(7)
        assert row is not None
        assert row[3:5] == ("serverdomain:ServerStopped:1", "{}")

    # For a check

    def test_a_check_finds_a_sound_log_sound_and_reads_the_same(self, told: Log) -> None:
        with told.reading() as reading, told.examining() as examination:
            assert list(examination.findings()) == []
            assert examination.log_id() == reading.log_id()
            assert list(examination.rows()) == list(reading.rows())
            assert list(examination.commands()) == list(reading.commands())
            assert examination.history(SERVER).server == reading.history(SERVER).server
