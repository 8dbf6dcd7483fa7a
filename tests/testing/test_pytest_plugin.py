"""The pytest plugin: nothing loads with it, a test begins with an empty endpoint."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path

import httpx
import pytest

from serverdomain import Conflict, InvalidInput
from serverdomain.adapters.http.control.fault_rule import FaultRule
from serverdomain.errors import ExtraMissing
from serverdomain.testing.compute_endpoint import ComputeEndpoint
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE, SERVER, adopted

PLUGIN = "serverdomain.testing.pytest_plugin"
HEAVY = ("eventsourcing", "msgspec", "pydantic", "starlette", "uvicorn", "sqlite_utils")
ACTION = f"/v2.1/servers/{SERVER}/action"


def pytest_in(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest, with nothing but what the package registers, on a test of its own."""
    (folder / "test_one.py").write_text(test, "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )


@pytest.fixture
def endpoint(compute_endpoint: ComputeEndpoint) -> ComputeEndpoint:
    compute_endpoint.servers.register(adopted())
    return compute_endpoint


def rebuild(endpoint: ComputeEndpoint) -> httpx.Response:
    return httpx.post(f"{endpoint.url}{ACTION}", json={"rebuild": {"imageRef": NEW_IMAGE}})


def test_the_package_registers_it() -> None:
    assert PLUGIN in {one.value for one in entry_points(group="pytest11")}


def test_loading_it_loads_pytest_alone() -> None:
    asked = f"import sys, {PLUGIN}; print(*[m for m in {HEAVY} if m in sys.modules], '.')"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout == ".\n"


@pytest.mark.slow
def test_a_run_that_asks_for_nothing_of_ours_loads_nothing_of_ours(tmp_path: Path) -> None:
    ran = pytest_in(
        tmp_path,
        f"import sys\ndef test_loads():\n    assert not [m for m in {HEAVY} if m in sys.modules]\n"
        "    assert 'serverdomain.testing.pytest_plugin' in sys.modules\n",
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.slow
def test_without_its_extra_it_names_it(tmp_path: Path) -> None:
    ran = pytest_in(
        tmp_path,
        "import sys\nsys.modules['starlette'] = None\ndef test_one(compute_endpoint): ...\n",
    )
    assert ran.returncode == 1
    assert str(ExtraMissing("compute_endpoint", "starlette", "http")) in ran.stdout
    assert "Traceback" not in ran.stdout


@pytest.mark.slow
def test_each_test_begins_with_nothing_on_the_same_port(tmp_path: Path) -> None:
    ran = pytest_in(
        tmp_path,
        "import pytest\n"
        "ports = set()\n"
        "@pytest.mark.parametrize('number', range(20))\n"
        "def test_one(compute_endpoint, number):\n"
        "    assert compute_endpoint.servers.list() == []\n"
        "    assert compute_endpoint.faults.list() == []\n"
        "    assert len(compute_endpoint.requests) == 0\n"
        "    assert compute_endpoint.clock.now.year == 2012\n"
        "    from serverdomain.testing.store_contract import adopted\n"
        "    compute_endpoint.servers.register(adopted())\n"
        "    compute_endpoint.faults.rebuild('hang')\n"
        "    compute_endpoint.clock.advance(10**9)\n"
        "    ports.add(compute_endpoint.url)\n"
        "    assert len(ports) == 1\n",
        "-W",
        "error",
    )
    assert ran.returncode == 0, ran.stdout


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_connection_of_openstacksdk_waits_by_the_endpoints_clock(
    endpoint: ComputeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openstack.utils

    monkeypatch.setattr(time, "sleep", lambda seconds: pytest.fail("it slept"))
    monkeypatch.setenv("OS_CLOUD", "another")
    cloud, began = endpoint.connection, endpoint.clock.now
    assert endpoint.connection is cloud
    cloud.compute.rebuild_server(SERVER, NEW_IMAGE)
    rebuilt = cloud.compute.wait_for_server(cloud.compute.get_server(SERVER))
    assert (rebuilt.status, rebuilt.image.id) == ("ACTIVE", NEW_IMAGE)
    assert endpoint.clock.now - began == timedelta(seconds=6)
    # Its patience is counted in the endpoint's seconds, too: an hour is over at once.
    endpoint.faults.rebuild("hang")
    cloud.compute.rebuild_server(SERVER, IMAGE)
    with pytest.raises(openstack.exceptions.ResourceTimeout):
        cloud.compute.wait_for_server(cloud.compute.get_server(SERVER), wait=3600)
    assert endpoint.clock.now - began >= timedelta(hours=1)
    endpoint.reset()
    assert endpoint.connection is not cloud
    endpoint._disconnect()
    assert openstack.utils.time is time


def test_without_openstacksdk_a_connection_names_its_extra(
    endpoint: ComputeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openstack", None)
    monkeypatch.delitem(sys.modules, "serverdomain.testing.openstack_connection", raising=False)
    with pytest.raises(ExtraMissing) as missing:
        assert endpoint.connection
    wanted = ExtraMissing("compute_endpoint.connection", "openstack", "clients")
    assert str(missing.value) == str(wanted)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_clouds_yaml_points_openstacksdk_at_it(
    endpoint: ComputeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    import openstack

    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(endpoint.clouds_yaml))
    with openstack.connect(cloud="serverdomain") as cloud:
        assert [server.name for server in cloud.compute.servers()] == ["foobar"]


def test_the_clock_is_moved_by_seconds_by_a_span_and_to_a_time(endpoint: ComputeEndpoint) -> None:
    began = endpoint.clock.now
    endpoint.clock.advance(1.5)
    endpoint.clock.advance(timedelta(minutes=1))
    assert endpoint.clock.now == began + timedelta(seconds=61.5)
    endpoint.clock.now = began + timedelta(hours=1)
    assert endpoint.clock.now == began + timedelta(hours=1)
    with pytest.raises(Conflict):
        endpoint.clock.now = began


def test_a_rebuild_fails_on_purpose_and_the_test_does_not_sleep(endpoint: ComputeEndpoint) -> None:
    endpoint.faults.rebuild("hypervisor", at=60, name="foo*")
    assert rebuild(endpoint).status_code == 202
    endpoint.clock.advance(6)
    assert endpoint.servers.get(SERVER).status == "ERROR"


def test_every_rule_of_the_control_has_its_method(endpoint: ComputeEndpoint) -> None:
    faults = endpoint.faults
    faults.rebuild("hang", at=1, server=SERVER, name="foo*", metadata={"k": "v"}, times=2)
    faults.answer("servers.rebuild", 503, retry_after=1, delay=0.1)
    faults.delay("servers.rebuild", 0.1)
    faults.drop("servers.rebuild", "after")
    said = {member for fault in faults.list() for member in fault}
    assert said - {"id", "left"} == set(FaultRule.model_fields)
    faults.remove(faults.list()[0]["id"])
    assert len(faults.list()) == 3
    faults.clear()
    assert faults.list() == []


def test_a_fault_that_could_never_match_is_refused(endpoint: ComputeEndpoint) -> None:
    with pytest.raises(InvalidInput, match="there is no 'rebuild'"):
        endpoint.faults.drop("rebuild", "after")


def test_an_answer_is_another(endpoint: ComputeEndpoint) -> None:
    endpoint.faults.answer("servers.rebuild", 503, retry_after=3)
    answer = rebuild(endpoint)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")
    assert rebuild(endpoint).status_code == 202


def test_what_was_asked_can_be_asserted(endpoint: ComputeEndpoint) -> None:
    rebuild(endpoint)
    (call,) = endpoint.requests(server=SERVER, route="servers.rebuild")
    assert call["body"] == {"rebuild": {"imageRef": NEW_IMAGE}}
    assert [one["route"] for one in endpoint.requests] == ["servers.rebuild"]
    assert endpoint.requests(route="servers.create") == []
    for unknown in ("servers.rebuilt", "rebuild", ""):
        with pytest.raises(InvalidInput, match=r"^route: there is no '.*', versions.list|servers"):
            endpoint.requests(route=unknown)
    assert len(endpoint.requests(route="versions.v2.1")) == 0
    assert IMAGE not in str(call)
