"""A server's row: what each column holds, and what a table of rows does not take."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from serverdomain import Context, CreateServer, RebuildServer, Server, Servers
from serverdomain.projections import following, generations, server_rows
from serverdomain.projections.server_rows import COLUMNS, INDEXED, SERVERS
from serverdomain.projections.view_place import ViewPlace
from serverdomain.testing import ADMIN
from tests.projections.cloud import IMAGE, OTHER_IMAGE, Cloud, without_plugins

TABLE = "server_1"


@pytest.fixture
def rows() -> Iterator[sqlite3.Connection]:
    """A database with an empty table of rows."""
    with closing(sqlite3.connect(":memory:")) as rows:
        server_rows.create(rows, TABLE)
        yield rows


@pytest.fixture
def server() -> Server:
    """A server that is being rebuilt, after a rebuild of it failed."""
    with Servers.open("memory:") as servers:
        metadata = {"b": "2", "a": "1"}
        command = CreateServer(name="web", image_id=IMAGE, flavor_id="7", metadata=metadata)
        server_id = servers.create(command).id
        servers.report_built(server_id)
        servers.rebuild(server_id, RebuildServer(image_id=IMAGE))
        servers.fail_rebuild(server_id, "disk full")
        failed = servers.get(server_id)
        servers.reset_state(server_id, "ACTIVE", Context(ADMIN))
        servers.rebuild(server_id, RebuildServer(image_id=OTHER_IMAGE))
        return replace(servers.get(server_id), fault=failed.fault)


def test_each_column_holds_what_its_name_says(server: Server) -> None:
    row = dict(zip(COLUMNS, server_rows.row(server), strict=True))
    assert server.rebuild is not None
    assert row.pop("server")
    assert row == {
        "id": server.id,
        "name": "web",
        "status": "REBUILD",
        "image_id": OTHER_IMAGE,
        "flavor_id": "7",
        "project_id": server.project_id,
        "user_id": server.user_id,
        "host_id": server.host_id,
        "access_ipv4": server.access_ipv4,
        "access_ipv6": server.access_ipv6,
        "addresses": msgspec.json.encode(server.addresses).decode(),
        "metadata": '{"a":"1","b":"2"}',
        "progress": 0,
        "disk_config": server.disk_config,
        "locked_by": None,
        "rebuild_id": server.rebuild.id,
        "fault": "disk full",
        "created": server.created.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "updated": server.updated.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "version": server.version,
        "first_position": 1,
    }
    without = server_rows.row(replace(server, rebuild=None, fault=None))
    assert [without[list(COLUMNS).index(name)] for name in ("rebuild_id", "fault")] == [None, None]


def test_a_server_is_read_from_its_row_as_it_was(rows: sqlite3.Connection, server: Server) -> None:
    other = replace(server, id=IMAGE)
    written = map(server_rows.row, (server, other))
    server_rows.put_rows(rows, TABLE, len(COLUMNS), written)
    assert server_rows.servers_in(rows, TABLE, [server.id, OTHER_IMAGE]) == {server.id: server}
    server_rows.remove(rows, TABLE, [server.id])
    assert server_rows.servers_in(rows, TABLE, [server.id, IMAGE]) == {IMAGE: other}


@pytest.mark.parametrize("spoilt", ["{", "[]", 5], ids=["cut", "another form", "a number"])
def test_a_row_that_holds_no_server_is_damage(spoilt: object) -> None:
    with pytest.raises(sqlite3.DataError, match=r"^a row holds no server: .+"):
        server_rows.read_row(spoilt)  # type: ignore[arg-type]  # as a damaged file may have it


@pytest.mark.parametrize("column", ["id", "status", "server"])
def test_a_row_without_what_it_is_found_and_read_by_is_not_taken(
    rows: sqlite3.Connection, server: Server, column: str
) -> None:
    server_rows.put_rows(rows, TABLE, len(COLUMNS), [server_rows.row(server)])
    with pytest.raises(sqlite3.IntegrityError, match=f"NOT NULL constraint failed: .*{column}$"):
        rows.execute(f"UPDATE {TABLE} SET {column} = NULL")


def test_there_is_an_index_for_each_way_to_ask(rows: sqlite3.Connection) -> None:
    server_rows.create_indexes(rows, TABLE)
    found = set()
    for (name,) in rows.execute(
        "SELECT name FROM pragma_index_list(?) WHERE origin = 'c'", (TABLE,)
    ):
        columns = rows.execute(
            "SELECT name, desc FROM pragma_index_xinfo(?) WHERE key ORDER BY seqno", (name,)
        )
        found.add(tuple(f"{'-' * desc}{column}" for column, desc in columns))
    assert found == set(INDEXED)


def test_no_plugin_of_sqlite_utils_comes_near_it() -> None:
    with without_plugins(), closing(sqlite3.connect(":memory:")) as rows:
        SERVERS.create(rows, TABLE)
        SERVERS.settle(rows, TABLE)


def test_of_the_pages_that_are_held_each_server_weighs_once(tmp_path: Path) -> None:
    with Cloud(tmp_path) as cloud:
        one, other = cloud.create("one"), cloud.create("another")
        weights = [len(server_rows.row(cloud.servers.get(name))[-1]) for name in (one, other)]
        cloud.rename(one, "another name")
        view = ViewPlace(cloud.store, None, SERVERS).open()
        told: list[int] = []
        with view.reading() as shown:
            live, page = generations.live(shown, SERVERS), None
            for _ in range(3):
                page = following.next_advance(cloud.store, shown, live, 1, page)
                assert page is not None
                told.append(SERVERS.weight(page.changes))
        view.close()
    assert told == [weights[0], sum(weights), sum(weights)]


def test_what_is_none_is_null_and_all_else_is_kept_as_it_is() -> None:
    row = ("a", None, "", 0, None, "NULL", b"\0", -1)
    with closing(sqlite3.connect(":memory:")) as connection:
        columns = [f"c{number}" for number in range(len(row))]
        connection.execute(f"CREATE TABLE t ({', '.join(columns)})")
        server_rows.put_rows(connection, "t", len(row), [row, row])
        types = ", ".join(f"typeof({column})" for column in columns)
        assert connection.execute("SELECT * FROM t").fetchall() == [row, row]
        assert connection.execute(f"SELECT {types} FROM t").fetchone() == (
            *("text", "null", "text", "integer", "null", "text", "blob", "integer"),
        )


def test_a_row_takes_the_place_of_the_one_with_its_key() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id TEXT PRIMARY KEY, name TEXT)")
        server_rows.put_rows(connection, "t", 2, [("a", "one"), ("b", None)])
        server_rows.put_rows(connection, "t", 2, iter([("a", None), ("c", "two")]))
        found = connection.execute("SELECT * FROM t ORDER BY id").fetchall()
    assert found == [("a", None), ("b", None), ("c", "two")]
