"""What the list shows, which of it, in what order; and what an outsider asks the file."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlite_utils import Database

from serverdomain import AsOf, InvalidInput, RebuildServer, RegisterServer
from serverdomain.projections import server_rows
from serverdomain.projections.server_query import SORTS, STATUSES, ServerQuery
from serverdomain.testing import registered
from tests.projections.cloud import IMAGE, OTHER_IMAGE, Cloud, rows

DAY = 86_400_000_000


@pytest.fixture
def cloud(kept_url):
    """Five servers, one in each status."""
    with Cloud(kept_url) as cloud:
        for number, status in enumerate(STATUSES):
            state = "ACTIVE" if status == "REBUILD" else status
            server_id = f"00000000-0000-4000-8000-00000000000{number}"
            created = number // 2 * DAY
            cloud.servers.register(
                RegisterServer(
                    server_id=server_id,
                    name=f"{status.lower()} %_ {number}",
                    project_id="even" if number % 2 == 0 else "odd",
                    user_id="fake",
                    image_id=IMAGE if number < 3 else OTHER_IMAGE,
                    flavor_id="1",
                    created=created,
                    updated=created,
                    status=state,
                    metadata={"n": str(number)},
                )
            )
            if status == "REBUILD":
                cloud.servers.rebuild(server_id, RebuildServer(image_id=OTHER_IMAGE))
        yield cloud


def numbers(servers):
    return [int(server.metadata["n"]) for server in servers]


def test_the_newest_comes_first_and_among_the_equally_old_the_position_decides(cloud):
    assert numbers(cloud.servers.list()) == [4, 3, 2, 1, 0]


def test_servers_older_than_any_clock_come_last(cloud):
    for year in (2, 999, 1969):
        occurred_at = datetime(year, 1, 1, tzinfo=UTC)
        server_id = f"00000000-0000-4000-8000-10000000{year:04}"
        beginning = registered(server_id=server_id, metadata={"n": str(year)})
        cloud.servers.record(server_id, [beginning], occurred_at=occurred_at)
    assert numbers(cloud.servers.list()) == [4, 3, 2, 1, 0, 1969, 999, 2]
    assert cloud.servers.list() == cloud.folded()


@pytest.mark.parametrize(("number", "status"), list(enumerate(STATUSES)))
def test_of_a_status(cloud, number, status):
    assert numbers(cloud.servers.list(status=status)) == [number]
    assert cloud.servers.list(status=status)[0].status == status


@pytest.mark.parametrize("status", ["DELETED", "active", "", "x" * 300])
def test_a_status_that_there_is_not_is_refused_by_name(cloud, status):
    with pytest.raises(InvalidInput, match=r"status: .*ACTIVE, BUILD, ERROR, REBUILD, SHUTOFF"):
        cloud.servers.list(status=status)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("build", [1, 3]),
        ("re", [3]),
        ("%_ 4", [4]),
        ("%", [4, 2, 3, 0, 1]),
        ("BUILD", []),
        ("*", []),
    ],
)
def test_of_a_part_of_a_name_taken_as_it_is(cloud, name, found):
    assert sorted(numbers(cloud.servers.list(name=name))) == sorted(found)


def test_of_a_flavor(cloud):
    assert numbers(cloud.servers.list(flavor_id="1")) == [4, 3, 2, 1, 0]
    assert cloud.servers.list(flavor_id="2") == []


def test_of_an_image_and_of_a_project(cloud):
    assert numbers(cloud.servers.list(image_id=IMAGE)) == [2, 1, 0]
    assert numbers(cloud.servers.list(project_id="odd")) == [3, 1]
    assert cloud.servers.list(project_id="' OR 1 --") == []


def test_of_all_of_these_together(cloud):
    found = cloud.servers.list(
        status="REBUILD", name="build", image_id=OTHER_IMAGE, project_id="odd"
    )
    assert numbers(found) == [3]
    assert cloud.servers.list(status="REBUILD", project_id="even") == []


@pytest.mark.parametrize("member", ["name", "project_id", "image_id"])
def test_words_that_no_server_can_have_are_refused_by_name(cloud, member):
    with pytest.raises(InvalidInput, match=f"{member}: "):
        cloud.servers.list(**{member: "\ud800"})


# An outsider


def test_an_outsider_queries_the_columns_with_sqlite_utils(cloud):
    cloud.servers.list()
    database = Database(cloud.view_path)
    assert database["server"].columns_dict.keys() == server_rows.COLUMNS.keys()
    found = list(
        database.query(
            "SELECT name, project_id, json_extract(metadata, '$.n') AS n, created, progress,"
            " rebuild_id IS NOT NULL AS is_rebuilt FROM server WHERE status = 'REBUILD'"
        )
    )
    assert found == [
        {
            "name": "rebuild %_ 3",
            "project_id": "odd",
            "n": "3",
            "created": "1970-01-02T00:00:00.000000Z",
            "progress": 0,
            "is_rebuilt": 1,
        }
    ]
    database.close()


def test_every_column_says_what_the_server_says(cloud):
    locked = cloud.servers.lock(cloud.folded()[0].id).server
    cloud.servers.list()
    database = Database(cloud.view_path)
    (row,) = database["server"].rows_where("id = ?", [locked.id])
    database.close()
    for column in ("name", "status", "image_id", "flavor_id", "project_id", "user_id", "host_id"):
        assert row[column] == getattr(locked, column)
    assert row["locked_by"] == locked.locked_by is not None
    assert (row["version"], row["progress"]) == (2, 0)
    assert json.loads(row["metadata"]) == locked.metadata
    assert server_rows.read_row(row["server"]) == locked
    assert row["updated"].startswith("2012-09-12T")


def names(servers):
    return [server.name.split()[0] for server in servers]


def test_an_anchored_name_finds_the_ends_too(cloud):
    servers = cloud.servers
    assert names(servers.list(name="build")) == ["rebuild", "build"]
    assert names(servers.list(name="^build", anchored=True)) == ["build"]
    assert names(servers.list(name="4$", anchored=True)) == ["shutoff"]
    assert names(servers.list(name="^error %_ 2$", anchored=True)) == ["error"]
    assert names(servers.list(name="^error$", anchored=True)) == []
    assert names(servers.list(name="%_ 2", anchored=True)) == ["error"]
    assert len(servers.list(name="$", anchored=True)) == 5
    assert len(servers.list(name="^", anchored=True)) == 5


def test_without_anchors_a_name_is_taken_as_it_is(cloud):
    cloud.servers.rename("00000000-0000-4000-8000-000000000000", "^$")
    assert numbers(cloud.servers.list(name="^")) == [0]
    assert numbers(cloud.servers.list(name="$")) == [0]
    assert numbers(cloud.servers.list(name="^^$$", anchored=True)) == [0]


@pytest.mark.parametrize("asked", [{}, {"project_id": "even"}, {"name": "%"}, {"status": "ERROR"}])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_behind_each_other_are_the_whole_list(cloud, asked, limit):
    whole = cloud.servers.list(**asked)
    pages, marker = [], None
    while page := cloud.servers.list(limit=limit, marker=marker, **asked):
        pages += page
        marker = page[-1].id
    assert pages == whole


def test_a_page_may_be_empty(cloud):
    assert cloud.servers.list(limit=0) == []
    assert cloud.servers.list(limit=2**63) == cloud.servers.list()
    with pytest.raises(InvalidInput, match=r"^limit: -1 came"):
        cloud.servers.list(limit=-1)


def test_a_list_ends_with_the_row_that_reaches_so_many_bytes(cloud):
    view = cloud.servers.view
    cloud.servers.list()
    second, newest = (len(server) for (server,) in rows(cloud.view_path, "server")[-2:])
    for most, shown in (
        (1, [4]),
        (newest, [4]),
        (newest + 1, [4, 3]),
        (newest + second, [4, 3]),
        (newest + second + 1, [4, 3, 2]),
    ):
        servers, is_cut = view.some(most)
        assert (numbers(servers), is_cut) == (shown, True)
    servers, is_cut = view.some(1_000_000)
    assert (numbers(servers), is_cut) == ([4, 3, 2, 1, 0], False)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"limit": True}, "limit: True came, a whole number of at least 0 is allowed"),
        ({"limit": "1"}, "limit: '1' came, a whole number of at least 0 is allowed"),
        ({"anchored": 1}, "anchored: 1 came, True or False is allowed"),
        ({"name": 5}, "name: an int came, a string or an iterable is allowed"),
        ({"status": 5}, "status: an int came, a string or an iterable is allowed"),
        ({"marker": "x"}, "marker: 'x' came, the id of a server is allowed"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_name_with_what_came(cloud, wrong, words):
    with pytest.raises(InvalidInput) as refused:
        cloud.servers.list(**wrong)
    assert str(refused.value) == words


@pytest.mark.parametrize("asked", [{}, {"project_id": "even"}])
@pytest.mark.parametrize("is_of_the_view", [True, False])
def test_a_list_goes_on_from_the_place_of_a_marker_that_was_deleted(cloud, asked, is_of_the_view):
    whole, visited = numbers(cloud.servers.list(**asked)), []
    marker = {}
    while True:
        if is_of_the_view:
            page = cloud.servers.list(limit=1, **marker, **asked)
        else:
            with cloud.servers.fleet() as fleet:
                page = fleet.servers(limit=1, **marker, **asked)
        if not page:
            break
        visited += numbers(page)
        marker = {"marker": page[0].id}
        cloud.servers.delete(page[0].id)
    assert visited == whole


def test_a_marker_that_was_deleted_in_another_project_is_unknown(cloud):
    cloud.servers.delete("00000000-0000-4000-8000-000000000001")
    with pytest.raises(InvalidInput, match=r"^marker: "):
        cloud.servers.list(marker="00000000-0000-4000-8000-000000000001", project_id="even")


def test_a_marker_that_was_not_there_yet_is_unknown_to_the_fleet_of_that_position(cloud):
    there, later = (f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 4))
    with cloud.servers.fleet(as_of=AsOf(position=2)) as fleet:
        assert numbers(fleet.servers(marker=there)) == [0]
        with pytest.raises(InvalidInput, match=r"^marker: "):
            fleet.servers(marker=later)


def test_several_values_mean_any_of_them(cloud):
    assert numbers(cloud.servers.list(status=["ERROR", "SHUTOFF"])) == [4, 2]
    assert numbers(cloud.servers.list(status=["ERROR"], name=["active", "error"])) == [2]
    assert numbers(cloud.servers.list(name=["^build", "4$"], anchored=True)) == [4, 1]
    assert numbers(cloud.servers.list(project_id=["odd", "even"], image_id=[OTHER_IMAGE])) == [4, 3]
    assert cloud.servers.list(status=[]) == []
    with pytest.raises(InvalidInput, match="status: 'NONE' came"):
        cloud.servers.list(status=["ERROR", "NONE"])
    assert numbers(cloud.servers.list(name=[str(number) for number in range(100)])) != []
    with pytest.raises(InvalidInput, match="name: 101 values came, 100 are allowed"):
        cloud.servers.list(name=[str(number) for number in range(101)])


@pytest.mark.parametrize("marker", ["", "x", "00000000-0000-4000-8000-000000000009", "\udcff"])
def test_an_unknown_marker_is_refused(cloud, marker):
    with pytest.raises(InvalidInput, match=r"^marker: "):
        cloud.servers.list(marker=marker)


def test_a_marker_of_another_project_is_unknown(cloud):
    with pytest.raises(InvalidInput, match=r"^marker: "):
        cloud.servers.list(marker="00000000-0000-4000-8000-000000000001", project_id="even")


@pytest.mark.parametrize("asked", [{}, {"project_id": "even"}])
def test_a_page_is_read_where_it_begins_and_sorted_by_an_index(cloud, asked):
    marker = cloud.servers.list(**asked)[0].id
    cloud.servers.view.catch_up()
    with Database(cloud.servers.view.path).conn as rows:
        plans = []
        rows.set_trace_callback(plans.append)
        ServerQuery(limit=1, marker=marker, **asked).rows(rows, cloud.store)
        rows.set_trace_callback(None)
        plan = str(rows.execute(f"EXPLAIN QUERY PLAN {plans[-1]}").fetchall())
    rows.close()
    assert "SEARCH" in plan
    assert "created<" in plan
    assert "TEMP B-TREE" not in plan


def test_the_oldest_first_is_the_newest_first_the_other_way_round(cloud):
    newest = numbers(cloud.servers.list())
    assert numbers(cloud.servers.list(sort="created:desc")) == newest
    assert numbers(cloud.servers.list(sort="created")) == newest[::-1]


@pytest.mark.parametrize("way", ["", ":desc"])
@pytest.mark.parametrize("column", SORTS)
def test_what_a_list_is_sorted_by_is_read_from_one_index_and_from_no_row(cloud, column, way):
    cloud.servers.list()
    with closing(sqlite3.connect(cloud.view_path)) as view:
        asked = []
        view.set_trace_callback(asked.append)
        ServerQuery(sort=column + way, limit=2, name="a").rows(view, None)
        view.set_trace_callback(None)
        plan = [step for *_, step in view.execute(f"EXPLAIN QUERY PLAN {asked[0]}")]
    scanned = [step for step in plan if step.startswith("SCAN")]
    of_all = "COVERING INDEX" if column != "created" else "INDEX idx_server"
    assert len(scanned) == 1
    assert of_all in scanned[0]
    assert "created_first_position" in scanned[0]


def test_a_list_is_sorted_by_any_column_and_paged_by_how_many_came_before(cloud):
    by_name = [4, 3, 2, 1, 0][::-1]  # active, build, error, rebuild, shutoff
    assert numbers(cloud.servers.list(sort="name")) == by_name
    assert numbers(cloud.servers.list(sort="name:desc")) == by_name[::-1]
    assert numbers(cloud.servers.list(sort="name:asc", limit=2, offset=1)) == by_name[1:3]
    # Those alike in it come as they always do, the newest first.
    assert numbers(cloud.servers.list(sort="project_id")) == [4, 2, 0, 3, 1]


def test_how_many_a_list_has_is_counted_whatever_its_page(cloud):
    assert cloud.servers.view.count() == 5
    assert cloud.servers.view.count(project_id="odd", limit=1) == 2
    with cloud.servers.fleet() as fleet:
        assert fleet.count(name="err") == 1
        assert numbers(fleet.servers(sort="name:desc", limit=1)) == [4]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"sort": "server"}, "sort: 'server' came, created, updated, "),
        ({"sort": "name:up"}, "sort: 'name:up' came, created, "),
        ({"sort": "name; --"}, "sort: 'name; --' came, created, "),
        ({"offset": -1}, "offset: -1 came, a whole number of at least 0 is allowed"),
        ({"marker": "x", "sort": "name"}, "marker: it came with sort or offset, one of them"),
    ],
)
def test_an_order_that_there_is_not_is_refused_by_name(cloud, asked, said):
    with pytest.raises(InvalidInput) as caught:
        cloud.servers.list(**asked)
    assert str(caught.value).startswith(said)
