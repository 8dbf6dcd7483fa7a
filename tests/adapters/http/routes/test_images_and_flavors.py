"""Images and flavors: enough of them for clients that look before they act."""

from __future__ import annotations

import httpx
import pytest

from tests.adapters.http.client import IMAGE, OTHER_IMAGE, SERVER, Client, Endpoint, fault_of


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
        assert list(listed[0]) == ["id", "name", "links", "status"]
        assert listed[0]["links"][2] == {
            "href": f"http://localhost:8774/images/{IMAGE}",
            "rel": "alternate",
            "type": "application/vnd.openstack.image",
        }
        documented = ask.get("/v2/openstack/images").json()["images"]
        assert list(documented[0]) == ["id", "name", "links"]
        assert [link["rel"] for link in documented[0]["links"]] == ["self", "bookmark"]
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


def create(ask: Client, flavor: str) -> httpx.Response:
    server = {"name": "web", "imageRef": IMAGE, "flavorRef": flavor}
    return ask("POST", "/v2.1/servers", json={"server": server})


def test_a_flavor_that_nobody_has_does_not_exist(endpoint: Endpoint) -> None:
    for flavor_id in ("m1.tiny", "6", "f" * 256, "%ED%A0%80"):
        shown = endpoint.ask.get(f"/v2.1/flavors/{flavor_id}")
        assert fault_of(shown)[0] in (400, 404)
    refused = create(endpoint.ask, "6")
    assert fault_of(refused) == (400, "badRequest")
    assert "'6' came, the id of a flavor that exists" in refused.json()["badRequest"]["message"]
    assert create(endpoint.ask, "5").status_code == 202
    # Who may not create is told that first.
    reader = {"server": {"name": "web", "imageRef": IMAGE, "flavorRef": "6"}}
    told = endpoint.ask("POST", "/v2.1/servers", json=reader, user="reader")
    assert fault_of(told) == (403, "forbidden")


def test_one_that_a_server_has_exists_and_is_listed_last() -> None:
    other = "00000000-0000-4000-8000-000000000001"
    with Endpoint(flavors={"9": "huge", "1": "tiny"}) as endpoint:
        ask = endpoint.ask
        endpoint.register(other, flavor_id="large one", project_id="elsewhere")
        assert ask.get("/v2.1/flavors/large%20one").json()["flavor"]["name"] == "large one"
        assert create(ask, "large one").status_code == create(ask, "9").status_code == 202
        assert fault_of(create(ask, "2")) == (400, "badRequest")
        listed = ask.get("/v2.1/flavors").json()["flavors"]
        assert [(one["id"], one["name"]) for one in listed] == [
            ("9", "huge"),
            ("1", "tiny"),
            ("large one", "large one"),
        ]
        found = ask.get("/v2.1/servers/detail?flavor=9&flavor=http://x/flavors/1").json()["servers"]
        assert {server["flavor"]["id"] for server in found} == {"9", "1"}


def test_a_callable_says_which_flavors_exist() -> None:
    with Endpoint(flavors={"9": "huge"}.get) as endpoint:
        assert endpoint.ask.get("/v2.1/flavors/9").json()["flavor"]["name"] == "huge"
        assert fault_of(endpoint.ask.get("/v2.1/flavors/2")) == (404, "itemNotFound")
        # It cannot be asked for all: those are listed that servers have.
        assert [one["id"] for one in endpoint.ask.get("/v2.1/flavors").json()["flavors"]] == ["1"]


@pytest.mark.parametrize("of", ["flavors", "images", "flavors/detail", "images/detail"])
@pytest.mark.parametrize("api", ["/v2/openstack", "/v2.1"])
def test_they_are_listed_in_pages(api: str, of: str) -> None:
    ids = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(5)]
    items = {one: f"name {one[-1]}" for one in ids}
    with Endpoint(images=items, flavors=items) as endpoint:
        endpoint.servers.delete(SERVER)
        url, seen, kind = f"{api}/{of}?limit=2", [], of.partition("/")[0]
        while url:
            page = endpoint.ask.get(url).json()
            seen.append([one["id"] for one in page[kind]])
            url = page.get(f"{kind}_links", [{"href": ""}])[0]["href"]
            assert url == "" or url.startswith(f"http://localhost:8774{api}/{of}?limit=2&marker=")
        assert seen == [ids[:2], ids[2:4], ids[4:]]
        assert endpoint.ask.get(f"{api}/{of}?limit=0").json() == {kind: []}
        for wrong in ("limit=x", "marker=x", "marker="):
            assert fault_of(endpoint.ask.get(f"{api}/{of}?{wrong}")) == (400, "badRequest")
        if kind == "images":
            named = endpoint.ask.get(f"{api}/{of}?name=name+3&name=name+1").json()[kind]
            assert [one["id"][-1] for one in named] == ["1", "3"]


@pytest.mark.parametrize("path", ["/v2/openstack", "/v2.1"])
def test_the_usual_flavors_are_listed(ask: Client, path: str) -> None:
    short = ask.get(f"{path}/flavors").json()["flavors"]
    whole = ask.get(f"{path}/flavors/detail").json()["flavors"]

    assert [flavor["name"] for flavor in short][:2] == ["m1.tiny", "m1.small"]
    assert [flavor["id"] for flavor in short] == [flavor["id"] for flavor in whole]
    assert {"flavor": whole[0]} == ask.get(f"{path}/flavors/1").json()
