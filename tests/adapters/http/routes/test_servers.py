"""A server created, shown, renamed and deleted."""

from __future__ import annotations

import re
from typing import Any

import pytest

from serverdomain import RebuildServer
from serverdomain.adapters.http import NoAuthentication
from serverdomain.domain.events import Fault
from serverdomain.testing import ManualClock
from tests.adapters.http.client import IMAGE, OTHER_IMAGE, SERVER, Client, Endpoint, fault_of

NEW = {"name": "web", "imageRef": IMAGE, "flavorRef": "1"}


def create(ask: Client, path: str = "/v2.1/servers", **members: Any) -> Any:
    return ask("POST", path, json={"server": NEW | members})


def test_a_created_server_is_build_until_the_hypervisor_has_built_it(endpoint: Endpoint) -> None:
    created = create(endpoint.ask)

    server = created.json()["server"]
    url = f"http://localhost:8774/v2.1/servers/{server['id']}"
    assert created.status_code == 202
    assert created.headers["location"] == url == server["links"][0]["href"]
    bookmark = f"http://localhost:8774/servers/{server['id']}"
    assert server["links"][1] == {"href": bookmark, "rel": "bookmark"}
    assert list(server) == ["id", "links", "OS-DCF:diskConfig", "security_groups", "adminPass"]
    assert server["security_groups"] == [{"name": "default"}]
    assert len(server["adminPass"]) == 12
    shown = endpoint.ask.get(f"/v2.1/servers/{server['id']}").json()["server"]
    assert (shown["status"], shown["tenant_id"], shown["user_id"]) == ("BUILD", "openstack", "fake")
    assert list(shown["addresses"]) == ["private"]
    assert "adminPass" not in shown
    endpoint.servers.report_built(server["id"])
    assert endpoint.ask.get(url).json()["server"]["status"] == "ACTIVE"


def test_v2_shows_no_disk_config(ask: Client) -> None:
    created = create(ask, "/v2/openstack/servers", adminPass="given")

    assert list(created.json()["server"]) == ["id", "links", "adminPass"]
    assert created.json()["server"]["adminPass"] == "given"


def test_what_was_asked_is_what_is_shown(endpoint: Endpoint) -> None:
    members = {
        "metadata": {"a": "b"},
        "accessIPv4": "1.2.3.4",
        "accessIPv6": "FE80::1",
        "OS-DCF:diskConfig": "AUTO",
        "imageRef": IMAGE.upper(),
    }
    server_id = create(endpoint.ask, **members).json()["server"]["id"]

    shown = endpoint.ask.get(f"/v2.1/servers/{server_id}").json()["server"]
    assert shown["name"] == "web"
    assert shown["metadata"] == {"a": "b"}
    assert (shown["accessIPv4"], shown["accessIPv6"]) == ("1.2.3.4", "fe80::1")
    assert shown["OS-DCF:diskConfig"] == "AUTO"
    assert shown["image"]["id"] == IMAGE


@pytest.mark.parametrize(
    "flavor",
    ["2", 2, "http://openstack.example.com/openstack/flavors/2", "http://x/flavors/2/"],
)
def test_a_flavor_is_an_id_or_a_url_that_ends_in_one(ask: Client, flavor: Any) -> None:
    server_id = create(ask, flavorRef=flavor).json()["server"]["id"]

    assert ask.get(f"/v2.1/servers/{server_id}").json()["server"]["flavor"]["id"] == "2"


SENT_BY_CLIENTS = {
    "networks": "auto",
    "key_name": "mine",
    "security_groups": [{"name": "default"}],
    "user_data": "c2VjcmV0",
    "availability_zone": "nova",
    "config_drive": True,
    "min_count": 1,
    "max_count": 1,
    "block_device_mapping_v2": [{}],
    "personality": [{"path": "/a", "contents": "YQ=="}],
}


@pytest.mark.parametrize("path", ["/v2/openstack/servers", "/v2.1/servers"])
def test_members_that_decide_nothing_are_taken_and_dropped(ask: Client, path: str) -> None:
    body = {"server": NEW | SENT_BY_CLIENTS, "os:scheduler_hints": {"group": "x"}}

    assert ask("POST", path, json=body).status_code == 202


def test_an_unknown_member_is_refused_on_v2_1_and_overlooked_on_v2(ask: Client) -> None:
    assert fault_of(create(ask, description="x")) == (400, "badRequest")
    assert create(ask, "/v2/openstack/servers", description="x").status_code == 202


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"name": None}, "server.name"),
        ({"name": " "}, "server.name"),
        ({"name": " padded "}, "server.name"),
        ({"name": "n" * 256}, "server.name"),
        ({"imageRef": "x"}, "server.imageRef"),
        ({"imageRef": None}, "server.imageRef"),
        ({"flavorRef": ""}, "server.flavorRef"),
        ({"flavorRef": True}, "server.flavorRef"),
        ({"flavorRef": "f" * 256}, "server.flavorRef"),
        ({"metadata": {"a": 1}}, "server.metadata.a"),
        ({"metadata": {"a/b": "x"}}, "server.metadata"),
        ({"metadata": {"a": "é" * 128}}, "server.metadata.a"),
        ({"accessIPv4": ""}, "server.accessIPv4"),
        ({"OS-DCF:diskConfig": "auto"}, "server.OS-DCF:diskConfig"),
        ({"max_count": 2}, "server.max_count"),
        ({"min_count": True}, "server.min_count"),
        ({"max_count": {"adminPass": "seekr3t"}}, "server.max_count"),
        ({"adminPass": 7}, "server.adminPass"),
    ],
)
def test_what_is_wrong_is_named(endpoint: Endpoint, changed: dict[str, Any], told: str) -> None:
    answer = create(endpoint.ask, **changed)

    assert fault_of(answer) == (400, "badRequest")
    assert answer.json()["badRequest"]["message"].startswith(told)
    assert "seekr3t" not in answer.text
    assert len(endpoint.servers.list()) == 1


@pytest.mark.parametrize(
    "body", [{}, [], None, {"server": None}, {"server": NEW, "x": 1}, "server"]
)
def test_another_body_is_400(ask: Client, body: Any) -> None:
    answer = (
        ask("POST", "/v2.1/servers", content=repr(body).encode())
        if body is None
        else ask("POST", "/v2.1/servers", json=body)
    )

    assert fault_of(answer) == (400, "badRequest")


@pytest.mark.parametrize("member", ["name", "imageRef", "flavorRef"])
def test_a_required_member_must_be_there(ask: Client, member: str) -> None:
    body = {"server": {name: value for name, value in NEW.items() if name != member}}
    answer = ask("POST", "/v2.1/servers", json=body)

    assert fault_of(answer) == (400, "badRequest")
    assert f"server.{member}: nothing came" in answer.text


def test_an_image_that_is_unknown_is_400_for_a_create_and_a_rebuild() -> None:
    with Endpoint(images={IMAGE: "known"}) as endpoint:
        assert fault_of(create(endpoint.ask, imageRef=OTHER_IMAGE)) == (400, "badRequest")
        refused = endpoint.ask.act({"rebuild": {"imageRef": OTHER_IMAGE}})
        assert fault_of(refused) == (400, "badRequest")
        assert create(endpoint.ask, imageRef=IMAGE.replace("-", "")).status_code == 202


def test_more_metadata_than_the_quota_is_403(ask: Client) -> None:
    answer = create(ask, metadata={str(number): "" for number in range(129)})

    assert fault_of(answer) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "name", "shown"),
    [("/v2.1", "new", "new"), ("/v2/openstack", " new ", "new"), ("/v2.1", "é", "é")],
)
def test_a_server_is_renamed(ask: Client, path: str, name: str, shown: str) -> None:
    answer = ask("PUT", f"{path}/servers/{SERVER}", json={"server": {"name": name}})

    assert answer.status_code == 200
    renamed = answer.json()["server"]
    assert renamed["name"] == shown
    whole = ask.get(f"{path}/servers/{SERVER}").json()["server"]
    # On `/v2.1`, it is shown with more members than an update's answer has.
    assert without_extensions(whole) == renamed
    assert (whole == renamed) is (path != "/v2.1")


def without_extensions(shown: dict[str, Any]) -> dict[str, Any]:
    documented = {
        name: value for name, value in shown.items() if ":" not in name and name not in EXTENSIONS
    }
    addresses = {
        network: [{"addr": one["addr"], "version": one["version"]} for one in several]
        for network, several in shown["addresses"].items()
    }
    disk = {name: shown[name] for name in ("OS-DCF:diskConfig",) if name in shown}
    return {**documented, "addresses": addresses, **disk}


EXTENSIONS = {"config_drive", "key_name", "security_groups"}


@pytest.mark.parametrize(
    ("status", "vm_state", "task_state", "power_state"),
    [
        ("BUILD", "building", "spawning", 0),
        ("ACTIVE", "active", None, 1),
        ("SHUTOFF", "stopped", None, 4),
        ("ERROR", "error", None, 1),
        ("REBUILD", "stopped", "rebuild_spawning", 4),
    ],
)
def test_v2_1_shows_what_nova_s_schema_requires_behind_the_documented_members(
    endpoint: Endpoint, status: str, vm_state: str, task_state: str | None, power_state: int
) -> None:
    server_id = "00000000-0000-4000-8000-000000000001"
    state = "SHUTOFF" if status == "REBUILD" else status
    endpoint.register(server_id, state=state, fault=Fault(500, 0, "The disk is full."))
    if status == "REBUILD":
        endpoint.servers.rebuild(server_id, RebuildServer(image_id=IMAGE))
    shown = endpoint.ask.get(f"/v2.1/servers/{server_id}").json()["server"]
    documented = endpoint.ask.get(f"/v2/openstack/servers/{server_id}").json()["server"]

    assert shown["status"] == status
    names = list(shown)
    ours = names[names.index("OS-DCF:diskConfig") + 1 :]
    fault = ["fault"] if status == "ERROR" else []
    behind = [name for name in documented if name != "fault"]
    assert names == [*behind, "OS-DCF:diskConfig", *ours]
    launched = shown.pop("OS-SRV-USG:launched_at")
    assert {name: shown[name] for name in ours if name in shown and name != "fault"} == {
        "OS-EXT-STS:vm_state": vm_state,
        "OS-EXT-STS:task_state": task_state,
        "OS-EXT-STS:power_state": power_state,
        "OS-SRV-USG:terminated_at": None,
        "OS-EXT-AZ:availability_zone": "nova",
        "config_drive": "",
        "key_name": None,
        "os-extended-volumes:volumes_attached": [],
        "security_groups": [{"name": "default"}],
    }
    assert ours[-1:] == (fault or ["security_groups"])
    (address,) = shown["addresses"]["private"]
    assert address.pop("OS-EXT-IPS:type") == "fixed"
    assert re.fullmatch("fa:16:3e(:[0-9a-f]{2}){3}", address.pop("OS-EXT-IPS-MAC:mac_addr"))
    assert shown["addresses"] == documented["addresses"]
    assert (launched is None) is (status == "BUILD")


def test_a_server_was_launched_when_it_was_built_adopted_or_last_rebuilt() -> None:
    clock = ManualClock()
    with Endpoint(authenticate=NoAuthentication(admin=True), clock=clock) as endpoint:
        made = create(endpoint.ask).json()["server"]["id"]
        whole = f"/v2.1/servers/{made}"

        def launched() -> str | None:
            shown = endpoint.ask.get(whole).json()["server"]
            assert shown == endpoint.ask.get("/v2.1/servers/detail").json()["servers"][0]
            found: str | None = shown["OS-SRV-USG:launched_at"]
            return found

        assert launched() is None
        clock.advance(0.25)
        endpoint.servers.report_built(made)
        assert launched() == "2012-09-12T17:20:36.250000"
        clock.advance(60)
        endpoint.servers.stop(made)
        endpoint.servers.rebuild(made, RebuildServer(image_id=IMAGE))
        assert launched() == "2012-09-12T17:20:36.250000"
        clock.advance(60)
        endpoint.servers.complete_rebuild(made)
        assert launched() == "2012-09-12T17:22:36.250000"
        endpoint.servers.start(made)
        endpoint.servers.rebuild(made, RebuildServer(image_id=IMAGE))
        endpoint.servers.fail_rebuild(made, "no")
        assert launched() == "2012-09-12T17:22:36.250000"


@pytest.mark.parametrize("path", ["/v2.1", "/v2/openstack"])
def test_an_update_of_nothing_is_200_and_changes_nothing(endpoint: Endpoint, path: str) -> None:
    answer = endpoint.ask("PUT", f"{path}/servers/{SERVER}", json={"server": {}})

    assert answer.status_code == 200
    assert answer.json()["server"]["id"] == SERVER
    assert endpoint.servers.get(SERVER).version == 1
    reader = endpoint.ask("PUT", f"{path}/servers/{SERVER}", json={"server": {}}, user="reader")
    assert fault_of(reader) == (403, "forbidden")


@pytest.mark.parametrize("path", ["/v2.1", "/v2/openstack"])
@pytest.mark.parametrize(
    "body",
    [
        {"server": {"name": ""}},
        {"server": []},
        {"server": {"accessIPv4": ""}},
        {"server": {"name": "n", "OS-DCF:diskConfig": "auto"}},
        {"name": "n"},
        [],
    ],
)
def test_what_a_rename_cannot_do_is_400(endpoint: Endpoint, path: str, body: Any) -> None:
    answer = endpoint.ask("PUT", f"{path}/servers/{SERVER}", json=body)

    assert fault_of(answer) == (400, "badRequest")
    assert endpoint.servers.get(SERVER).version == 1


@pytest.mark.parametrize("path", ["/v2.1", "/v2/openstack"])
def test_what_else_is_set_on_a_server_changes_without_a_rebuild(ask: Client, path: str) -> None:
    change = {"accessIPv6": "FE80::2", "OS-DCF:diskConfig": "AUTO"}
    answer = ask("PUT", f"{path}/servers/{SERVER}", json={"server": change})

    assert answer.status_code == 200
    shown = ask.get(f"/v2.1/servers/{SERVER}").json()["server"]
    assert (shown["accessIPv6"], shown["OS-DCF:diskConfig"]) == ("fe80::2", "AUTO")
    assert (shown["status"], shown["accessIPv4"]) == (
        "ACTIVE",
        answer.json()["server"]["accessIPv4"],
    )


def test_a_deleted_server_is_gone_at_once(ask: Client) -> None:
    answer = ask("DELETE", f"/v2.1/servers/{SERVER}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert fault_of(ask.get(f"/v2.1/servers/{SERVER}")) == (404, "itemNotFound")
    assert fault_of(ask.act({"rebuild": {"imageRef": IMAGE}})) == (404, "itemNotFound")
    assert ask.get("/v2.1/servers").json() == {"servers": []}


@pytest.mark.parametrize("server_id", ["web", "0", "%00", "%F0%9F%92%A9", "a" * 5000])
def test_an_id_that_is_none_is_404(ask: Client, server_id: str) -> None:
    assert fault_of(ask.get(f"/v2.1/servers/{server_id}")) == (404, "itemNotFound")


def test_a_server_that_is_shown_again_is_shown_as_it_is_and_for_its_own_path_and_host(
    endpoint: Endpoint,
) -> None:
    def shown(path: str, host: str = "localhost:8774") -> Any:
        return endpoint.ask.get(f"{path}/servers/{SERVER}", headers={"Host": host}).json()["server"]

    first = shown("/v2.1")
    assert shown("/v2.1") == first
    assert "OS-DCF:diskConfig" not in shown("/v2/openstack")
    assert shown("/v2.1/openstack")["links"] != first["links"]
    elsewhere = shown("/v2.1", "127.0.0.1")["links"][0]["href"]
    assert elsewhere == f"http://127.0.0.1/v2.1/servers/{SERVER}"
    endpoint.servers.rename(SERVER, "after")
    assert shown("/v2.1")["name"] == "after"
    assert endpoint.ask.get(f"/v2.1/servers/{SERVER}", user="stranger").status_code == 404
    endpoint.servers.delete(SERVER)
    assert endpoint.ask.get(f"/v2.1/servers/{SERVER}").status_code == 404


def test_a_server_that_was_just_shown_is_shown_while_all_threads_wait(endpoint: Endpoint) -> None:
    endpoint.ask.get(f"/v2.1/servers/{SERVER}")
    with endpoint.servers._log.connections.writing():
        # In memory nobody else reads meanwhile: a thread would wait for this one, for ever.
        assert endpoint.ask.get(f"/v2.1/servers/{SERVER}").status_code == 200
