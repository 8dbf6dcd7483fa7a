"""A history that grows: in whatever order its facts arrive, it ends where sorting them would."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given as for_any
from hypothesis import strategies as st
from msgspec.structs import replace

from serverdomain.domain.events import (
    Event,
    RebuildCompleted,
    RebuildRequested,
    ServerDeleted,
    ServerRenamed,
    ServerStarted,
    ServerStopped,
)
from serverdomain.domain.history import Fact, History
from serverdomain.domain.server import Server, fold
from serverdomain.testing import registered
from tests.domain.table import IMAGE

SERVER = registered().server_id
# Some that say what the one before said, some that take it back, and a beginning, often.
EVENTS = (
    *[registered()] * 3,
    *(ServerRenamed(name) for name in "abc"),
    *(ServerStopped(), ServerStarted(), ServerDeleted()),
    *(RebuildRequested("r1", IMAGE, "generated"), RebuildCompleted("r1", 100)),
)


def arriving(*told: tuple[Event, int], behind: int = 0) -> list[Fact]:
    """Facts with their times, in the order in which the log takes them in."""
    return [
        Fact(at, 10 * number, SERVER, number, event)
        for number, (event, at) in enumerate(told, start=behind + 1)
    ]


def in_order(facts: Sequence[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (fact.occurred_at, fact.position))


def folded(facts: Sequence[Fact]) -> Server | None:
    """The server as all of these facts make it, folded at once."""
    server = fold((fact.event, fact.occurred_at) for fact in in_order(facts))
    return server and replace(
        server,
        version=max(fact.version for fact in facts),
        first_position=min(fact.position for fact in facts),
    )


def events_at(times: st.SearchStrategy[list[int]]) -> st.SearchStrategy[list[Fact]]:
    """Facts of one server in order of arrival; its beginning is among them, or is not."""

    def of(them: list[int]) -> st.SearchStrategy[list[Fact]]:
        events = st.lists(st.sampled_from(EVENTS), min_size=len(them), max_size=len(them))
        return events.map(lambda some: arriving(*zip(some, them, strict=True)))

    return times.flatmap(of)


at_any_time = events_at(st.lists(st.integers(0, 5), max_size=9))
at_distinct_times = events_at(st.lists(st.integers(0, 99), max_size=9, unique=True))
places = st.integers(0, 9)


@for_any(at_distinct_times, st.randoms())
def test_in_whatever_order_facts_of_distinct_times_arrive_the_server_is_the_same(
    facts: list[Fact], chance
) -> None:
    one = History()
    for fact in facts:
        one.take(fact)
    # The same facts, as they would have arrived the other way round.
    shuffled = [*facts]
    chance.shuffle(shuffled)
    other = History()
    for number, fact in enumerate(shuffled, start=1):
        other.take(replace(fact, position=number, version=number))

    assert one.server == folded(facts)
    # Where the log has its first event is all that tells them apart.
    first_position = one.server.first_position if one.server else 0
    assert one.server == (other.server and replace(other.server, first_position=first_position))
    assert [fact.event for fact in one.facts] == [fact.event for fact in other.facts]


@for_any(at_any_time)
def test_facts_are_kept_in_order_of_occurrence_then_of_position(facts: list[Fact]) -> None:
    grown = History()
    for number, fact in enumerate(facts, start=1):
        grown.take(fact)
        assert grown.facts == in_order(facts[:number])
        assert grown.server == folded(facts[:number])
        assert grown.version == number
        assert grown.latest == max(one.occurred_at for one in facts[:number])
    assert not grown.lacks_past
    given = History(reversed(facts))
    assert (given.facts, given.server, given.version, given.latest) == (
        grown.facts,
        grown.server,
        grown.version,
        grown.latest,
    )


@for_any(at_any_time, places)
def test_it_is_the_same_wherever_its_server_is_asked_for_meanwhile(
    facts: list[Fact], asked: int
) -> None:
    history = History()
    for fact in facts[:asked]:
        history.take(fact)
    assert history.server == folded(facts[:asked])
    for fact in facts[asked:]:
        history.take(fact)
    assert history.server == folded(facts)


@for_any(at_any_time)
def test_a_fact_came_at_the_end_if_nothing_occurred_later(facts: list[Fact]) -> None:
    history = History()
    for number, fact in enumerate(facts):
        latest = max((one.occurred_at for one in facts[:number]), default=fact.occurred_at)
        assert history.take(fact) is (fact.occurred_at >= latest)


@for_any(at_any_time, places, st.booleans())
def test_facts_taken_together_are_as_if_they_came_one_by_one(
    facts: list[Fact], cut: int, behind_a_server: bool
) -> None:
    base = folded(facts[:cut]) if behind_a_server else None
    together, one_by_one = History(base=base), History(base=base)
    all_at_end = together.take_all(facts[cut:])

    at_end = [one_by_one.take(fact) for fact in facts[cut:]]
    assert all_at_end is all(at_end)
    assert together.lacks_past is one_by_one.lacks_past
    assert (together.facts, together.server) == (one_by_one.facts, one_by_one.server)
    assert (together.version, together.latest) == (one_by_one.version, one_by_one.latest)
    assert together.take_all([]) is not together.lacks_past


def test_among_equal_times_the_position_decides() -> None:
    facts = arriving((registered(), 0), (ServerStopped(), 5), (ServerStarted(), 5))
    for given in (facts, facts[::-1]):
        server = History(given).server
        assert server is not None
        assert server.status == "ACTIVE"


# Behind a server that was folded before


@for_any(at_any_time, places)
def test_behind_a_server_it_lacks_its_past_where_a_fact_belongs_among_those_not_held(
    facts: list[Fact], cut: int
) -> None:
    base = folded(facts[:cut])
    if base is None:
        return
    history = History(base=base)
    assert (history.server, history.version, history.latest) == (
        base,
        base.version,
        base.updated_micros,
    )
    belongs_before = False
    for number, fact in enumerate(facts[cut:], start=cut + 1):
        latest = max(one.occurred_at for one in facts[: number - 1])
        belongs_before = belongs_before or fact.occurred_at < base.updated_micros
        at_end = history.take(fact)
        assert history.lacks_past is belongs_before
        assert at_end is (fact.occurred_at >= latest and not belongs_before)
        if not belongs_before:
            assert history.server == folded(facts[:number])
            assert history.facts == in_order(facts[cut:number])
            assert history.version == number


def test_a_fact_at_the_very_time_of_the_base_belongs_behind_it() -> None:
    base = folded(arriving((registered(), 0), (ServerStopped(), 5)))
    history = History(base=base)

    (started,) = arriving((ServerStarted(), 5), behind=2)
    assert history.take(started) is True
    assert history.server is not None
    assert (history.server.status, history.server.version) == ("ACTIVE", 3)
    # Late, and still behind all that is not held.
    later, between = arriving((ServerRenamed("later"), 9), (ServerRenamed("between"), 7), behind=3)
    assert (history.take(later), history.take(between)) == (True, False)
    assert history.lacks_past is False
    assert [fact.occurred_at for fact in history.facts] == [5, 7, 9]
    (at_once,) = arriving((ServerRenamed("at once"), 5), behind=5)
    assert history.take(at_once) is False
    assert history.lacks_past is False
    assert [fact.position for fact in history.facts] == [30, 60, 50, 40]
    assert history.server is not None
    assert (history.server.name, history.server.version) == ("later", 6)


def test_a_fact_before_the_base_leaves_nothing_behind() -> None:
    base = folded(arriving((registered(), 0), (ServerStopped(), 5)))
    history = History(base=base)
    (early,) = arriving((ServerStarted(), 4), behind=2)

    assert history.take(early) is False
    assert history.lacks_past is True
    assert history.facts == []
    (next_one,) = arriving((ServerStarted(), 9), behind=3)
    assert history.take(next_one) is False, "what comes behind a gap is not taken"
    assert history.lacks_past is True


@for_any(st.integers(0, 6).filter(lambda version: version != 3), st.booleans())
def test_a_fact_that_is_not_the_next_of_its_stream_shows_that_some_were_missed(
    version: int, behind_a_server: bool
) -> None:
    facts = arriving((registered(), 0), (ServerStopped(), 5))
    history = History(base=folded(facts)) if behind_a_server else History(facts)

    assert history.take(Fact(9, 90, SERVER, version, ServerStarted())) is False
    assert history.lacks_past is True


def test_a_history_without_facts_is_that_of_no_server() -> None:
    history = History()
    assert (history.server, history.version, history.latest) == (None, 0, None)
    assert history.lacks_past is False


def test_facts_before_a_beginning_count_though_there_is_no_server() -> None:
    early, begun = arriving((ServerRenamed("early"), 9), (registered(), 0))
    history = History()

    assert history.take(early) is True
    assert (history.server, history.version, history.latest) == (None, 1, 9)
    assert history.take(begun) is False
    assert history.server is not None
    assert (history.server.name, history.server.version) == ("early", 2)


def test_a_deleted_server_goes_on_counting() -> None:
    history = History(arriving((registered(), 0), (ServerDeleted(), 5)))
    assert history.take(*arriving((ServerRenamed("after"), 9), behind=2)) is True
    assert history.server is not None
    assert (history.server.deleted, history.server.version) == (True, 3)
    assert history.server.name == registered().name


def test_its_version_is_the_highest_and_not_that_of_the_last_in_order() -> None:
    first, late = arriving((registered(), 9), (ServerRenamed("early"), 3))
    history = History([first, late])
    assert (history.facts[-1].version, history.version) == (1, 2)
    assert history.server is not None
    assert history.server.version == 2


@for_any(at_any_time)
def test_growing_asks_the_fold_once_for_each_fact_at_the_end(facts: list[Fact]) -> None:
    """A fact at the end leaves what was folded alone: the server before is folded on from."""
    ordered = [
        replace(fact, position=number, version=number)
        for number, fact in enumerate(in_order(facts), start=1)
    ]
    history = History()
    seen = []
    for fact in ordered:
        history.take(fact)
        seen.append(history.server)
    for (before, after), fact in zip(pairwise([None, *seen]), ordered, strict=True):
        step = fold([(fact.event, fact.occurred_at)], before)
        assert after == (step and replace(step, version=fact.version, first_position=1))
