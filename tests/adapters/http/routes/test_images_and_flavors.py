"""Images and flavors: enough of them for clients that look before they act."""

from __future__ import annotations

import pytest

from tests.adapters.http.client import IMAGE, OTHER_IMAGE, Client, Endpoint, fault_of


def test_without_a_list_every_image_exists(ask: Client) -> None:
    shown = ask.get(f"/v2.1/images/{OTHER_IMAGE.upper()}").json()["image"]

    assert (shown["id"], shown["status"]) == (OTHER_IMAGE, "ACTIVE")
    assert shown["links"][0]["href"] == f"http://localhost:8774/v2.1/images/{OTHER_IMAGE}"
    assert {"name", "created", "updated", "metadata", "minDisk", "minRam", "progress"} <= set(shown)
    assert ask.get("/v2.1/images").json() == {"images": []}
    assert fault_of(ask.get("/v2.1/images/cirros")) == (404, "itemNotFound")


def test_with_a_list_those_exist() -> None:
    with Endpoint(images={IMAGE.upper(): "cirros", OTHER_IMAGE: "debian"}) as endpoint:
        ask = endpoint.ask
        assert ask.get(f"/v2/openstack/images/{IMAGE}").json()["image"]["name"] == "cirros"
        unknown = "00000000-0000-4000-8000-000000000001"
        assert fault_of(ask.get(f"/v2.1/images/{unknown}")) == (404, "itemNotFound")
        listed = ask.get("/v2.1/images").json()["images"]
        assert [image["name"] for image in listed] == ["cirros", "debian"]
        assert list(listed[0]) == ["id", "name", "links"]
        (found,) = ask.get("/v2.1/images/detail?name=debian").json()["images"]
        assert {"image": found} == ask.get(f"/v2.1/images/{OTHER_IMAGE}").json()


def test_a_callable_says_which_exist() -> None:
    asked = []

    def find(image_id: str) -> str | None:
        asked.append(image_id)
        return "cirros" if image_id == IMAGE else None

    with Endpoint(images=find) as endpoint:
        assert endpoint.ask.get(f"/v2.1/images/{IMAGE}").json()["image"]["name"] == "cirros"
        assert endpoint.ask.get(f"/v2.1/images/{OTHER_IMAGE}").status_code == 404
        refused = endpoint.ask.act({"rebuild": {"imageRef": OTHER_IMAGE}})
        assert fault_of(refused) == (400, "badRequest")

    assert set(asked) == {IMAGE, OTHER_IMAGE}


def test_every_flavor_exists(ask: Client) -> None:
    for flavor_id in ("1", "large%20one", "f" * 255):
        shown = ask.get(f"/v2.1/flavors/{flavor_id}").json()["flavor"]
        assert {"id", "name", "ram", "vcpus", "disk", "links"} <= set(shown)
    assert fault_of(ask.get(f"/v2.1/flavors/{'f' * 256}")) == (400, "badRequest")


@pytest.mark.parametrize("path", ["/v2/openstack", "/v2.1"])
def test_the_usual_flavors_are_listed(ask: Client, path: str) -> None:
    short = ask.get(f"{path}/flavors").json()["flavors"]
    whole = ask.get(f"{path}/flavors/detail").json()["flavors"]

    assert [flavor["name"] for flavor in short][:2] == ["m1.tiny", "m1.small"]
    assert [flavor["id"] for flavor in short] == [flavor["id"] for flavor in whole]
    assert {"flavor": whole[0]} == ask.get(f"{path}/flavors/1").json()
