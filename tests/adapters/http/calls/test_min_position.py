"""A GET waits for what another node wrote, where it says from which position on it may answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serverdomain import Servers
from serverdomain.adapters.http import compute_app
from serverdomain.domain.limits import shown
from serverdomain.projections import coming
from serverdomain.testing.store_contract import SERVER, adopted
from tests.adapters.http.client import Client

SHOW = f"/v2.1/servers/{SERVER}"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Client, Client, Servers]]:
    """The endpoints of two nodes, each with a view of its own, and the servers of the second."""
    path = tmp_path / "cloud.db"
    with (
        Servers.open(path, view=tmp_path / "one.db") as one,
        Servers.open(path, view=tmp_path / "other.db") as other,
    ):
        one.register(adopted())
        one.list(), other.list()
        apps: list[Any] = [compute_app(each, hypervisor=None) for each in (one, other)]
        yield Client(apps[0]), Client(apps[1]), other


def test_what_a_call_wrote_is_read_through_another_node(
    nodes: tuple[Client, Client, Servers],
) -> None:
    writes, reads, other = nodes
    wrote = writes("PUT", SHOW, {"server": {"name": "renamed"}})
    position = wrote.headers["x-serverdomain-position"]
    assert position == "2"

    for path in (SHOW, "/v2.1/servers", "/v2.1/images"):
        assert reads.get(path, params={"min_position": position}).status_code == 200
    assert reads.get(SHOW, params={"min_position": position}).json()["server"]["name"] == "renamed"
    assert [server.name for server in other.view.servers()] == ["renamed"]


def test_a_call_that_changed_nothing_names_no_position(
    nodes: tuple[Client, Client, Servers],
) -> None:
    writes, _, _ = nodes
    assert "x-serverdomain-position" not in writes("PUT", SHOW, {"server": {}}).headers
    assert "x-serverdomain-position" not in writes.get(SHOW).headers


def test_what_does_not_come_in_time_is_503_and_says_how_far_the_log_is(
    nodes: tuple[Client, Client, Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming, "SECONDS", 0.01)
    answered = nodes[0].get(SHOW, params={"min_position": "9"})
    assert (answered.status_code, answered.headers["retry-after"]) == (503, "1")
    message = answered.json()["serviceUnavailable"]["message"]
    assert message == "min_position: position 9 is not here: the log ends at 1 as yet. Ask again."


def test_only_who_reads_waits_for_a_position(
    nodes: tuple[Client, Client, Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming, "SECONDS", 0.01)
    renamed = {"server": {"name": "renamed"}}
    assert nodes[0]("PUT", SHOW, renamed, params={"min_position": "9"}).status_code == 200


@pytest.mark.parametrize("given", ["-1", "x", "", "1" * 19, "1.5", "²"])
def test_what_is_no_position_is_400(nodes: tuple[Client, Client, Servers], given: str) -> None:
    answered = nodes[0].get(SHOW, params={"min_position": given})
    assert answered.status_code == 400
    assert answered.json()["badRequest"]["message"] == (
        f"min_position: {shown(given)} came, a whole number of at least 0 is allowed"
    )


def test_a_position_has_eighteen_digits_at_most(
    nodes: tuple[Client, Client, Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming, "SECONDS", 0.01)
    assert nodes[0].get(SHOW, params={"min_position": "9" * 18}).status_code == 503


def test_a_list_keeps_it_in_the_link_to_its_next_page(
    nodes: tuple[Client, Client, Servers],
) -> None:
    listed = nodes[0].get("/v2.1/servers", params={"min_position": "1", "limit": "1"}).json()
    assert "min_position=1" in listed["servers_links"][0]["href"]
