"""The checker finds nothing in a history that is right, and each of the ways to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from serverdomain import Context, RebuildServer, Servers
from serverdomain.domain import commands as c
from serverdomain.store.recorded import RecordedEvent
from serverdomain.testing.store_contract import NEW_IMAGE, OTHER, SERVER, adopted

from .callers import Caller, asked_first, prepare
from .calls import Ask, Asked, Call, Done, Get, History, List, Raised, Seen, answer_of
from .checking import wrongs
from .points import Points


def ask(
    command: c.Command, request_id: str, *, server: str = SERVER, seen: int | None = None
) -> Ask:
    return Ask(server, command, Context(request_id=request_id), seen)


def rename(name: str, seen: int | None = None) -> Ask:
    return ask(c.RenameServer(name=name), f"req-{name}", seen=seen)


@dataclass
class Past:
    """Calls one behind the other, ten ticks each, and the log that came of them."""

    calls: list[Call] = field(default_factory=list)
    events: list[RecordedEvent] = field(default_factory=list)

    def change(self, number: int, **members: object) -> None:
        self.calls[number] = replace(self.calls[number], **members)

    def server(self, number: int) -> Done:
        answer = self.calls[number].answer
        assert isinstance(answer, Done)
        return answer

    def found(self) -> list[str]:
        return wrongs(Points(self.events), self.calls)


def past(*asked: Asked) -> Past:
    asks = [
        ask(adopted(), "req-register"),
        ask(adopted(OTHER), "req-other", server=OTHER),
        *asked,
    ]
    with Servers.open("memory:") as servers:
        calls = [
            Call("somebody", one, 10 * turn, 10 * turn + 5, answer_of(servers, one))
            for turn, one in enumerate(asks)
        ]
        with servers._log.reading() as log:
            return Past(calls, log.events(0, 1000).events)


REBUILD = RebuildServer(image_id=NEW_IMAGE, name="rebuilt")
ALL = (
    rename("a"),  # 2
    Get(SERVER),
    List(),  # 4
    ask(REBUILD, "req-rebuild"),
    History(SERVER),  # 6
    Get(SERVER, 3),
    rename("a"),  # 8: again
    ask(c.StartServer(), "req-start"),  # refused
    ask(c.RenameServer(name="other"), "req-a"),  # 10: taken
    ask(c.RenameServer(name="rebuilt"), "req-idle"),
    rename("b", seen=2),  # 12: in conflict
    rename("c", seen=5),
    Get(SERVER),  # 14
    List(),
    Get(SERVER, 99),  # 16: beyond the head
    ask(c.StopServer(), "req-none", server=SERVER[:-1] + "0"),  # not there
    ask(c.StopServer(), "req-stop", server=OTHER),  # 18
    List(),
)


def test_a_history_that_is_right_is_found_right() -> None:
    right = past(*ALL)

    assert [type(one.answer).__name__ for one in right.calls[2:]] == [
        *("Done", "Seen", "Seen", "Done", "Told", "Seen", "Done", "Raised", "Raised", "Done"),
        *("Raised", "Done", "Seen", "Seen", "Raised", "Raised", "Done", "Seen"),
    ]
    assert right.found() == []


def a_stale_read(past: Past) -> None:
    past.change(14, answer=past.calls[3].answer)


def a_stale_list(past: Past) -> None:
    past.change(15, answer=past.calls[4].answer)


def a_stale_history(past: Past) -> None:
    past.change(6, began=130, ended=135)


def a_list_of_two_moments(past: Past) -> None:
    new, old = past.calls[19].answer, past.calls[4].answer
    assert isinstance(new, Seen)
    assert isinstance(old, Seen)
    mixed = [one if one.id == OTHER else old.servers[-1] for one in new.servers]
    past.change(19, began=0, answer=Seen(tuple(mixed)))


def a_list_without_one(past: Past) -> None:
    past.change(19, answer=Seen(past.calls[19].answer.servers[:1]))  # type: ignore[union-attr]


def a_read_of_what_is_not_asked_yet(past: Past) -> None:
    past.change(3, answer=past.calls[14].answer)


def half_a_command(past: Past) -> None:
    half = Points(past.events).as_of(SERVER, 5)
    assert half is not None
    assert half.version == past.server(5).server.version - 1
    past.change(14, began=51, answer=Seen((half,)))


def a_server_that_never_was_so(past: Past) -> None:
    past.change(3, answer=Seen((replace(past.server(2).server, name="never"),)))


def a_moment_that_was_not_so(past: Past) -> None:
    past.change(7, answer=Seen((past.server(5).server,)))


def a_moment_beyond_the_head_that_is_not(past: Past) -> None:
    past.change(7, answer=Raised("Refused", "head"))


def a_command_that_is_acknowledged_and_lost(past: Past) -> None:
    del past.events[-1]


def a_command_that_is_there_twice(past: Past) -> None:
    last = past.events[-1]
    command = replace(last.command, command_id=last.command.command_id + 1)
    past.events.append(
        replace(last, position=last.position + 1, version=last.version + 1, command=command)
    )


def a_command_that_nobody_asked(past: Past) -> None:
    del past.calls[-2:]


def an_order_that_is_swapped(past: Past) -> None:
    one, other = past.calls[5], past.calls[13]
    past.change(5, began=other.began, ended=other.ended)
    past.change(13, began=one.began, ended=one.ended)


def a_command_behind_one_that_had_seen_it(past: Past) -> None:
    past.change(2, began=36, ended=37)


def a_state_that_is_not_the_fold(past: Past) -> None:
    past.change(2, answer=replace(past.server(2), server=past.server(5).server))


def events_that_are_not_those_in_the_log(past: Past) -> None:
    past.change(2, answer=replace(past.server(2), events=past.server(13).events))


def a_command_that_met_another_version(past: Past) -> None:
    past.change(13, asked=replace(past.calls[13].asked, expected_version=4))


def a_retry_told_as_new(past: Past) -> None:
    past.change(8, answer=replace(past.server(8), replayed=False))


def a_retry_told_something_else(past: Past) -> None:
    past.change(8, answer=replace(past.server(5), replayed=True))


def a_retry_before_it_happened(past: Past) -> None:
    past.change(8, began=11, ended=12)


def only_retries(past: Past) -> None:
    past.change(2, answer=replace(past.server(2), replayed=True))


def a_refusal_that_was_wrong(past: Past) -> None:
    past.change(9, asked=rename("d"))


def a_refusal_that_is_not_kept(past: Past) -> None:
    past.events = [
        replace(one, position=place)
        for place, one in enumerate((one for one in past.events if not one.is_refusal), 1)
    ]
    del past.calls[10:]


def a_refusal_that_nobody_was_told(past: Past) -> None:
    del past.calls[9]


def a_refusal_by_another_rule(past: Past) -> None:
    past.change(9, answer=Raised("Refused", "lock"))


def a_conflict_that_was_none(past: Past) -> None:
    past.change(12, asked=rename("b", seen=5))


def a_request_id_that_was_free(past: Past) -> None:
    past.change(10, asked=rename("free"))


def nothing_to_change_where_something_was(past: Past) -> None:
    past.change(11, asked=ask(c.RenameServer(name="else"), "req-idle"))


def not_there_where_it_was(past: Past) -> None:
    past.change(14, answer=Raised("NotFound"))


def a_server_not_there_to_a_command(past: Past) -> None:
    past.change(17, asked=ask(c.StopServer(), "req-none"))


def a_lock_that_was_told_and_had_not_kept_it_out(past: Past) -> None:
    past.change(13, answer=Raised("StoreLocked"))


def a_gap_in_the_log(past: Past) -> None:
    past.events[-1] = replace(past.events[-1], position=past.events[-1].position + 1)


def a_gap_in_a_stream(past: Past) -> None:
    past.events[-1] = replace(past.events[-1], version=past.events[-1].version + 1)


def a_command_between_the_events_of_another(past: Past) -> None:
    first = past.events[3].command
    past.events[-1] = replace(past.events[-1], command=first)


def a_time_that_steps_back(past: Past) -> None:
    last = past.events[-1]
    past.events[-1] = replace(last, command=replace(last.command, recorded_at=0))


REGISTERED = Points(past().events).at(SERVER, 2).server
assert REGISTERED is not None

WAYS = [
    a_stale_read,
    a_stale_list,
    a_stale_history,
    a_list_of_two_moments,
    a_list_without_one,
    a_read_of_what_is_not_asked_yet,
    half_a_command,
    a_server_that_never_was_so,
    a_moment_that_was_not_so,
    a_moment_beyond_the_head_that_is_not,
    a_command_that_is_acknowledged_and_lost,
    a_command_that_is_there_twice,
    a_command_that_nobody_asked,
    an_order_that_is_swapped,
    a_command_behind_one_that_had_seen_it,
    a_state_that_is_not_the_fold,
    events_that_are_not_those_in_the_log,
    a_command_that_met_another_version,
    a_retry_told_as_new,
    a_retry_told_something_else,
    only_retries,
    a_refusal_that_was_wrong,
    a_refusal_that_is_not_kept,
    a_refusal_that_nobody_was_told,
    a_refusal_by_another_rule,
    a_conflict_that_was_none,
    a_request_id_that_was_free,
    nothing_to_change_where_something_was,
    not_there_where_it_was,
    a_server_not_there_to_a_command,
    a_lock_that_was_told_and_had_not_kept_it_out,
    a_gap_in_the_log,
    a_gap_in_a_stream,
    a_command_between_the_events_of_another,
    a_time_that_steps_back,
]


@pytest.mark.parametrize("wrong", WAYS, ids=lambda way: way.__name__)
def test_what_is_wrong_is_found(wrong: Callable[[Past], None]) -> None:
    history = past(*ALL)
    wrong(history)

    assert history.found() != []


def two_reads(first_as: int, then_as: int) -> list[str]:
    """Two reads, one behind the other, while a rename is under way."""
    history = past(rename("a"), Get(SERVER), Get(SERVER))
    seen = (Seen((REGISTERED,)), history.calls[3].answer)
    history.change(2, ended=1000)
    history.change(3, answer=seen[first_as])
    history.change(4, answer=seen[then_as])
    return history.found()


def test_while_a_command_is_under_way_readers_see_it_or_not_but_never_no_more() -> None:
    assert two_reads(0, 0) == two_reads(0, 1) == two_reads(1, 1) == []
    (found,) = two_reads(1, 0)
    assert "it was so at no point behind 3" in found


def untold(history: Past) -> Past:
    history.change(2, answer=None, ended=None)
    return history


def test_what_nobody_was_told_may_be_there_or_not() -> None:
    there = untold(past(rename("a")))
    assert there.found() == []
    del there.events[-1]
    assert there.found() == []


def test_what_nobody_was_told_was_still_not_before_it_was_asked() -> None:
    history = untold(past(rename("a"), Get(SERVER)))
    history.change(2, began=36)
    assert len(history.found()) == 1


def test_one_who_was_told_nothing_and_asks_again_is_told_the_first_outcome() -> None:
    history = untold(past(rename("a"), rename("a")))
    assert history.found() == []
    history.change(2, began=36)
    assert history.found() != []


@settings(max_examples=settings().max_examples // 5)
@given(st.integers(0, 10**6), st.data())
def test_however_long_calls_take_around_their_moment_they_are_right(
    seed: int, data: st.DataObject
) -> None:
    caller, calls = Caller(f"caller-{seed}"), []
    with Servers.open("memory:") as servers:
        prepare(servers)
        for turn in range(12):
            asked = caller.next(turn)
            answer = answer_of(servers, asked)
            caller.learn(answer)
            before, after = data.draw(st.tuples(st.integers(0, 90), st.integers(0, 90)))
            moment = 100 + 10 * turn
            calls.append(Call("somebody", asked, moment - before, moment + 1 + after, answer))
        points = Points.of(servers)

    assert wrongs(points, [*asked_first(), *calls]) == []
