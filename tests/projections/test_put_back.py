"""A log that was put back from a backup is noticed, and the view replayed by itself."""

import logging

import pytest

from serverdomain import StoreDamaged
from serverdomain.domain import events as e
from serverdomain.projections import following
from tests.projections.cloud import Cloud, change, rows
from tests.store.owner import backup_of, spoil

pytestmark = pytest.mark.core


@pytest.fixture
def put_back(kept_url):
    """Puts a log back of two servers and three events; two more, and three, are in the view."""
    with Cloud(kept_url) as cloud:
        cloud.rename(cloud.create("one"), "renamed")
        cloud.create("two")
    back = backup_of(kept_url)
    with Cloud(kept_url) as cloud:
        cloud.create("lost")
        cloud.rename(cloud.create("also lost"), "quite")
        assert len(cloud.servers.list()) == 4

    def put_back():
        back()
        return Cloud(kept_url)

    return put_back


@pytest.mark.parametrize("since", [0, 1, 3, 5])
def test_a_log_put_back_is_noticed_however_far_it_has_grown_again(put_back, caplog, since):
    # Shorter than the view's position, as long as it, and longer.
    with put_back() as cloud:
        for number in range(since):
            cloud.create(f"since {number}")
        assert cloud.servers.list() == cloud.folded()
        assert len(cloud.folded()) == 2 + since
        ((logger, level, line),) = caplog.record_tuples
        assert (logger, level) == ("serverdomain", logging.WARNING)
        assert f"{cloud.view_path} stood at position 6 of a log that has another row" in line
        assert "replayed from zero" in line
        cloud.create("after that")
        assert cloud.servers.list() == cloud.folded()
        assert len(caplog.messages) == 1


def test_of_a_log_whose_last_row_is_damaged_the_damage_alone_is_told(kept_url, caplog):
    with Cloud(kept_url) as cloud:
        cloud.rename(cloud.create("one"), "renamed")
        cloud.servers.list()
        spoil(cloud.store, "UPDATE stored_events SET state = '{' WHERE position = 2")
        for _ in range(2):
            with pytest.raises(StoreDamaged, match="position 2 of the log"):
                cloud.servers.list()
    assert caplog.messages == [], "it was not put back, and not replayed"


def test_a_log_put_back_and_given_the_same_events_again_needs_no_replay(put_back, caplog):
    # The same row, to the microsecond and the request id: the same log as far as the view knows.
    with put_back() as cloud:
        cloud.servers.list()
    caplog.clear()
    with put_back() as cloud:
        assert cloud.servers.list() == cloud.folded()
    assert caplog.messages == []


def test_a_log_put_back_is_noticed_by_a_replay_too(put_back, caplog):
    with put_back() as cloud:
        cloud.servers.view.replay()
        assert cloud.servers.view.servers() == cloud.folded()
        assert cloud.servers.view.status() == (3, 3, 0, 2)


def test_a_log_put_back_while_a_replay_is_under_way_is_replayed_from_zero(
    kept_url, put_back, monkeypatch
):
    monkeypatch.setattr(following, "TOGETHER", 1)
    with Cloud(kept_url) as cloud:
        view = cloud.view(page=2)
        told = []

        def pretend(position, head):
            # What the replay has done so far, it did with rows that another log has there.
            told.append(position)
            if told == [2, 4]:
                change(cloud.view_path, "UPDATE generations SET row_hash = 'x' WHERE NOT live")

        view.replay(pretend)
        assert told == [2, 4, 2, 4, 6]
        assert view.servers() == cloud.folded()
        view.close()


@pytest.mark.parametrize("row_hash", ["NULL", "'nonsense'"])
@pytest.mark.parametrize("position", [999, 6])
def test_a_position_that_the_log_does_not_bear_out_is_not_believed(
    kept_url, put_back, caplog, position, row_hash
):
    with Cloud(kept_url) as cloud:
        change(
            cloud.view_path,
            f"UPDATE generations SET position = {position}, row_hash = {row_hash}",
            "DELETE FROM server_1 WHERE name = 'lost'",
        )
        assert cloud.servers.list() == cloud.folded()
        assert len(rows(cloud.view_path)) == 4
        assert f"stood at position {position}" in caplog.text


def test_late_facts_after_a_backup_was_put_back_are_right(put_back):
    with put_back() as cloud:
        server = cloud.folded()[-1]
        cloud.servers.record(
            server.id, [e.ServerRenamed("late")], occurred_at=cloud.clock.now.replace(year=2000)
        )
        assert cloud.servers.list() == cloud.folded()
