"""Several meet a view that is gone or damaged at once: it is made anew once, and only then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from serverdomain import StoreDamaged, StoreMissing
from serverdomain.projections.server_view import ServerView
from serverdomain.store.sqlite.place import Place
from tests.projections.cloud import Cloud


@pytest.fixture
def view(kept_url: str) -> Iterator[ServerView]:
    with Cloud(kept_url) as cloud:
        cloud.create()
        yield cloud.servers.view


def damaged(place: object) -> StoreDamaged:
    error = StoreDamaged("damaged")
    error.place = place
    return error


def remove(view: ServerView) -> None:
    assert view.path is not None
    view.path.unlink()


def test_the_second_thread_takes_what_the_first_has_made(view: ServerView) -> None:
    old = view._file
    remove(view)
    first = view._instead_of(old, StoreMissing("gone"))
    assert first is not old
    assert view._instead_of(old, StoreMissing("gone")) is first


def test_damage_of_the_log_is_none_of_the_views(view: ServerView, tmp_path: Path) -> None:
    of_the_log = damaged(Place(tmp_path / "cloud.db"))
    with pytest.raises(StoreDamaged) as raised:
        view._place.instead_of(view._file, of_the_log)
    assert raised.value is of_the_log
    assert view._file.is_there()


def test_what_another_process_has_made_meanwhile_is_not_put_aside(
    view: ServerView,
) -> None:
    old = view._file
    remove(view)
    made = view._place.open()
    found = view._place._make(old, damaged(view._place.place))
    assert made.is_there()
    assert found.is_there()
    assert view.path is not None
    assert not [*view.path.parent.glob("*.damaged")]
    made.close()
    found.close()


def test_a_view_with_a_second_name_is_made_anew_and_the_other_stays(
    kept_url: str, tmp_path: Path
) -> None:
    with Cloud(kept_url) as cloud:
        cloud.create()
        assert len(cloud.servers.list()) == 1
    other = tmp_path / "other.db"
    os.link(cloud.view_path, other)
    before = other.read_bytes()
    with Cloud(kept_url) as fresh:
        fresh.create()
        assert len(fresh.servers.list()) == 2
    assert other.read_bytes() == before
    assert cloud.view_path.stat().st_nlink == 1


@pytest.mark.parametrize("is_open", [False, True])
def test_nothing_is_written_to_a_file_that_is_gone(view: ServerView, is_open: bool) -> None:
    if is_open:
        with view._file.writing():
            pass
    remove(view)
    written: list[str] = []

    def write() -> None:
        with view._file.writing():
            written.append("a row")

    with pytest.raises(StoreMissing, match=r"\.view\.db is gone$"):
        write()
    assert written == []
