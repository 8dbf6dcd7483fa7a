"""Who follows a log while others do the same goes on from where they left it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from serverdomain.projections import following
from serverdomain.projections import generations as tables
from serverdomain.projections.server_rows import SERVERS, ServerRows
from serverdomain.projections.view_file import ViewFile
from serverdomain.projections.view_place import ViewPlace
from tests.projections.cloud import Cloud, generations, rows


class Between(ServerRows):
    """Rows for which something happens between the first reading and the first writing."""

    def __init__(self, happens: Callable[[], None]) -> None:
        self._happens = [happens]

    def changes(self, *page: Any, **named: Any) -> Any:
        for happens in self._happens:
            self._happens = []
            happens()
        return super().changes(*page, **named)


def opened(cloud: Cloud, kept: ServerRows) -> ViewFile:
    return ViewPlace(cloud.store, None, kept).open()


def test_who_finds_that_another_wrote_meanwhile_goes_on_from_there(tmp_path: Path) -> None:
    with Cloud(tmp_path) as cloud:
        cloud.rename(cloud.create("one"), "1", "2")
        other = opened(cloud, SERVERS)

        def another_writes_a_page() -> None:
            with other.reading() as shown:
                live = tables.live(shown, SERVERS)
                page = following.next_advance(cloud.store, shown, live, 1)
            assert page is not None
            with other.writing() as connection:
                assert following.take(connection, page)

        ours = opened(cloud, Between(another_writes_a_page))
        told: list[tuple[int, int]] = []
        following.catch_up(cloud.store, ours, progress=lambda *at: told.append(at))
        assert told == [(3, 3)]
        with ours.reading() as shown:
            assert tables.live(shown, SERVERS).position == 3
        assert rows(cloud.view_path, "name") == [("2",)]
        for file in (ours, other):
            file.close()


def test_rows_that_replace_others_are_never_behind_them(tmp_path: Path) -> None:
    with Cloud(tmp_path) as cloud:
        server_id = cloud.create("one")
        cloud.servers.list()

        def another_follows_further() -> None:
            cloud.rename(server_id, "two")
            cloud.servers.list()

        ours = opened(cloud, Between(another_follows_further))
        seen: list[tuple[list[int], list[tuple[object, ...]]]] = []
        following.replay(
            cloud.store,
            ours,
            progress=lambda *_: seen.append(
                (generations(cloud.view_path), rows(cloud.view_path, "name"))
            ),
        )
        assert seen == [([1, 2], [("two",)]), ([2], [("two",)])]
        ours.close()


def test_rows_of_an_earlier_replay_are_not_shown_once_those_of_a_later_one_are(
    tmp_path: Path,
) -> None:
    with Cloud(tmp_path) as cloud:
        cloud.create("one")
        cloud.servers.list()
        ours = opened(cloud, Between(cloud.servers.view.replay))
        following.replay(cloud.store, ours)
        assert generations(cloud.view_path) == [3]
        assert rows(cloud.view_path, "name") == [("one",)]
        ours.close()
