"""What a view is to whoever holds it."""

from __future__ import annotations

from pathlib import Path

from tests.projections.cloud import Cloud


def test_a_view_is_there_even_without_rows_and_counts_those_of_its_position(
    tmp_path: Path,
) -> None:
    with Cloud(tmp_path) as cloud:
        view = cloud.servers.view
        assert view
        assert len(view) == 0
        cloud.create()
        assert len(view) == 0
        view.catch_up()
        assert len(view) == 1
        assert repr(view) == f"<ServerView of {cloud.store}>"


def test_who_waits_for_it_is_told_after_each_page_how_far_it_has_come(tmp_path: Path) -> None:
    with Cloud(tmp_path) as cloud:
        for _ in range(3):
            cloud.create()
        view = cloud.view(page=2)
        told: list[tuple[int, int]] = []
        view.catch_up(lambda position, head: told.append((position, head)))
        assert told == [(2, 3), (3, 3)]
        view.close()
