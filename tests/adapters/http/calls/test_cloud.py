"""Answers that are kept as they were written: how many, and under which key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from serverdomain import AsyncServers, InvalidInput, Servers
from serverdomain.adapters.http import compute_app
from serverdomain.adapters.http.calls.authentication import (
    LONGEST,
    _is_this_machine,
    is_this_machine,
)
from serverdomain.adapters.http.calls.cloud import MOST_BYTES, Cloud
from serverdomain.domain.server import Server
from serverdomain.testing.store_contract import SERVER, adopted
from tests.adapters.http.client import Client, by_name


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        yield Cloud(servers)


@pytest.fixture
def server(cloud: Cloud) -> Server:
    return cloud.servers.get(SERVER)


def test_an_app_over_awaited_servers_shares_their_thread_for_commands() -> None:
    with Servers.open("memory:") as servers:
        servers.register(adopted())
        awaited = AsyncServers(servers)
        ask = Client(compute_app(awaited, authenticate=by_name, hypervisor=None), user="member")
        assert ask.act({"os-stop": None}).status_code == 202
        ask.run(awaited.start(SERVER))
        assert ask.get(f"/v2.1/servers/{SERVER}").json()["server"]["status"] == "ACTIVE"
        assert len(awaited._left._threads) == 1
        ask.close()


def test_an_answer_is_written_once_until_something_in_it_changes(
    cloud: Cloud, server: Server
) -> None:
    first = cloud.shown(server, "http://here", "v2.1", None)
    assert cloud.shown(cloud.servers.get(SERVER), "http://here", "v2.1", None) is first
    renamed = cloud.shown(replace(server, name="new"), "http://here", "v2.1", None)
    assert b'"new"' in renamed


def test_only_v2_1_shows_what_novas_schema_requires_besides(cloud: Cloud, server: Server) -> None:
    besides = "OS-EXT-STS:vm_state"
    assert besides in cloud.render(server, "http://here", "v2.1", None)
    assert besides not in cloud.render(server, "http://here", "v2", "p")


def test_every_caller_is_shown_its_own_links(cloud: Cloud, server: Server) -> None:
    for asked in ("http://here", "http://there", "http://here"):
        for project in (None, "p", None):
            shown = cloud.shown(server, asked, "v2.1", project)
            link = "/".join(filter(None, [asked, "v2.1", project, "servers", server.id]))
            assert f'"{link}"'.encode() in shown


def test_whatever_hosts_a_client_makes_up_one_answer_is_kept(cloud: Cloud, server: Server) -> None:
    for number in range(100):
        cloud.shown(server, f"http://h{number}.example", "v2.1", f"p{number}")
        cloud.shown(server, f"http://h{number}.example", "v2", None)
    assert len(cloud.kept) == 2


def test_no_more_bytes_are_kept_than_the_bound(cloud: Cloud, server: Server) -> None:
    full = {f"{number:0255}": "\x01" * 255 for number in range(128)}
    for number in range(200):
        cloud.shown(replace(server, id=str(number), metadata=full), "http://here", "v2.1", None)
        assert cloud.kept.weight <= MOST_BYTES
    assert cloud.kept.weight > MOST_BYTES / 2
    assert len(cloud.kept) < 200


@pytest.mark.parametrize("wrong", ["", "f" * 256])
def test_what_is_no_id_of_an_image_or_a_flavor_is_told_by_its_list(wrong: str) -> None:
    with Servers.open("memory:") as servers:
        with pytest.raises(InvalidInput, match=r"^images: "):
            Cloud(servers, images={wrong: "one"})
        with pytest.raises(InvalidInput, match=r"^flavors: .* 1 to 255 "):
            Cloud(servers, flavors={wrong: "one"})
        assert Cloud(servers, flavors={"f" * 255: "long", "1": "short"}).flavor("1") == "short"


def test_a_host_that_no_machine_bears_is_not_remembered() -> None:
    _is_this_machine.cache_clear()
    assert not is_this_machine("127.0.0.1:" + "1" * LONGEST)
    assert _is_this_machine.cache_info().currsize == 0
    assert is_this_machine("127.0.0.1:8774")
