"""What would write is refused where a store is only read, in words and with nothing written."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serverdomain import (
    Conflict,
    InvalidInput,
    NotFound,
    RebuildServer,
    Servers,
    StoreError,
    StoreMissing,
    StoreReadOnly,
)
from serverdomain.adapters.http import compute_app
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.opening import open_log, open_to_read
from serverdomain.store.sqlite import place
from serverdomain.testing import registered
from serverdomain.testing.contract import SERVER, adopted
from tests.adapters.cli.conftest import Command, command, folder
from tests.adapters.cli.test_serve import serving
from tests.adapters.http.client import Client

__all__ = ["command", "folder"]

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with Servers.open(tmp_path / "cloud.db") as servers:
        servers.register(adopted())
    log = open_log(tmp_path / "cloud.db")
    log.keep_bookmark(Bookmark("billing", 0, 1, "it failed"), None)
    log.close()
    return tmp_path / "cloud.db"


@pytest.fixture
def servers(store: Path) -> Iterator[Servers]:
    with Servers.open(store, read_only=True) as servers:
        yield servers


@pytest.mark.parametrize(
    "ask",
    [
        lambda servers: servers.rename(SERVER, "another"),
        lambda servers: servers.rebuild(SERVER, RebuildServer(image_id=IMAGE)),
        lambda servers: servers.record(SERVER, [registered()]),
        lambda servers: servers.react("billing", print),
        lambda servers: servers.resume_reaction("billing"),
        lambda servers: servers.skip_reaction("billing"),
    ],
)
def test_commands_and_reactions(
    servers: Servers, store: Path, ask: Callable[[Servers], Any]
) -> None:
    before = store.read_bytes()
    with pytest.raises(StoreReadOnly, match="read"):
        ask(servers)
    assert store.read_bytes() == before
    assert servers.read_only


def test_what_the_log_alone_is_asked(store: Path) -> None:
    log = open_to_read(store)
    with pytest.raises(StoreReadOnly):
        log.bulk()
    with pytest.raises(StoreReadOnly):
        log.forget()
    assert log.mark() is None
    log.close()
    with pytest.raises(StoreError, match="is closed"), log.reading():
        pass


def test_to_forget_it(servers: Servers) -> None:
    with pytest.raises(Conflict, match="is a file"):
        servers.forget()


def test_an_unknown_reaction_is_not_there_rather_than_refused(servers: Servers) -> None:
    with pytest.raises(NotFound):
        servers.resume_reaction("cleaning")


@pytest.mark.parametrize("create", [True, False])
def test_a_store_that_is_not_there_is_not_made(tmp_path: Path, create: bool) -> None:
    with pytest.raises(StoreMissing, match="there is no store at"):
        Servers.open(tmp_path / "cloud.db", read_only=True, create=create)
    with pytest.raises(StoreMissing, match="there is no store at memory:"):
        Servers.open("memory:", read_only=True, create=create)
    assert not list(tmp_path.iterdir())


def test_to_open_what_cannot_be_written_names_the_way_to_read_it(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write everything.
    monkeypatch.setattr(place.Place, "can_be_written", False)
    with pytest.raises(StoreReadOnly, match=r"cloud\.db .*cannot be written: read_only=True"):
        Servers.open(store)
    with Servers.open(store, read_only=True) as servers:
        assert servers.get(SERVER).id == SERVER


@pytest.mark.parametrize(
    "line",
    [
        f"rename {SERVER} another --read-only",
        f"stop {SERVER} --read-only",
        "register --from server.json --read-only",
        "reactions skip billing --read-only",
        "generate --servers 1 --read-only",
    ],
)
def test_the_commands_that_change_something(command: Command, store: Path, line: str) -> None:
    before = store.read_bytes()
    ran = command(*line.split(), "--store", str(store))
    assert ran.code == 3
    assert ran.complaint.endswith("was opened to be read alone: open it without read_only")
    assert store.read_bytes() == before


def test_the_commands_that_change_something_by_the_variable(
    command: Command, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_READ_ONLY", "1")
    monkeypatch.setenv("SERVERDOMAIN_STORE", str(store))
    assert command("rename", SERVER, "another").code == 3
    assert command("show", SERVER).server["name"] == adopted().name


def test_all_but_get_and_head_over_http(servers: Servers) -> None:
    ask = Client(compute_app(servers))
    assert ask.get(f"/v2.1/servers/{SERVER}").status_code == 200
    assert ask("HEAD", "/v2.1/servers").status_code == 200
    assert [one["id"] for one in ask.get("/v2.1/servers").json()["servers"]] == [SERVER]
    for method, path in [
        ("POST", "/v2.1/servers"),
        ("POST", f"/v2.1/servers/{SERVER}/action"),
        ("PUT", f"/v2.1/servers/{SERVER}"),
        ("DELETE", f"/v2.1/servers/{SERVER}"),
        ("PATCH", "/nowhere"),
    ]:
        refused = ask(method, path, json={"reboot": {}})
        assert refused.status_code == 403
        assert refused.json() == {
            "forbidden": {
                "code": 403,
                "message": f"{method} came, the store is served to be read alone",
            }
        }
        assert refused.headers["x-openstack-request-id"].startswith("req-")
    assert servers.reactions() == [Bookmark("billing", 0, 1, "it failed")], "no hypervisor works"


def test_serving_it(store: Path) -> None:
    before = store.read_bytes()
    with serving(store.parent, "--store", "cloud.db", "--read-only") as served:
        assert httpx.get(f"{served.root}/v2.1/servers/{SERVER}").status_code == 200
        assert httpx.post(f"{served.root}/v2.1/servers", json={}).status_code == 403
        assert httpx.put(f"{served.root}/control/clock", json={}).status_code == 403
        assert httpx.get(f"{served.root}/control").status_code == 404
    assert store.read_bytes() == before
    assert [path.name for path in store.parent.iterdir()] == ["cloud.db"]


@pytest.mark.parametrize("option", [["--demo"], ["--clock", "manual"]])
def test_serving_what_would_change_it(command: Command, store: Path, option: list[str]) -> None:
    ran = command("serve", "--store", str(store), "--read-only", *option)
    assert ran.code == 2
    assert ran.complaint.startswith(f"{option[0]}: it came with --read-only")


def test_a_view_that_is_the_store_itself(store: Path) -> None:
    with (
        Servers.open(store, read_only=True, view=store) as servers,
        pytest.raises(StoreError, match=r"cloud\.db"),
    ):
        servers.list()


def test_what_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "cloud.db").write_text("a text")
    with pytest.raises(StoreError, match="no SQLite database"):
        Servers.open(tmp_path / "cloud.db", read_only=True)
    with pytest.raises(InvalidInput, match=r"^store: "):
        Servers.open("mysql://x", read_only=True)
