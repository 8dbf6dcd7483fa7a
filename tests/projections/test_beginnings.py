"""A long history is folded from its server's row in a view, if that stands on the log's row."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import Servers, StoreDamaged
from serverdomain.domain import events as e
from serverdomain.store.sqlite.reading import LONG
from serverdomain.testing.store_contract import SERVER, adopted


def sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A log with a long history whose second event cannot be read, and its view."""
    path = tmp_path / "cloud.db"
    with Servers.open(path) as servers:
        with servers.bulk() as bulk:
            bulk.register(adopted())
            for number in range(LONG):
                bulk.record(SERVER, [e.ServerRenamed(name=f"name {number}")])
        servers.view.catch_up()
        servers.rename(SERVER, "behind the view")
    sql(path, "DROP TRIGGER stored_events_no_update")
    sql(path, "UPDATE stored_events SET state = '[' WHERE position = 2")
    return path


def test_a_question_and_a_command_begin_at_the_views_row(path: Path) -> None:
    with Servers.open(path) as servers:
        assert servers.get(SERVER).name == "behind the view"
    with Servers.open(path) as servers:
        renamed = servers.rename(SERVER, "after").server
    assert (renamed.name, renamed.version) == ("after", LONG + 3)


def test_a_view_at_a_place_that_was_given_is_one_too(path: Path) -> None:
    given = path.with_name("elsewhere.db")
    path.with_name("cloud.view.db").rename(given)
    with Servers.open(path, view=given) as servers:
        assert servers.get(SERVER).name == "behind the view"


def test_they_are_what_the_whole_history_leads_to(tmp_path: Path, path: Path) -> None:
    sql(path, 'UPDATE stored_events SET state = \'{"name":"name 0"}\' WHERE position = 2')
    with Servers.open(path) as servers:
        begun = servers.get(SERVER)
    (tmp_path / "cloud.view.db").unlink()
    with Servers.open(path) as servers:
        assert servers.get(SERVER) == begun


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE generations SET row_hash = 'another log'",
        "UPDATE generations SET position = position - 1",
        "UPDATE server_1 SET server = '{'",
        "DELETE FROM server_1",
        "DROP TABLE generations",
    ],
)
def test_a_row_that_does_not_stand_on_the_log_is_not_believed(path: Path, statement: str) -> None:
    sql(path.with_name("cloud.view.db"), statement)
    with Servers.open(path) as servers, pytest.raises(StoreDamaged, match="position 2"):
        servers.get(SERVER)


@pytest.mark.parametrize("left", [b"", b"no database"])
def test_without_a_sound_view_the_log_is_read_and_none_is_made(path: Path, left: bytes) -> None:
    view = path.with_name("cloud.view.db")
    view.unlink()
    if left:
        view.write_bytes(left)
    with Servers.open(path) as servers, pytest.raises(StoreDamaged, match="position 2"):
        servers.get(SERVER)
    assert (view.read_bytes() if view.exists() else b"") == left


def test_a_short_history_asks_no_view(path: Path) -> None:
    with Servers.open(path) as servers:
        other = servers.register(adopted("d5f1a1f2-3b0c-4b8e-9a5d-6a1de3f0c001")).id
    with Servers.open(path) as servers:
        servers.get(other)
        assert servers._beginnings._file is None
