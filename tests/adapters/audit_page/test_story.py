"""A server's story grows with the log, and says what came late."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from serverdomain import Context, Servers
from serverdomain.adapters.audit_page import story as story_module
from serverdomain.adapters.audit_page.stories import Stories
from serverdomain.adapters.audit_page.story import Story
from serverdomain.domain.events import ServerRenamed
from serverdomain.store.recorded import RecordedEvent
from tests.adapters.audit_page.looking import FOREIGN, WEB
from tests.adapters.http.client import ACTORS


def admin() -> Context:
    return Context(ACTORS["admin"])


def rows(story: Story) -> list[tuple[int, str, bool, int]]:
    return [(one.row, one.entry.name, one.late, len(one.entry.changes)) for one in story.moments()]


def read_anew(servers: Servers) -> list[tuple[int, str, bool, int]]:
    return rows(Story(WEB, servers.recorded(WEB), 0))


def test_what_an_event_changed_is_that_of_the_history(servers: Servers):
    told = Story(WEB, servers.recorded(WEB), 0)
    assert [one.entry for one in told.moments()] == servers.history(WEB)


def test_what_comes_is_added_and_nothing_is_read_again(servers: Servers):
    stories = Stories(servers)
    before = stories.find(WEB, None)
    servers.unlock(WEB, admin())
    servers.lock(FOREIGN, admin())
    after = stories.find(WEB, None)
    assert after.recorded[:8] == before.recorded
    assert all(one is other for one, other in zip(before.recorded, after.recorded, strict=False))
    assert rows(after) == read_anew(servers)
    assert (len(before), len(after)) == (8, 9)
    assert stories.find(WEB, None) is after, "the log is as it was"


def test_a_fact_that_comes_late_takes_its_place_and_says_so(servers: Servers):
    stories = Stories(servers)
    before = stories.find(WEB, None)
    assert not any(one.late for one in before.moments())
    occurred = servers.history(WEB)[1].occurred_at + timedelta(days=1)
    servers.record(WEB, [ServerRenamed(name="late")], occurred_at=occurred)
    after = stories.find(WEB, None)
    assert rows(after)[2] == (3, "ServerRenamed", True, 1)
    assert rows(after) == read_anew(servers)
    servers.unlock(WEB, admin())
    assert rows(stories.find(WEB, None)) == read_anew(servers)


def test_what_another_log_says_is_not_added(servers: Servers):
    told = Story(WEB, servers.recorded(WEB), 0)
    after = [*servers.recorded(WEB, after=told.newest.position - 1)]
    assert told.grown(iter(after), 99).head == 99
    assert told.grown(iter(after[1:]), 99) is None
    assert told.grown(servers.recorded(FOREIGN), 99) is None


def test_of_a_story_that_grows_too_long_the_latest_is_kept(servers: Servers, monkeypatch):
    monkeypatch.setattr(story_module, "MOST_EVENTS", 8)
    stories = Stories(servers)
    assert stories.find(WEB, None).left_out == 0
    servers.unlock(WEB, admin())
    told = stories.find(WEB, None)
    assert (len(told), told.left_out) == (8, 1)
    assert [one.path for one in told.moment(1).entry.changes] == ["/status"]
    whole = Story(WEB, servers.recorded(WEB), 0)
    assert rows(told) == rows(whole)


def test_of_a_story_that_grows_too_heavy_the_latest_is_kept(servers: Servers, monkeypatch):
    stories, large = Stories(servers), {f"key {number}": "x" * 250 for number in range(50)}
    light = stories.find(WEB, None)
    # An event that changes no metadata is light beside one that changes it.
    servers.unlock(WEB, admin())
    servers.replace_metadata(WEB, large, admin())
    heavy = stories.find(WEB, None)
    assert heavy.weight > light.weight + 50 * 250
    monkeypatch.setattr(story_module, "MOST_BYTES", heavy.weight)
    for number in range(4):
        servers.update_metadata(WEB, {"number": str(number)}, admin())
    told = stories.find(WEB, None)
    assert told.weight <= heavy.weight
    assert 1 < len(told) < len(heavy) + 4 == told.left_out + len(told)
    assert rows(told) == rows(Story(WEB, servers.recorded(WEB), 0))


def test_of_a_long_history_no_more_is_held_than_twice_what_is_kept(servers: Servers, monkeypatch):
    for number in range(40):
        servers.rename(WEB, f"web-{number}", admin())
    monkeypatch.setattr(story_module, "MOST_EVENTS", 4)
    told, held = Story(WEB, (), 0), []

    def watched() -> Iterator[RecordedEvent]:
        for one in servers.recorded(WEB):
            held.append(len(told))
            yield one

    told._take(watched())
    assert (len(told), told.left_out, len(held), max(held)) == (4, 44, 48, 7)
