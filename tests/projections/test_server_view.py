"""What the view of servers answers beside its list: counts, names, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serverdomain import InvalidInput, RegisterServer
from serverdomain.projections.server_view import MOST_NAMED, Named
from tests.projections.cloud import IMAGE, Cloud

ONE, OTHER, THIRD = (f"{digit}0000000-0000-4000-8000-000000000000" for digit in "1ab")


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with Cloud(tmp_path) as cloud:
        register(cloud, ONE, "web")
        register(cloud, OTHER, "web-2", flavor_id="7", project_id="small")
        register(cloud, THIRD, "db", flavor_id="3")
        yield cloud


def register(cloud: Cloud, server_id: str, name: str, **members: Any) -> None:
    documented = {"project_id": "large", "user_id": "fake", "image_id": IMAGE, "flavor_id": "7"}
    at = {"created": 0, "updated": 0}
    command = RegisterServer(server_id=server_id, name=name, **{**documented, **at, **members})
    cloud.servers.register(command)


def test_each_question_but_for_its_rows_follows_the_log_first(cloud: Cloud) -> None:
    view = cloud.view(page=1)
    assert view.servers() == []
    assert len(view.servers(caught_up=True)) == 3
    register(cloud, IMAGE, "new", flavor_id="new", project_id="new")
    assert len(view.some(100_000)[0]) == 4
    cloud.servers.delete(IMAGE)
    assert view.count() == 3
    cloud.servers.rename(ONE, "renamed")
    assert [one.name for one in view.named("renamed")] == ["renamed"]
    cloud.servers.rename(ONE, "web")
    assert view.flavors() == ["3", "7"]
    assert view.projects() == {"large": 2, "small": 1}
    assert view.status() == (7, 7, 0, 3)
    assert {one.id for one in view} == {ONE, OTHER, THIRD}
    view.close()


def test_a_count_is_of_what_is_asked_for(cloud: Cloud) -> None:
    view = cloud.servers.view
    assert view.count(project_id="large") == 2
    assert view.count(project_id="large", name="db", limit=0) == 1
    assert view.count(status="BUILD") == 0


def test_projects_with_as_many_servers_stand_in_the_order_of_their_names(cloud: Cloud) -> None:
    register(cloud, IMAGE, "new", project_id="another")
    assert list(cloud.servers.view.projects().items()) == [
        ("large", 2),
        ("another", 1),
        ("small", 1),
    ]


def test_of_some_the_rest_is_left_out_once_they_reach_so_many_bytes(cloud: Cloud) -> None:
    view = cloud.servers.view
    view.catch_up()
    with view._file.reading() as rows:
        sizes = [
            len(row)
            for (row,) in rows.execute(
                "SELECT server FROM server ORDER BY created DESC, first_position DESC"
            )
        ]
    whole = view.servers()
    assert view.some(sum(sizes) + 1) == (whole, False)
    assert view.some(sum(sizes)) == (whole, True)
    assert view.some(sum(sizes[:2]) + 1) == (whole, True)
    assert view.some(sum(sizes[:2])) == (whole[:2], True)
    assert view.some(1, project_id="small") == (whole[1:2], True)


def test_servers_are_named_by_their_name_or_the_beginning_of_their_id(cloud: Cloud) -> None:
    view = cloud.servers.view
    web, second = Named(ONE, "web", "ACTIVE"), Named(OTHER, "web-2", "ACTIVE")
    database = Named(THIRD, "db", "ACTIVE")
    assert view.named("web") == [web]
    assert view.named("web", begins=True) == [web, second]
    assert view.named("we") == []
    assert view.named("none", "a") == [second]
    assert view.named("none", "a0000000-0000") == [second]
    assert view.named("web", "b") == [database, web]
    assert view.named("none", "c") == []
    assert view.named("none") == []


def test_who_is_deleted_is_named_last_without_a_status(cloud: Cloud) -> None:
    cloud.servers.rename(ONE, "a web")
    cloud.servers.delete(ONE)
    cloud.servers.delete(THIRD)
    register(cloud, IMAGE, "web-2")
    assert cloud.servers.view.named("web-2", "1") == [
        Named(IMAGE, "web-2", "ACTIVE"),
        Named(OTHER, "web-2", "ACTIVE"),
        Named(ONE, "a web", None),
    ]
    assert cloud.servers.view.named("db", begins=True) == [Named(THIRD, "db", None)]


def test_no_more_are_named_than_the_bound(cloud: Cloud) -> None:
    for number in range(MOST_NAMED + 1):
        register(cloud, f"c0000000-0000-4000-8000-{number:012}", "many")
    named = cloud.servers.view.named("many")
    assert [one.id[-2:] for one in named] == [f"{number:02}" for number in range(MOST_NAMED)]


def test_what_is_no_flag_and_no_number_is_refused_by_its_name(cloud: Cloud) -> None:
    view: Any = cloud.servers.view
    with pytest.raises(InvalidInput, match=r"^caught_up: an int came, True or False is allowed"):
        view.servers(caught_up=1)
    with pytest.raises(InvalidInput, match=r"^most_bytes: a str came, a whole number is allowed"):
        view.some("all")
