"""A moment is said in one of five ways, and each gives the answer that its name promises."""

import re
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from uuid import uuid4

import pytest

from serverdomain import AsOf, InvalidInput, NotFound, Refused, Servers
from serverdomain.audit.as_of import read_moment
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.limits import shown
from serverdomain.testing import ManualClock
from tests.projections.cloud import Cloud

NOON = datetime(2012, 9, 12, 12, tzinfo=UTC)
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def cloud(new_log):
    with Cloud(new_log()) as cloud:
        yield cloud


# The words


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "as_of: nothing came"),
        ({"version": 1, "position": 1}, "as_of: version and position came"),
        ({"version": 1, "recorded_at": NOON}, "as_of: version and recorded_at came"),
        (
            {"position": 1, "recorded_at": NOON, "occurred_at": NOON},
            "as_of: position and recorded_at and occurred_at came",
        ),
        ({"version": -1}, "version: -1 came, a whole number"),
        ({"position": 1.0}, "position: 1.0 came"),
        ({"position": True}, "position: True came"),
        ({"version": "1"}, "version: '1' came"),
        ({"recorded_at": datetime(2012, 9, 12)}, "recorded_at: 2012-09-12T00:00:00 has no zone"),  # noqa: DTZ001
        ({"occurred_at": NOON.date()}, "occurred_at: a date came, an aware datetime"),
        ({"occurred_at": 0}, "occurred_at: a int came"),
    ],
)
def test_what_is_no_moment_is_refused_by_name(given, says):
    with pytest.raises(InvalidInput, match=f"^{says}"):
        AsOf(**given)


def test_a_moment_is_said_by_name_and_never_changed():
    with pytest.raises(TypeError):
        AsOf(1)
    with pytest.raises(FrozenInstanceError):
        AsOf(version=1).version = 2
    assert AsOf(version=1) == AsOf(version=1) != AsOf(position=1)
    assert len({AsOf(recorded_at=NOON), AsOf(recorded_at=NOON), AsOf(occurred_at=NOON)}) == 2


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("version:3", AsOf(version=3)),
        ("position:0", AsOf(position=0)),
        ("recorded:2012-09-12T12:00:00Z", AsOf(recorded_at=NOON)),
        ("occurred:2012-09-12t12:00:00z", AsOf(occurred_at=NOON)),
        (
            "recorded:2012-09-12T12:00:00Z,occurred:2012-09-12T13:00:00+01:00",
            AsOf(recorded_at=NOON, occurred_at=NOON),
        ),
        (
            "occurred:2012-09-12T12:00:00Z,recorded:2012-09-12T12:00:00Z",
            AsOf(recorded_at=NOON, occurred_at=NOON),
        ),
    ],
)
def test_a_moment_is_read_from_words_and_told_in_them(text, means):
    assert AsOf.read(text) == means
    assert AsOf.read(str(means)) == means
    assert read_moment(text, "A") == means


NEXT_DAY = datetime(2012, 9, 12, 23, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2012-09-12", AsOf(recorded_at=NEXT_DAY)),
        ("recorded:2012-09-12", AsOf(recorded_at=NEXT_DAY)),
        ("occurred:yesterday", AsOf(occurred_at=NEXT_DAY)),
        ("2012-09-12T12:00:00Z", AsOf(recorded_at=NOON)),
        ("recorded:now", AsOf(recorded_at=NOON + timedelta(days=1))),
        ("24h ago,occurred:2012-09-12", AsOf(recorded_at=NOON, occurred_at=NEXT_DAY)),
    ],
)
def test_a_time_is_one_of_recording_unless_it_says_occurred_and_a_day_is_its_end(text, means):
    assert AsOf.read(text, now=NOON + timedelta(days=1)) == means


def test_a_moment_may_be_given_in_words_wherever_one_is_taken(cloud):
    server_id = cloud.create("born")
    cloud.clock.advance(timedelta(days=3))
    cloud.servers.rename(server_id, "later")
    for words in ("version:1", "2 days ago", "2012-09-12", "recorded:2012-09-13,occurred:1h ago"):
        assert cloud.servers.get(server_id, as_of=words).name == "born"
    assert cloud.servers.get(server_id, as_of="now").name == "later"
    with cloud.servers.fleet(as_of="yesterday") as fleet:
        assert [one.name for one in fleet.servers()] == ["born"]
    (change,) = cloud.servers.diff(server_id, "yesterday", "now").changes
    assert (change.before, change.after) == ("born", "later")
    assert len(cloud.servers.diff_fleet("2012-09-12", "now").servers) == 1
    for wrong in (1, {"version": 1}, NOON, ["version:1"]):
        came = re.escape(shown(wrong))
        with pytest.raises(InvalidInput, match=f"^as_of: {came} came, an AsOf or its words"):
            cloud.servers.get(server_id, as_of=wrong)
        with pytest.raises(InvalidInput, match=r"^before: .* came, an AsOf or a string"):
            cloud.servers.diff(server_id, wrong)


@pytest.mark.parametrize("number", [2**63, 10**40])
def test_no_number_is_too_large_to_be_told_the_head(cloud, number):
    server_id = cloud.create("born")
    for as_of, head in (
        ("version", f"server {server_id} is 1"),
        ("position", "the log's head is 1"),
    ):
        with pytest.raises(Refused, match=f"^{as_of} {number} came, .*{head}$"):
            cloud.servers.get(server_id, as_of=AsOf.read(f"{as_of}:{number}"))
        with pytest.raises(Refused, match=f"^{as_of} {number} came"):
            cloud.servers.diff(server_id, "first", AsOf(**{as_of: number}))
    with pytest.raises(Refused, match=r"head is 1$"):
        cloud.servers.fleet(as_of=AsOf(position=number))


def test_later_than_anything_is_no_other_than_now(new_log):
    assert AsOf(recorded_at=datetime.max.replace(tzinfo=UTC)).bounds == {
        "recorded_at": moment.LATEST
    }
    farthest = timezone(timedelta(hours=-14))
    assert AsOf(occurred_at=datetime.max.replace(tzinfo=farthest)).bounds == {
        "occurred_at": moment.LATEST
    }
    with Cloud(new_log()) as cloud:
        server_id = cloud.create("born")
        for name in ("recorded", "occurred"):
            for text in ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999-14:00"):
                then = cloud.servers.get(server_id, as_of=AsOf.read(f"{name}:{text}"))
                assert then == cloud.servers.get(server_id)
            with pytest.raises(NotFound):
                cloud.servers.get(server_id, as_of=AsOf.read(f"{name}:0001-01-01T00:00:00Z"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "version",
        "version:",
        "version:-1",
        "version:+1",
        "version:1.0",
        "version:٣",
        "Version:1",
        " version:1",
        "version:1,position:1",
        "recorded:2012-09-12T12:00:00Z,version:1",
        "version:1,recorded:2012-09-12T12:00:00Z",
        "recorded:2012-09-12T12:00:00Z,recorded:2012-09-12T12:00:00Z",
        "recorded:2012-09-12T12:00:00Z,",
        "recorded_at:2012-09-12T12:00:00Z",
        "recorded:",
        "recorded:yesterdays",
        "now,yesterday",
        "first",
    ],
)
def test_other_words_are_refused_with_those_that_are_allowed(text):
    with pytest.raises(InvalidInput, match=r"^--as-of: .* allowed") as caught:
        AsOf.read(text, "--as-of")
    assert str(caught.value).isprintable()


def test_a_clock_by_another_name_is_told_which_there_are():
    with pytest.raises(InvalidInput, match=r"came, version:N, .* recorded:TIME"):
        AsOf.read("recorded_at:2012-09-12T12:00:00Z")


def test_of_a_diff_first_and_now_are_moments_too():
    words = ("first", "FIRST", "now", "Now")
    assert [read_moment(word, "A") for word in words] == ["first", "first", "now", "now"]
    with pytest.raises(InvalidInput, match=r"^A: 'then' came, version:N, .* first is, too$"):
        read_moment("then", "A")


# The answers


@pytest.fixture
def story(cloud):
    """A server: born at 0 s, renamed at 20 s, and told at 30 s that it was stopped at 10 s."""
    born = cloud.clock.now + timedelta(seconds=1)  # `create` moves the clock.
    server_id = cloud.create("born")
    cloud.clock.advance(20)
    cloud.rename(server_id, "renamed")
    cloud.clock.advance(10)
    late = born + timedelta(seconds=10)
    cloud.servers.record(server_id, [e.ServerRenamed("late"), e.ServerStopped()], occurred_at=late)
    return server_id, born


def test_by_version_the_first_events_in_the_log(cloud, story):
    server_id, _ = story
    found = [cloud.servers.get(server_id, as_of=AsOf(version=n)) for n in range(1, 5)]
    assert [(one.name, one.state, one.version) for one in found] == [
        ("born", "BUILD", 1),
        ("renamed", "BUILD", 2),
        ("renamed", "BUILD", 3),
        ("renamed", "SHUTOFF", 4),
    ]


def test_by_position_those_at_or_below_it(cloud, story):
    server_id, _ = story
    other = cloud.create("other")
    assert cloud.servers.get(server_id, as_of=AsOf(position=5)) == cloud.servers.get(server_id)
    assert cloud.servers.get(server_id, as_of=AsOf(position=1)).name == "born"
    assert cloud.servers.get(other, as_of=AsOf(position=5)).name == "other"
    with pytest.raises(NotFound, match=f"^server {other} is not there as of position:4$"):
        cloud.servers.get(other, as_of=AsOf(position=4))


@pytest.mark.parametrize(
    ("recorded", "occurred", "name", "state"),
    [
        # What we knew then.
        (0, None, "born", "BUILD"),
        (19.999999, None, "born", "BUILD"),
        (20, None, "renamed", "BUILD"),
        (29.999999, None, "renamed", "BUILD"),
        (30, None, "renamed", "SHUTOFF"),
        (10_000, None, "renamed", "SHUTOFF"),
        # What was true then, as known today.
        (None, 0, "born", "BUILD"),
        (None, 9.999999, "born", "BUILD"),
        (None, 10, "late", "SHUTOFF"),
        (None, 20, "renamed", "SHUTOFF"),
        (None, 10_000, "renamed", "SHUTOFF"),
        # What we knew then about that moment.
        (20, 10, "born", "BUILD"),
        (29.999999, 19.999999, "born", "BUILD"),
        (30, 10, "late", "SHUTOFF"),
        (30, 9.999999, "born", "BUILD"),
        (29.999999, 20, "renamed", "BUILD"),
    ],
)
def test_each_clock_and_both_have_their_own_answer(cloud, story, recorded, occurred, name, state):
    server_id, born = story
    at = {
        clock: born + timedelta(seconds=seconds)
        for clock, seconds in (("recorded_at", recorded), ("occurred_at", occurred))
        if seconds is not None
    }
    found = cloud.servers.get(server_id, as_of=AsOf(**at))
    assert (found.name, found.state) == (name, state)


@pytest.mark.parametrize(
    "seconds",
    [{"recorded_at": -1}, {"occurred_at": -1}, {"recorded_at": 30, "occurred_at": -1}],
)
def test_before_its_beginning_it_is_not_there(cloud, story, seconds):
    server_id, born = story
    at = AsOf(**{clock: born + timedelta(seconds=value) for clock, value in seconds.items()})
    with pytest.raises(NotFound, match=f"^server {server_id} is not there as of "):
        cloud.servers.get(server_id, as_of=at)
    for none in (AsOf(version=0), AsOf(position=0)):
        with pytest.raises(NotFound):
            cloud.servers.get(server_id, as_of=none)


def test_once_deleted_it_is_not_there_and_was_before(cloud, story):
    server_id, _ = story
    cloud.clock.advance(1)
    cloud.servers.delete(server_id)
    assert cloud.servers.get(server_id, as_of=AsOf(version=4)).name == "renamed"
    earlier = cloud.clock.now - timedelta(microseconds=1)
    assert cloud.servers.get(server_id, as_of=AsOf(occurred_at=earlier)).name == "renamed"
    for gone in (AsOf(version=5), AsOf(position=5), AsOf(occurred_at=cloud.clock.now)):
        with pytest.raises(NotFound, match=f"^server {server_id} is not there as of {gone}$"):
            cloud.servers.get(server_id, as_of=gone)


def test_what_is_known_of_the_future_is_what_is_known_now(cloud, story):
    server_id, _ = story
    soon = cloud.clock.now + timedelta(seconds=200)
    cloud.servers.record(server_id, [e.ServerRenamed("soon")], occurred_at=soon)
    now = AsOf(occurred_at=cloud.clock.now)
    assert cloud.servers.get(server_id, as_of=now).name == "renamed"
    assert cloud.servers.get(server_id, as_of=AsOf(recorded_at=cloud.clock.now)).name == "soon"
    never = datetime(9000, 1, 1, tzinfo=UTC)
    for later in (AsOf(occurred_at=never), AsOf(recorded_at=never)):
        assert cloud.servers.get(server_id, as_of=later) == cloud.servers.get(server_id)


def test_beyond_the_head_is_refused_and_the_head_named(cloud, story):
    server_id, _ = story
    cloud.create("another")
    with pytest.raises(Refused, match=r"^position 6 came, the log's head is 5$") as refused:
        cloud.servers.get(server_id, as_of=AsOf(position=6))
    assert refused.value.rule == "head"
    told = f"^version 5 came, the head of server {server_id} is 4$"
    with pytest.raises(Refused, match=told) as refused:
        cloud.servers.get(server_id, as_of=AsOf(version=5))
    assert refused.value.rule == "head"
    cloud.servers.delete(server_id)
    with pytest.raises(Refused, match=r"is 5$"):
        cloud.servers.get(server_id, as_of=AsOf(version=6))


def test_an_unknown_server_is_not_there_at_any_moment(cloud):
    cloud.create()
    with pytest.raises(NotFound, match=f"^server {UNKNOWN_ID} is not there, and never was$"):
        cloud.servers.get(UNKNOWN_ID, as_of=AsOf(version=1))
    for at in (AsOf(version=1), AsOf(position=1), AsOf(recorded_at=cloud.clock.now)):
        for server_id in (UNKNOWN_ID, "foobar"):
            with pytest.raises(NotFound):
                cloud.servers.get(server_id, as_of=at)


def test_now_is_what_the_log_holds_though_the_clock_has_stepped_back(cloud, story):
    server_id, born = story
    cloud.clock.set_back(born)
    assert cloud.servers.get(server_id, as_of="now") == cloud.servers.get(server_id)


def test_of_the_fleet_no_version_is_a_moment(cloud):
    with pytest.raises(InvalidInput, match=r"^as_of: version:1 came for the fleet, position:N or"):
        cloud.servers.fleet(as_of=AsOf(version=1))


def test_events_of_others_and_refusals_do_not_matter(cloud, story):
    server_id, _ = story
    now = cloud.servers.get(server_id)
    with pytest.raises(Refused):
        cloud.servers.reset_state(server_id, "ERROR")
    cloud.append_foreign(uuid4(), [1, 2])
    with cloud.store.reading() as log:
        refused = sum(row[13] for row in log.commands())
        head = log.head()
    assert refused > 0
    for at in (AsOf(position=head), AsOf(recorded_at=cloud.clock.now), AsOf(version=4)):
        assert cloud.servers.get(server_id, as_of=at) == now


class Berlin(tzinfo):
    """The end of daylight saving in 2025: at 3:00 on 26 October it is 2:00 again."""

    def utcoffset(self, at):
        again = (at.month, at.day, at.hour) >= (10, 26, 3 - at.fold)
        return timedelta(hours=1 if again else 2)

    def dst(self, at):
        return self.utcoffset(at) - timedelta(hours=1)


def test_the_hour_that_a_wall_clock_shows_twice_is_two_moments(new_log):
    early = datetime(2025, 10, 26, 2, 30, tzinfo=Berlin())
    late = early.replace(fold=1)
    clock = ManualClock(datetime(2025, 10, 27, tzinfo=UTC))
    with Servers.open(new_log(), clock=clock) as servers:
        server_id = UNKNOWN_ID
        born = e.ServerObserved(server_id=server_id, name="born")
        servers.record(server_id, [born], occurred_at=early)
        servers.record(server_id, [e.ServerRenamed("an hour later")], occurred_at=late)
        assert servers.get(server_id, as_of=AsOf(occurred_at=early)).name == "born"
        assert servers.get(server_id, as_of=AsOf(occurred_at=late)).name == "an hour later"

        def name(text):
            return servers.get(server_id, as_of=AsOf.read(f"occurred:{text}")).name

        assert name("2025-10-26T02:30:00+02:00") == "born"
        assert name("2025-10-26T00:30:00Z") == "born"
        assert name("2025-10-25T17:30:00-07:00") == "born"
        assert name("2025-10-26T06:15:00+05:45") == "born"
        assert name("2025-10-26T01:29:59.999999Z") == "born"
        assert name("2025-10-26T02:30:00+01:00") == "an hour later"
        assert name("2025-10-26T01:30:00-00:00") == "an hour later"
        assert name("2025-10-26T14:30:00+13:00") == "an hour later"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("occurred:2012-09-12T17:20:37", "naive"),
        ("recorded:2016-12-31T23:59:60Z", "second 60"),
        ("recorded:2012-09-12T17:20:37Z,occurred:2012-09-12T17:20:37", "naive"),
        ("occurred:2012-09-31T00:00:00Z", "is not a time"),
        ("occurred:2012-09-12T24:00:00Z", "is not a time"),
        ("occurred:2012-09-12T17:20:37+24:00", "is not a time"),
        ("occurred:then", "is not a time"),
        ("3x", "is not a time"),
    ],
)
def test_a_time_without_a_zone_and_a_second_60_are_refused_by_name(text, says):
    with pytest.raises(InvalidInput, match=says):
        AsOf.read(text)


def test_a_time_is_told_in_microseconds():
    at = AsOf.read("recorded:2012-09-12T17:20:37.123456789+01:00")
    assert at.as_json() == {"recorded_at": "2012-09-12T16:20:37.123456Z"}
    assert at.bounds == {"recorded_at": moment.parse("2012-09-12T16:20:37.123456Z")}


def test_one_server_as_of_a_moment_reads_no_more_than_get():
    """Its own events alone, by the index of its stream."""
    with Cloud() as cloud:
        reads_no_more_than_get(cloud)


def reads_no_more_than_get(cloud):
    server_id = cloud.create()
    with cloud.store.connections.reading() as log:
        asked = []
        log.set_trace_callback(asked.append)
        cloud.servers.get(server_id)
        get = [query for query in asked if "stored_events" in query]
        for until in ({"version": 1}, {"recorded_at": cloud.clock.now}, {"position": 1}):
            asked.clear()
            cloud.servers.get(server_id, as_of=AsOf(**until))
            log.set_trace_callback(None)
            queries_ = [query for query in asked if "stored_events" in query]
            log.set_trace_callback(asked.append)
            # The head beside it, where a position is asked for.
            assert len(queries_) == len(get) + ("position" in until)
            for query in queries_:
                plan = log.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
                assert all("SCAN" not in step[3] for step in plan), plan
        log.set_trace_callback(None)
