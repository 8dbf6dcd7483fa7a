"""libcloud drives the endpoint on `/v2`, whose leniency with members it needs."""

from __future__ import annotations

from typing import Any

import pytest
from libcloud.common.exceptions import BaseHTTPError
from libcloud.compute.base import NodeImage
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

from tests.clients.conftest import NEW, OLD, SECRET, UNKNOWN, Cloud

pytestmark = pytest.mark.slow


@pytest.fixture
def driver(cloud: Cloud) -> Any:
    driver = get_driver(Provider.OPENSTACK)(
        "user",
        "password",
        api_version="1.1",
        ex_force_auth_url=cloud.url,
        ex_force_auth_token="any",
        ex_force_base_url=f"{cloud.url}/v2/openstack",
        ex_tenant_name="openstack",
    )
    yield driver
    driver.connection.connection.session.close()


def test_a_node_is_created_rebuilt_and_destroyed(cloud: Cloud, driver: Any) -> None:
    created = driver.create_node(
        name="web", image=driver.get_image(OLD), size=driver.ex_get_size("1")
    )
    cloud.advance(6)
    (node,) = driver.list_nodes()
    assert (node.id, node.state) == (created.id, NodeState.RUNNING)

    asked = {"ex_metadata": {"meta var": "meta val"}, "ex_disk_config": "AUTO"}
    files = {"/etc/banner.txt": "hello"}
    assert driver.ex_rebuild(
        node,
        image=driver.get_image(NEW),
        name="new-server-test",
        ex_admin_pass=SECRET,
        ex_files=files,
        **asked,
    )
    assert driver.ex_get_node_details(node.id).state == NodeState.PENDING
    cloud.advance(6)
    ((rebuilt, _),) = driver.wait_until_running(
        [node], wait_period=0.01, timeout=10, ssh_interface="private_ips"
    )
    assert (rebuilt.name, rebuilt.extra["imageId"]) == ("new-server-test", NEW)
    assert driver.ex_get_metadata(node) == {"meta var": "meta val"}

    assert driver.destroy_node(node)
    assert driver.ex_get_node_details(node.id) is None


def test_each_refusal_has_its_status(cloud: Cloud, driver: Any) -> None:
    node = driver.ex_get_node_details(cloud.create())
    unknown = NodeImage(UNKNOWN, "unknown", driver)
    with pytest.raises(BaseHTTPError) as refused:
        driver.ex_rebuild(node, image=unknown)
    assert refused.value.code == 400
    assert driver.ex_rebuild(node, image=driver.get_image(NEW))
    with pytest.raises(BaseHTTPError) as refused:
        driver.ex_rebuild(node, image=driver.get_image(NEW))
    assert refused.value.code == 409
    too_many = {f"key {number}": "" for number in range(129)}
    cloud.advance(6)
    with pytest.raises(BaseHTTPError) as refused:
        driver.ex_rebuild(node, image=driver.get_image(NEW), ex_metadata=too_many)
    assert refused.value.code == 403
    driver.destroy_node(node)
    with pytest.raises(BaseHTTPError) as refused:
        driver.ex_rebuild(node, image=driver.get_image(NEW))
    assert refused.value.code == 404
