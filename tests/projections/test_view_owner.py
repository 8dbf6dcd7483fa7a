"""A view that a log left behind is replaced at its default place; one that a log uses never is."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from serverdomain import Servers, StoreForeign
from tests.projections.cloud import Cloud, change, rows


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """A cloud of one server, closed, with its view."""
    with Cloud(tmp_path) as cloud:
        cloud.create("old")
        assert cloud.servers.list()
        assert list(cloud.servers.timeline.search())
    return cloud


def as_0_1_0_made_it(view: Path) -> None:
    change(view, "ALTER TABLE follows DROP COLUMN log_path")


def remove_log(cloud: Cloud) -> None:
    """As ``rm cloud.db*`` does."""
    for path in cloud.path.parent.glob(f"{cloud.path.name}*"):
        path.unlink()


def made_anew(tmp_path: Path, name: str = "cloud.db") -> list[str]:
    with Cloud(tmp_path, name) as fresh:
        fresh.create("new")
        listed = [server.name for server in fresh.servers.list()]
        told = [change.after for one in fresh.servers.timeline.search() for change in one.changes]
        assert "new" in told
    return listed


@pytest.mark.parametrize("old", [False, True])
def test_a_log_that_is_made_anew_has_a_view_of_its_own(
    cloud: Cloud, tmp_path: Path, caplog: pytest.LogCaptureFixture, old: bool
) -> None:
    if old:
        as_0_1_0_made_it(cloud.view_path)
    remove_log(cloud)
    with caplog.at_level(logging.WARNING, "serverdomain"):
        assert made_anew(tmp_path) == ["new"]
    assert any(
        "cloud.view.db is the view of another log, which is gone; put aside as" in line
        for line in caplog.messages
    )


def test_a_log_put_in_its_place_has_a_view_of_its_own(cloud: Cloud, tmp_path: Path) -> None:
    with Cloud(tmp_path, "other.db") as other:
        other.create("other")
    other.path.replace(cloud.path)
    with Servers.open(cloud.url) as servers:
        assert [server.name for server in servers.list()] == ["other"]


@pytest.mark.parametrize("moved_to", ["elsewhere.db", "cloud"])
def test_the_view_of_a_log_that_is_there_is_never_replaced(
    cloud: Cloud, tmp_path: Path, moved_to: str
) -> None:
    moved = cloud.path.rename(tmp_path / moved_to)
    with Servers.open(f"sqlite:///{moved}", view=cloud.view_path) as servers:
        assert len(servers.list()) == 1, "it goes on with its view, where that was"
    before = cloud.view_path.read_bytes()
    with pytest.raises(StoreForeign, match=r"of another log; name another file, or remove"):
        made_anew(tmp_path)
    assert cloud.view_path.read_bytes() == before
    moved.unlink()
    assert set(made_anew(tmp_path)) == {"new"}


def test_where_nobody_can_tell_whether_its_log_is_there_it_stays(
    cloud: Cloud, tmp_path: Path
) -> None:
    moved = cloud.path.rename(tmp_path / "elsewhere.db")
    with Servers.open(f"sqlite:///{moved}", view=cloud.view_path) as servers:
        servers.list()
    moved.write_bytes(moved.read_bytes()[:4096] + bytes(4096))
    with pytest.raises(StoreForeign, match="of another log"):
        made_anew(tmp_path)


def test_a_view_of_0_1_0_that_somebody_has_open_stays(cloud: Cloud, tmp_path: Path) -> None:
    moved = cloud.path.rename(tmp_path / "elsewhere.db")
    with Servers.open(f"sqlite:///{moved}", view=cloud.view_path) as servers:
        servers.list()
        as_0_1_0_made_it(cloud.view_path)
        with pytest.raises(StoreForeign, match="of another log"):
            made_anew(tmp_path)
        assert len(servers.list()) == 1


def test_a_view_of_0_1_0_without_a_suffix_is_no_left_behind_one(
    cloud: Cloud, tmp_path: Path
) -> None:
    as_0_1_0_made_it(cloud.view_path)
    cloud.path.rename(tmp_path / "cloud")
    with pytest.raises(StoreForeign, match="of another log"):
        made_anew(tmp_path)


@pytest.mark.parametrize("damage", ["DELETE FROM follows", "UPDATE follows SET log_path = 5"])
def test_one_that_says_nothing_sound_of_a_log_that_is_gone_is_replaced(
    cloud: Cloud, tmp_path: Path, damage: str
) -> None:
    change(cloud.view_path, damage)
    remove_log(cloud)
    assert made_anew(tmp_path) == ["new"]


def test_a_given_view_of_a_log_that_is_gone_stays(cloud: Cloud, tmp_path: Path) -> None:
    remove_log(cloud)
    given = cloud.view_path.rename(tmp_path / "given.db")
    before = given.read_bytes()
    with (
        Cloud(tmp_path) as fresh,
        Servers.open(fresh.url, view=given) as servers,
        pytest.raises(StoreForeign, match="of another log"),
    ):
        servers.list()
    assert given.read_bytes() == before


def test_a_view_says_where_its_log_is_and_follows_it(cloud: Cloud, tmp_path: Path) -> None:
    as_0_1_0_made_it(cloud.view_path)
    folder = tmp_path / "moved"
    folder.mkdir()
    for path in (cloud.path, cloud.view_path):
        path.rename(folder / path.name)
    with Cloud(folder) as moved:
        assert moved.servers.list() == moved.folded()
    assert rows(moved.view_path, "(SELECT log_path FROM follows)") == [(os.fsencode(moved.path),)]
    assert not [*folder.glob("*.damaged")]
