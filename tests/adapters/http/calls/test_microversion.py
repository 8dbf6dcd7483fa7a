"""`/v2.1` at 2.1 alone; `/v2` knows of no versions."""

from __future__ import annotations

import pytest

from tests.adapters.http.client import SERVER, Client, fault_of

PATH = f"/v2.1/servers/{SERVER}"
OURS = "OpenStack-API-Version"
OLDER = "X-OpenStack-Nova-API-Version"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {OURS: "compute 2.1"},
        {OURS: "compute latest"},
        {OURS: "placement 1.30, compute 2.1"},
        {OURS: "volume 3.50"},
        {OLDER: "2.1"},
        {OLDER: "latest"},
        {OURS: "compute 2.1", OLDER: "2.90"},
    ],
)
def test_the_served_version_and_latest_are_2_1(ask: Client, headers: dict[str, str]) -> None:
    answer = ask.get(PATH, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["openstack-api-version"] == "compute 2.1"
    assert answer.headers["x-openstack-nova-api-version"] == "2.1"
    assert answer.headers["vary"] == f"{OURS}, {OLDER}"


@pytest.mark.parametrize(
    "headers",
    [{OURS: "compute 2.90"}, {OURS: "compute 2.0"}, {OLDER: "2.999"}, {OURS: "Compute 3.1"}],
)
def test_another_version_is_406(ask: Client, headers: dict[str, str]) -> None:
    answer = ask.get(PATH, headers=headers)

    (version,) = (value.split()[-1] for value in headers.values())
    assert fault_of(answer) == (406, "computeFault")
    assert answer.json()["computeFault"]["message"] == (
        f"Version {version} is not supported by the API. Minimum is 2.1 and maximum is 2.1."
    )
    assert answer.headers["openstack-api-version"] == "compute 2.1"


@pytest.mark.parametrize(
    "garbage", ["compute abc", "compute 2", "compute 2.01", "compute", "compute 2.1 x"]
)
def test_garbage_is_400(ask: Client, garbage: str) -> None:
    answer = ask.get(PATH, headers={OURS: garbage})

    assert fault_of(answer) == (400, "badRequest")
    came = garbage.removeprefix("compute").strip()
    assert answer.json()["badRequest"]["message"] == (
        f"API version: '{came}' came, 2.1 or latest is allowed"
    )


def test_v2_ignores_version_headers_and_answers_none(ask: Client) -> None:
    answer = ask.get(f"/v2/openstack/servers/{SERVER}", headers={OURS: "compute abc"})

    assert answer.status_code == 200
    assert not {"openstack-api-version", OLDER.lower(), "vary"} & set(answer.headers)
