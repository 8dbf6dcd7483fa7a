"""The ``openstack`` command drives the endpoint, pointed at it by the lines that `env` prints."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import NEW, OLD, SECRET, UNKNOWN, Cloud
from tests.clients.endpoint import without_settings

pytestmark = pytest.mark.slow

PROGRAMS = Path(sys.executable).parent
Openstack = Callable[..., Any]


@pytest.fixture
def openstack(cloud: Cloud) -> Openstack:
    said = subprocess.run(
        [PROGRAMS / "serverdomain", "env", "--endpoint", cloud.url],
        capture_output=True,
        text=True,
        check=True,
        env=without_settings(),
    ).stdout
    settings = dict(re.findall(r"^export (\w+)=(.*)$", said, re.MULTILINE))

    def run(*arguments: str, root: str = "/v2.1", fails: bool = False) -> Any:
        settings["OS_ENDPOINT"] = f"{cloud.url}{root}"
        done = subprocess.run(
            [PROGRAMS / "openstack", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=without_settings(**settings),
        )
        assert bool(done.returncode) == fails, done.stderr
        return done.stderr if fails else json.loads(done.stdout or "null")

    assert settings["OS_ENDPOINT"] == f"{cloud.url}/v2.1"
    return run


def test_a_server_is_shown_rebuilt_and_listed_with_its_events(
    cloud: Cloud, openstack: Openstack
) -> None:
    server_id = cloud.create("web")
    shown = openstack("server", "show", "web", "-f", "json")
    assert (shown["id"], shown["status"]) == (server_id, "ACTIVE")

    rebuild = ("--image", NEW, "--name", "new-server-test", "--property", "meta var=meta val")
    rebuilt = openstack(
        *("server", "rebuild", "web", *rebuild, "--password", SECRET, "--preserve-ephemeral"),
        *("-f", "json"),
    )
    assert rebuilt["adminPass"] == SECRET
    assert rebuilt["properties"] == {"meta var": "meta val"}
    cloud.advance(6)

    events = openstack("server", "event", "list", server_id, "-f", "json")
    assert [event["Action"] for event in events] == ["rebuild", "create"]
    (listed,) = openstack("server", "list", "-f", "json")
    assert (listed["ID"], listed["Status"]) == (server_id, "ACTIVE")
    assert listed["Name"] == "new-server-test"


def test_the_older_path_serves_it_too(cloud: Cloud, openstack: Openstack) -> None:
    asked = ("server", "create", "--image", OLD, "--flavor", "1", "web", "-f", "json")
    created = openstack(*asked, root="/v2/openstack")
    cloud.advance(6)
    rebuild = ("server", "rebuild", created["id"], "--image", NEW, "-f", "json")
    rebuilt = openstack(*rebuild, root="/v2/openstack")
    assert len(rebuilt["adminPass"]) == 12
    assert NEW in rebuilt["image"]


def test_a_refusal_is_a_message_and_an_exit_code(cloud: Cloud, openstack: Openstack) -> None:
    server_id = cloud.create("web")
    assert "No Server found for other" in openstack("server", "show", "other", fails=True)
    unknown = openstack("server", "rebuild", server_id, "--image", UNKNOWN, fails=True)
    assert UNKNOWN in unknown
    openstack("server", "lock", server_id)
    locked = openstack("server", "rebuild", server_id, "--image", NEW, fails=True)
    assert f"{server_id} is locked" in locked
