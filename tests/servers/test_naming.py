"""A server is meant by its id, the beginning of it, or its name; what fits more is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import Context, InvalidInput, NotFound, Refused, Servers
from serverdomain.domain.events import ServerDeleted
from serverdomain.servers.naming import beginning_of_id
from tests.projections.cloud import IMAGE, Cloud

WEB, DB, GONE = (
    "075e40fe-9f03-4652-ba8e-5f8e2547899a",
    "075e40fe-9f03-4652-ba8e-5f8e25478000",
    "155d900f-4e14-4e4c-a73d-069cbf4541e6",
)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """Two servers whose ids begin alike, and a deleted one."""
    with Cloud(tmp_path) as cloud:
        for server_id, name in ((WEB, "web"), (DB, "db"), (GONE, "gone")):
            command = cloud.creation(name)
            cloud.servers.create(
                type(command)(name=name, image_id=IMAGE, flavor_id="1", server_id=server_id)
            )
        cloud.servers.delete(GONE)
        yield cloud.servers


@pytest.mark.parametrize(
    ("named", "means"),
    [
        (WEB, WEB),
        (WEB.upper(), WEB),
        (WEB.replace("-", ""), WEB),
        ("web", WEB),
        ("db", DB),
        ("gone", GONE),
        ("155d", GONE),
        ("155D9", GONE),
        ("155d900f-", GONE),
        ("155d900f4e", GONE),
        ("155d900f-4e", GONE),
        (WEB[:-1], WEB),
    ],
)
def test_a_server_is_found(servers: Servers, named: str, means: str) -> None:
    assert servers.find(named) == means


@pytest.mark.parametrize(
    "named",
    ["155", "15-5d", "155d9-", "155d-900f", "WEB", "we", "web ", "%", "", "-", "075e40fe-g"],
)
def test_nothing_else_is_found(servers: Servers, named: str) -> None:
    with pytest.raises(NotFound, match=r"^no server has the id or name"):
        servers.find(named)


def test_a_whole_id_is_taken_as_it_is_without_a_view(servers: Servers, tmp_path: Path) -> None:
    assert servers.find(WEB) == WEB
    assert servers.find(IMAGE) == IMAGE, "whether it is there, the question itself will tell"
    assert not (tmp_path / "cloud.view.db").exists()
    servers.rename(DB, WEB)
    assert servers.find(WEB) == WEB


def test_what_fits_more_than_one_is_refused_with_all_of_them(servers: Servers) -> None:
    with pytest.raises(Refused) as no:
        servers.find("075e40fe")
    assert no.value.rule == "name"
    for told in (f"{WEB} ('web', BUILD)", f"{DB} ('db', BUILD)"):
        assert told in str(no.value)
    servers.rename(WEB, "gone")
    with pytest.raises(Refused, match=rf"{WEB} \('gone', BUILD\), {GONE} \('gone', deleted\)$"):
        servers.find("gone")
    servers.rename(DB, "155d")
    with pytest.raises(Refused, match="'155d' fits 2 servers"):
        servers.find("155d")


def test_a_whole_name_may_be_asked_for(servers: Servers) -> None:
    with pytest.raises(NotFound, match=r"^no server has the id or name '155d'$"):
        servers.find("155d", whole=True)
    servers.rename(DB, "155d")
    assert servers.find("155d", whole=True) == DB
    assert servers.find(WEB, whole=True) == WEB


def test_many_are_told_in_part(servers: Servers) -> None:
    with Cloud() as cloud:
        for _ in range(11):
            cloud.create("same")
        with pytest.raises(Refused, match="'same' fits 11 servers") as no:
            cloud.servers.find("same")
        assert str(no.value).count("(") == 10


def test_a_retry_takes_the_server_that_its_command_was_recorded_for(servers: Servers) -> None:
    servers.rename(WEB, "www", Context(request_id="req-1"))
    servers.rename(DB, "web")
    assert servers.find("web") == DB
    assert servers.find("web", request_id="req-1") == WEB
    assert servers.find("075e40fe", request_id="req-1") == WEB
    assert servers.find("gone", request_id="req-1") == GONE, "which was never its name"
    assert servers.find("web", request_id="req-2") == DB


def test_a_name_is_the_last_one_however_late_a_fact_comes(servers: Servers) -> None:
    servers.rename(WEB, "www")
    with pytest.raises(NotFound):
        servers.find("web")
    servers.record(WEB, [ServerDeleted()], occurred_at=servers.now())
    assert servers.find("www") == WEB
    servers.view.replay()
    assert servers.find("www") == WEB


def test_a_name_is_a_string(servers: Servers) -> None:
    for wrong in (7, None, b"web", "\ud800"):
        with pytest.raises(InvalidInput, match=r"^(server|named): "):
            servers.find(wrong)  # type: ignore[arg-type]


def test_a_forged_name_of_a_deleted_server_is_found_by_the_check(
    servers: Servers, tmp_path: Path
) -> None:
    servers.list()
    assert servers.check() == []
    for forged, says in (
        ("UPDATE gone_server_1 SET name = 'web'", f"server {GONE} is not the fold in name"),
        ("DELETE FROM gone_server_1", f"the name of the deleted server {GONE} is not in the view"),
        (
            f"INSERT INTO gone_server_1 VALUES ('{WEB}', 'x')",
            f"server {WEB} is in the view as deleted, which it is not",
        ),
    ):
        with closing(sqlite3.connect(tmp_path / "cloud.view.db")) as view, view:
            view.execute(forged)
        assert says in [finding.what for finding in servers.check()]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("075e", "075e"),
        ("075E40FE9", "075e40fe-9"),
        ("075e40fe-9f03", "075e40fe-9f03"),
        ("075e40fe-9f03-", "075e40fe-9f03"),
        ("07-5e40", None),
        ("075e40fe--", None),
        (WEB, None),
        ("0x75e4", None),
    ],
)
def test_the_beginning_of_an_id_is_read(text: str, canonical: str | None) -> None:
    assert beginning_of_id(text) == canonical
