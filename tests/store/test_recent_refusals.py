"""An actor's refusals are counted by the servers' clock where the log's times stand still."""

from serverdomain.store.recent_refusals import MINUTE, MOST, RecentRefusals

NOW = 2**52


def fill(recent: RecentRefusals, now: int, user: str = "fake") -> int:
    return sum(recent.has_room(user, "openstack", now) for _ in range(2 * MOST))


def test_there_is_room_for_so_many_in_a_minute_and_again_in_the_next() -> None:
    recent = RecentRefusals()
    assert fill(recent, NOW) == MOST
    assert fill(recent, NOW + MINUTE - 1) == 0
    assert fill(recent, NOW + MINUTE) == MOST


def test_actors_are_counted_apart() -> None:
    recent = RecentRefusals()
    assert fill(recent, NOW) == fill(recent, NOW, "other") == MOST
    assert not recent.has_room("fake", "openstack", NOW)
    assert recent.has_room("fake", "other", NOW)


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    recent = RecentRefusals()
    assert fill(recent, NOW) == MOST
    assert fill(recent, NOW - 1) == MOST


def test_only_the_actors_who_were_refused_last_are_remembered() -> None:
    recent = RecentRefusals(actors=2)
    for user in ("first", "second", "first", "third"):
        fill(recent, NOW, user)
    assert fill(recent, NOW, "first") == 0
    assert fill(recent, NOW, "second") == MOST
