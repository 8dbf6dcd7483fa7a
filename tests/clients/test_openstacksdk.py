"""openstacksdk drives the endpoint, on every root that it is served at."""

from __future__ import annotations

from collections.abc import Iterator

import openstack
import pytest
from openstack import exceptions
from openstack.connection import Connection

from tests.clients.conftest import NEW, OLD, SECRET, UNKNOWN, Cloud

pytestmark = [
    pytest.mark.slow,
    # It warns of parts of its own, which it uses itself, that later releases will not have.
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK50Warning"),
    pytest.mark.filterwarnings("ignore::openstack.warnings.RemovedInSDK60Warning"),
]


@pytest.fixture(params=["/v2.1", "/v2.1/openstack", "/v2/openstack"])
def connection(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Connection]:
    connection = openstack.connect(
        auth_type="none", auth={"endpoint": f"{cloud.url}{request.param}"}, identity_api_version="3"
    )
    yield connection
    connection.close()


def test_a_server_is_created_found_renamed_and_deleted(
    cloud: Cloud, connection: Connection
) -> None:
    compute = connection.compute
    created = compute.create_server(
        name="web", image_id=OLD, flavor_id="1", networks="none", admin_password=SECRET
    )
    assert created.status == "BUILD" or compute.get_server(created.id).status == "BUILD"
    cloud.advance(6)
    assert compute.find_server("web").id == created.id
    assert [server.name for server in compute.servers(details=False)] == ["web"]
    assert compute.update_server(created.id, name="renamed").name == "renamed"
    compute.delete_server(created.id)
    with pytest.raises(exceptions.NotFoundException):
        compute.get_server(created.id)


def test_a_rebuild_with_every_member_is_waited_for_and_stands_among_the_actions(
    cloud: Cloud, connection: Connection
) -> None:
    compute, server_id = connection.compute, cloud.create()
    rebuilt = compute.rebuild_server(
        server_id,
        NEW,
        name="new-server-test",
        admin_password=SECRET,
        metadata={"meta var": "meta val"},
        access_ipv4="1.2.3.4",
        access_ipv6="FE80::100",
        preserve_ephemeral=True,
    )
    assert (rebuilt.status, rebuilt.progress) == ("REBUILD", 0)
    assert rebuilt.admin_password == SECRET

    cloud.advance(3)
    assert compute.get_server(server_id).progress == 50
    cloud.advance(3)
    server = compute.wait_for_server(compute.get_server(server_id), interval=0, wait=10)
    assert (server.status, server.name, server.image.id) == ("ACTIVE", "new-server-test", NEW)
    assert (server.metadata, server.progress) == ({"meta var": "meta val"}, 100)
    assert (server.access_ipv4, server.access_ipv6) == ("1.2.3.4", "fe80::100")
    assert server.admin_password is None

    newest, first = compute.server_actions(server_id)
    assert (newest.action, first.action) == ("rebuild", "create")
    (sent,) = cloud.asked("servers.rebuild")
    assert newest.request_id == sent["request_id"]
    shown = compute.get_server_action(newest.request_id, server_id)
    assert {event["result"] for event in shown.events} == {"Success"}


def test_a_rebuild_that_fails_ends_the_wait_with_an_error(
    cloud: Cloud, connection: Connection
) -> None:
    compute, server_id = connection.compute, cloud.create()
    cloud.fault(server=server_id, rebuild="hypervisor", at=40)
    compute.rebuild_server(server_id, NEW)
    cloud.advance(6)
    with pytest.raises(exceptions.ResourceFailure):
        compute.wait_for_server(compute.get_server(server_id), interval=0, wait=10)
    assert compute.get_server(server_id).fault["code"] == 500


def test_each_refusal_is_the_exception_of_its_status(cloud: Cloud, connection: Connection) -> None:
    compute, server_id = connection.compute, cloud.create()
    with pytest.raises(exceptions.NotFoundException):
        compute.rebuild_server(UNKNOWN, NEW)
    with pytest.raises(exceptions.BadRequestException):
        compute.rebuild_server(server_id, "no-image")
    with pytest.raises(exceptions.BadRequestException):
        compute.rebuild_server(server_id, UNKNOWN)
    with pytest.raises(exceptions.BadRequestException):
        compute.rebuild_server(server_id, NEW, access_ipv4="")
    with pytest.raises(exceptions.ForbiddenException):
        compute.rebuild_server(server_id, NEW, metadata={f"key {n}": "" for n in range(129)})
    with pytest.raises(exceptions.ForbiddenException):
        compute.reset_server_state(server_id, "active")
    compute.lock_server(server_id)
    with pytest.raises(exceptions.ConflictException):
        compute.rebuild_server(server_id, NEW)
    compute.unlock_server(server_id)
    compute.rebuild_server(server_id, NEW)
    with pytest.raises(exceptions.ConflictException):
        compute.rebuild_server(server_id, NEW)
    with pytest.raises(exceptions.ConflictException):
        compute.stop_server(server_id)


def test_metadata_and_power_go_as_with_nova(cloud: Cloud, connection: Connection) -> None:
    compute, server_id = connection.compute, cloud.create()
    compute.set_server_metadata(server_id, a="1", b="2")
    compute.delete_server_metadata(server_id, ["a"])
    assert compute.get_server(server_id).metadata == {"b": "2"}
    compute.stop_server(server_id)
    assert compute.get_server(server_id).status == "SHUTOFF"
    compute.rebuild_server(server_id, NEW)
    cloud.advance(6)
    assert compute.get_server(server_id).status == "SHUTOFF"
    compute.start_server(server_id)
    assert compute.get_server(server_id).status == "ACTIVE"


def test_two_calls_under_one_global_request_id_are_two_rebuilds(cloud: Cloud) -> None:
    server_id = cloud.create()
    connection = openstack.connect(
        auth_type="none", auth={"endpoint": f"{cloud.url}/v2.1"}, identity_api_version="3"
    )
    told = "req-a79cba8c-6b1a-4b1e-8f2e-3f4a5b6c7d8e"
    compute = openstack.connection.Connection(
        session=connection.session, config=connection.config, global_request_id=told
    ).compute
    for image in (NEW, OLD):
        compute.rebuild_server(server_id, image)
        cloud.advance(6)
    sent = cloud.asked("servers.rebuild")
    assert len({call["request_id"] for call in sent}) == 2
    assert compute.get_server(server_id).image.id == OLD
    connection.close()
