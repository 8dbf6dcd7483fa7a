"""novaclient drives the endpoint, on every root that it is served at."""

from __future__ import annotations

from typing import Any

import pytest
from keystoneauth1.loading import get_plugin_loader
from keystoneauth1.session import Session
from novaclient import client, exceptions

from tests.clients.conftest import NEW, OLD, SECRET, UNKNOWN, Cloud

pytestmark = pytest.mark.slow


@pytest.fixture(params=[("/v2.1", "2.1"), ("/v2.1/openstack", "2.1"), ("/v2/openstack", "2")])
def nova(cloud: Cloud, request: pytest.FixtureRequest) -> Any:
    root, version = request.param
    auth = get_plugin_loader("none").load_from_options(endpoint=f"{cloud.url}{root}")
    session = Session(auth=auth)
    yield client.Client(version, session=session, endpoint_override=f"{cloud.url}{root}")
    session.session.close()


def test_a_server_is_created_found_renamed_and_deleted(cloud: Cloud, nova: Any) -> None:
    created = nova.servers.create("web", OLD, "1", admin_pass=SECRET)
    assert nova.servers.get(created.id).status == "BUILD"
    cloud.advance(6)
    assert nova.servers.find(name="web").id == created.id
    assert nova.servers.update(created.id, name="renamed").name == "renamed"
    nova.servers.delete(created.id)
    with pytest.raises(exceptions.NotFound):
        nova.servers.get(created.id)


def test_a_rebuild_with_every_member_ends_active_and_stands_among_the_actions(
    cloud: Cloud, nova: Any
) -> None:
    server_id = cloud.create()
    rebuilt = nova.servers.rebuild(
        server_id,
        NEW,
        password=SECRET,
        disk_config="AUTO",
        preserve_ephemeral=True,
        name="new-server-test",
        meta={"meta var": "meta val"},
        files={"/etc/banner.txt": "hello"},
    )
    assert (rebuilt.status, rebuilt.progress, rebuilt.adminPass) == ("REBUILD", 0, SECRET)
    cloud.advance(6)
    server = nova.servers.get(server_id)
    assert (server.status, server.name, server.image["id"]) == ("ACTIVE", "new-server-test", NEW)
    assert server.metadata == {"meta var": "meta val"}
    assert not hasattr(server, "adminPass")

    newest, first = nova.instance_action.list(server_id)
    assert (newest.action, first.action) == ("rebuild", "create")
    assert newest.request_id == rebuilt.request_ids[0]
    assert len(nova.instance_action.get(server_id, newest.request_id).events) == 2


def test_each_refusal_is_the_exception_of_its_status(cloud: Cloud, nova: Any) -> None:
    server_id = cloud.create()
    with pytest.raises(exceptions.NotFound):
        nova.servers.rebuild(UNKNOWN, NEW)
    with pytest.raises(exceptions.BadRequest):
        nova.servers.rebuild(server_id, "no-image")
    with pytest.raises(exceptions.BadRequest):
        nova.servers.rebuild(server_id, UNKNOWN)
    with pytest.raises(exceptions.Forbidden):
        nova.servers.rebuild(server_id, NEW, meta={f"key {n}": "" for n in range(129)})
    with pytest.raises(exceptions.Forbidden):
        nova.servers.reset_state(server_id, "active")
    nova.servers.lock(server_id)
    with pytest.raises(exceptions.Conflict):
        nova.servers.stop(server_id)
    nova.servers.unlock(server_id)
    nova.servers.rebuild(server_id, NEW)
    with pytest.raises(exceptions.Conflict) as refused:
        nova.servers.rebuild(server_id, NEW)
    assert refused.value.request_id == cloud.asked("servers.rebuild")[-1]["request_id"]
    with pytest.raises(exceptions.NotFound):
        nova.instance_action.get(server_id, "req-nothing")


def test_metadata_and_power_go_as_with_nova(cloud: Cloud, nova: Any) -> None:
    server_id = cloud.create()
    nova.servers.set_meta(server_id, {"a": "1", "b": "2"})
    nova.servers.delete_meta(server_id, ["a"])
    assert nova.servers.get(server_id).metadata == {"b": "2"}
    nova.servers.stop(server_id)
    assert nova.servers.get(server_id).status == "SHUTOFF"
    nova.servers.start(server_id)
    assert nova.servers.get(server_id).status == "ACTIVE"


def test_another_microversion_is_not_acceptable(cloud: Cloud) -> None:
    auth = get_plugin_loader("none").load_from_options(endpoint=f"{cloud.url}/v2.1")
    session = Session(auth=auth)
    nova = client.Client("2.60", session=session, endpoint_override=f"{cloud.url}/v2.1")
    with pytest.raises(exceptions.NotAcceptable):
        nova.servers.list()
    session.session.close()
