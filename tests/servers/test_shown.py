"""What Python shows of a thing: its length, what is in it, its repr and its table."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from serverdomain import Actor, Context, CreateServer, InvalidInput, RebuildServer, Refused, Servers
from serverdomain.domain.document import document
from serverdomain.testing.compute_endpoint import ComputeEndpoint

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
OTHER = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
HOSTILE = "<script>alert('1')</script>\"&"
PASSWORD = "seekr3t"


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with Servers.open(f"sqlite:///{tmp_path}/cloud.db") as servers:
        yield servers


def create(servers: Servers, name: str = "web", **members: Any) -> str:
    context = Context(Actor(HOSTILE, "openstack"))
    command = CreateServer(name=name, image_id=IMAGE, flavor_id="1", **members)
    return servers.create(command, context).id


# How many, and which


def test_servers_are_as_many_as_are_there_and_iterate_as_they_are_listed(servers: Servers) -> None:
    ids = {create(servers), create(servers)}
    servers.delete(gone := create(servers))

    assert len(servers) == len(servers.view) == 2
    assert {server.id for server in servers} == ids
    assert list(servers) == servers.list() == list(servers.view)
    with servers.fleet() as fleet:
        assert len(fleet) == 2
        assert list(fleet) == servers.list()
        assert all(one in fleet and one.id in fleet for one in servers)
        assert gone not in fleet
    assert all(
        one in servers and one.id in servers and one.id.upper() in servers for one in servers
    )
    assert gone not in servers
    assert "web" not in servers


def test_what_is_no_id_is_no_question(servers: Servers) -> None:
    with pytest.raises(InvalidInput, match=r"^server_id: an int came, a string or a UUID is"):
        7 in servers  # noqa: B015


def test_what_is_empty_is_there_all_the_same(servers: Servers) -> None:
    with servers.fleet() as fleet:
        whole = (servers, servers.view, servers.timeline, servers.ledger, fleet)
        assert [len(one) for one in whole] == [0] * 5
        assert all(whole)
    create(servers)
    assert servers.diff_fleet()
    assert list(servers.diff_fleet()) == []


def test_the_timeline_and_the_ledger_are_as_long_as_the_log(servers: Servers) -> None:
    web = create(servers)
    with pytest.raises(Refused):
        servers.stop(web, Context(Actor("fake", "openstack")))

    assert len(servers.timeline) == len(servers.ledger) == 2
    assert list(servers.timeline) == servers.history(web)


# In words


def test_each_says_what_it_is_of(servers: Servers, tmp_path: Path) -> None:
    server = servers.get(create(servers))
    assert repr(server) == f"<Server {server.id} 'web' BUILD, image {IMAGE}, version 1>"
    of = tmp_path / "cloud.db"
    with servers.fleet() as fleet, servers.react("bill", print) as reaction:
        assert [*map(repr, (servers, servers.view, servers.timeline, servers.ledger, fleet))] == [
            f"<Servers of {of}>",
            f"<ServerView of {of}>",
            f"<Timeline of {of}>",
            f"<Ledger of {of}>",
            f"<Fleet of {of} as of position 1>",
        ]
        assert repr(reaction) == f"<Reaction bill to {of}>"
    with Servers.open("memory:") as unkept:
        assert repr(unkept) == "<Servers of memory:>"


def test_an_entry_of_a_history_is_one_short_line(servers: Servers) -> None:
    servers.report_built(server := create(servers), Context(Actor("fake", "openstack"), "req-1"))
    _, built = servers.history(server)
    at = built.as_json()["occurred_at"]
    assert repr(built) == f"<HistoryEntry 2 {at} ServerBuilt by 'fake', req-1>"


def test_a_log_that_is_only_read_is_named_by_its_own_place(tmp_path: Path) -> None:
    Servers.open(tmp_path / "cloud.db").close()
    with Servers.open(tmp_path / "cloud.db", read_only=True) as servers:
        assert repr(servers) == f"<Servers of {tmp_path / 'cloud.db'}>"


def test_the_fixture_says_where_it_is_and_what_it_holds(tmp_path: Path) -> None:
    with ComputeEndpoint(tmp_path) as endpoint:
        endpoint.faults.rebuild("hang")
        assert repr(endpoint) == f"<ComputeEndpoint at {endpoint.url}>"
        assert repr(endpoint.faults) == "<Faults: 1 in force>"
        assert list(endpoint.faults) == endpoint.faults.list()
        assert repr(endpoint.requests) == "<Requests: 0>"
        assert repr(endpoint.clock) == "<Clock at 2012-09-12T17:20:36+00:00>"


def test_no_password_is_in_what_is_shown(servers: Servers) -> None:
    command = CreateServer(name="web", image_id=IMAGE, flavor_id="1", admin_pass=PASSWORD)
    created = servers.create(command)
    servers.report_built(created.id)
    rebuilt = servers.rebuild(created.id, RebuildServer(image_id=IMAGE, admin_pass=PASSWORD))
    history = servers.history(created.id)
    shown = [command, created, rebuilt, rebuilt.server, history, servers.actions(created.id)]
    assert (created.admin_pass, rebuilt.admin_pass) == (PASSWORD, PASSWORD)
    assert PASSWORD not in repr(shown)
    assert PASSWORD not in "".join(tables(servers, created.id))


# As tables


def tables(servers: Servers, server_id: str) -> list[str]:
    shown: list[Any] = [
        servers.get(server_id),
        servers.history(server_id),
        servers.diff(server_id),
        servers.diff_fleet(),
        servers.timeline,
    ]
    return [one._repr_html_() for one in shown]


class Cells(HTMLParser):
    """The text of a table's cells, and the names of its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.cells: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)
        if tag in ("td", "th", "caption"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        self.cells[-1] += data


def test_whatever_is_in_a_table_is_text(servers: Servers) -> None:
    web = create(servers, HOSTILE, metadata={HOSTILE: HOSTILE})
    servers.report_built(web)
    servers.rename(web, f"{HOSTILE} 2", Context(Actor(HOSTILE, "openstack"), request_id="<b>"))
    with pytest.raises(Refused):
        servers.start(web, Context(Actor(HOSTILE, "openstack")))
    for html in tables(servers, web):
        shown = Cells(html)
        assert shown.tags == {"table", "caption", "thead", "tbody", "tr", "th", "td"}
        assert any("alert(" in cell for cell in shown.cells)


def test_a_history_stays_a_list_and_tells_in_its_table_who_changed_what(servers: Servers) -> None:
    web = create(servers)
    servers.report_built(web)
    with pytest.raises(Refused):
        servers.start(web, Context(Actor("fake", "openstack")))
    history = servers.history(web)
    assert isinstance(history, list)
    assert history == list(history)
    cells = Cells(history._repr_html_()).cells
    assert '/status: "BUILD" → "ACTIVE"' in cells
    assert f"{HOSTILE} in openstack" in cells
    refused = f"start refused by the rule of state: server {web} is ACTIVE: start is allowed in"
    assert cells[-1].startswith(refused)


def test_a_servers_table_and_dictionary_are_the_documented_document(servers: Servers) -> None:
    server = servers.get(create(servers, metadata={"a": "b"}))
    assert server.to_dict() == document(server)
    cells = Cells(server._repr_html_()).cells
    assert cells[cells.index("metadata") + 1] == '{"a": "b"}'
    assert cells[cells.index("name") + 1] == "web"


# Copies


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_servers_are_not_copied(servers: Servers, copied: Callable[[object], object]) -> None:
    with pytest.raises(InvalidInput, match=r"^servers: a copy of <Servers of .*another process"):
        copied(servers)
