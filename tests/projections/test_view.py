"""What a view is to whoever holds it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from serverdomain import StoreDamaged, StoreError, StoreMissing
from serverdomain.projections.view_file import ViewFile
from serverdomain.projections.view_place import ViewPlace
from tests.projections.cloud import Cloud, change
from tests.store.test_durable import no_room


def test_a_view_is_there_even_without_rows_and_counts_those_of_its_position(
    kept_url: str,
) -> None:
    with Cloud(kept_url) as cloud:
        view = cloud.servers.view
        assert view
        assert len(view) == 0
        cloud.create()
        assert len(view) == 0
        view.catch_up()
        assert len(view) == 1
        assert repr(view) == f"<ServerView of {cloud.store}>"


def test_who_waits_for_it_is_told_after_each_page_how_far_it_has_come(kept_url: str) -> None:
    with Cloud(kept_url) as cloud:
        for _ in range(3):
            cloud.create()
        view = cloud.view(page=2)
        told: list[tuple[int, int]] = []
        view.catch_up(lambda position, head: told.append((position, head)))
        assert told == [(2, 3), (3, 3)]
        view.close()


def test_it_follows_to_reach_a_position_unless_it_is_there(kept_url: str) -> None:
    with Cloud(kept_url) as cloud:
        cloud.create()
        view = cloud.servers.view
        view.catch_up()
        cloud.create()
        view.reach(1)
        assert view.status().position == 1
        view.reach(2)
        assert view.status().position == 2


def test_a_timelines_file_has_larger_pages_than_a_view_that_is_followed_by_the_event(
    kept_url: str,
) -> None:
    with Cloud(kept_url) as cloud:
        sizes = []
        for view in (cloud.servers.timeline, cloud.servers.view):
            view.catch_up()
            assert view.path is not None
            with closing(sqlite3.connect(view.path)) as file:
                sizes += file.execute("PRAGMA page_size").fetchone()
    assert sizes == [8192, 4096]


def test_its_commits_do_not_wait_for_the_disk_as_the_logs_do(tmp_path: Path) -> None:
    with (
        Cloud(tmp_path) as cloud,
        cloud.store.connections.writing() as log,
        cloud.servers.view._file.writing() as rows,
    ):
        found = [one.execute("PRAGMA synchronous").fetchone()[0] for one in (log, rows)]
    assert found == [2, 1], "FULL, and NORMAL"


@pytest.fixture
def when_it_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """What happens each time right before a view that is gone is made anew, one after another."""
    happens: list[Callable[[], object]] = []
    make = ViewPlace.open

    def after_that(place: ViewPlace) -> ViewFile:
        if happens:
            happens.pop(0)()
        return make(place)

    monkeypatch.setattr(ViewPlace, "open", after_that)
    return happens


def test_one_whose_folder_goes_while_it_is_made_anew_is_tried_again(
    kept_url: str, tmp_path: Path, when_it_is_made_anew: list[Callable[[], object]]
) -> None:
    folder, away = tmp_path / "views", tmp_path / "away"
    folder.mkdir()
    with Cloud(kept_url) as cloud:
        cloud.create()
        view = cloud.view(folder / "view.db")
        (folder / "view.db").unlink()
        when_it_is_made_anew += [lambda: folder.rename(away), lambda: away.rename(folder)]
        view.catch_up()
        assert (len(view), when_it_is_made_anew) == (1, [])
        view.close()


def test_one_whose_first_commit_fails_while_it_is_made_anew_is_tried_again(
    kept_url: str, tmp_path: Path, when_it_is_made_anew: list[Callable[[], object]]
) -> None:
    """As where somebody removes what lies beside it at that moment."""
    with Cloud(kept_url) as cloud, ExitStack() as limited:
        cloud.create()
        view = cloud.view()
        cloud.view_path.unlink()
        when_it_is_made_anew += [lambda: limited.enter_context(no_room(8192)), limited.close]
        view.catch_up()
        assert (len(view), when_it_is_made_anew) == (1, [])
        view.close()


def test_one_whose_place_somebody_took_is_tried_once(
    kept_url: str, tmp_path: Path, when_it_is_made_anew: list[Callable[[], object]]
) -> None:
    path, tried = tmp_path / "view.db", list[int]()
    with Cloud(kept_url) as cloud:
        view = cloud.view(path)
        path.unlink()
        path.write_text("no view", "utf-8")
        when_it_is_made_anew += [lambda: tried.append(1)] * 20
        with pytest.raises(StoreDamaged, match=r"view\.db"):
            view.catch_up()
        assert (len(tried), path.read_text("utf-8")) == (1, "no view")
        view.close()


def test_one_that_is_damaged_and_cannot_be_put_aside_is_tried_once(
    kept_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[StoreError] = []
    replace = ViewPlace.instead_of

    def counted(place: ViewPlace, file: ViewFile, error: StoreError) -> ViewFile:
        tried.append(error)
        return replace(place, file, error)

    monkeypatch.setattr(ViewPlace, "instead_of", counted)
    with Cloud(kept_url) as cloud:
        cloud.create()
        view = cloud.view()
        view.catch_up()
        cloud.view_path.with_name(f"{cloud.view_path.name}.damaged").mkdir()
        change(cloud.view_path, "DROP VIEW server", "DROP TABLE server_1")
        with pytest.raises(StoreError, match="it cannot be put aside"):
            len(view)
        assert len(tried) == 1
        view.close()


def test_one_that_cannot_be_made_anew_is_tried_ten_times(
    kept_url: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    when_it_is_made_anew: list[Callable[[], object]],
) -> None:
    folder = tmp_path / "views"
    folder.mkdir()
    tried: list[int] = []
    with Cloud(kept_url) as cloud:
        view = cloud.view(folder / "view.db")
        folder.rename(tmp_path / "away")
        when_it_is_made_anew += [lambda: tried.append(1)] * 20
        with pytest.raises(StoreMissing):
            view.catch_up()
        assert (len(tried), caplog.messages) == (9, [])
        view.close()
