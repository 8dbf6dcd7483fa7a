"""A long history is folded from its server's row in a view, if that stands on the log's row."""

from __future__ import annotations

from pathlib import Path

import pytest

from serverdomain import Servers, StoreDamaged
from serverdomain.domain import events as e
from serverdomain.store.sqlite.reading import LONG
from serverdomain.testing.store_contract import SERVER, adopted
from tests.projections.cloud import change
from tests.store.owner import spoil

pytestmark = pytest.mark.core


@pytest.fixture
def url(kept_url: str) -> str:
    """A log with a long history whose second event cannot be read, and its view."""
    with Servers.open(kept_url) as servers:
        with servers.bulk() as bulk:
            bulk.register(adopted())
            for number in range(LONG):
                bulk.record(SERVER, [e.ServerRenamed(name=f"name {number}")])
        servers.view.catch_up()
        servers.rename(SERVER, "behind the view")
        spoil(servers._log, "UPDATE stored_events SET state = '[' WHERE position = 2")
    return kept_url


@pytest.fixture
def view(url: str) -> Path:
    """Where its view lies."""
    with Servers.open(url) as servers:
        assert servers.view.path is not None
        return servers.view.path


def test_a_question_and_a_command_begin_at_the_views_row(url: str) -> None:
    with Servers.open(url) as servers:
        assert servers.get(SERVER).name == "behind the view"
    with Servers.open(url) as servers:
        renamed = servers.rename(SERVER, "after").server
    assert (renamed.name, renamed.version) == ("after", LONG + 3)


def test_a_view_at_a_place_that_was_given_is_one_too(url: str, view: Path) -> None:
    given = view.with_name("elsewhere.db")
    view.rename(given)
    with Servers.open(url, view=given) as servers:
        assert servers.get(SERVER).name == "behind the view"


def test_they_are_what_the_whole_history_leads_to(url: str, view: Path) -> None:
    with Servers.open(url) as servers:
        sound = 'UPDATE stored_events SET state = \'{"name":"name 0"}\' WHERE position = 2'
        spoil(servers._log, sound)
        begun = servers.get(SERVER)
    view.unlink()
    with Servers.open(url) as servers:
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
def test_a_row_that_does_not_stand_on_the_log_is_not_believed(
    url: str, view: Path, statement: str
) -> None:
    change(view, statement)
    with Servers.open(url) as servers, pytest.raises(StoreDamaged, match="position 2"):
        servers.get(SERVER)


@pytest.mark.parametrize("left", [b"", b"no database"])
def test_without_a_sound_view_the_log_is_read_and_none_is_made(
    url: str, view: Path, left: bytes
) -> None:
    view.unlink()
    if left:
        view.write_bytes(left)
    with Servers.open(url) as servers, pytest.raises(StoreDamaged, match="position 2"):
        servers.get(SERVER)
    assert (view.read_bytes() if view.exists() else b"") == left


def test_a_short_history_asks_no_view(url: str) -> None:
    with Servers.open(url) as servers:
        other = servers.register(adopted("d5f1a1f2-3b0c-4b8e-9a5d-6a1de3f0c001")).id
    with Servers.open(url) as servers:
        servers.get(other)
        assert servers._beginnings._file is None
