"""Metadata: the map, and one item of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.adapters.http.client import SERVER, Endpoint, fault_of

PATHS = ["/v2/openstack", "/v2.1"]


@pytest.fixture
def items(endpoint: Endpoint) -> Any:
    """Asks about the metadata of a server that has two items."""
    endpoint.servers.replace_metadata(SERVER, {"a": "1", "b": "2"})

    def ask(method: str, key: str = "", path: str = "/v2.1", **asked: Any) -> Any:
        url = f"{path}/servers/{SERVER}/metadata" + (f"/{key}" if key else "")
        return endpoint.ask(method, url, **asked)

    ask.there = lambda: endpoint.servers.get(SERVER).metadata
    return ask


@pytest.mark.parametrize("path", PATHS)
def test_it_is_shown_whole_and_by_its_items(items: Any, path: str) -> None:
    assert items("GET", path=path).json() == {"metadata": {"a": "1", "b": "2"}}
    assert items("GET", "b", path=path).json() == {"meta": {"b": "2"}}
    assert fault_of(items("GET", "c", path=path)) == (404, "itemNotFound")


@pytest.mark.parametrize("path", PATHS)
def test_post_merges_and_put_replaces(items: Any, path: str) -> None:
    merged = items("POST", path=path, json={"metadata": {"b": "3", "c": "4"}})
    assert (merged.status_code, merged.json()) == (
        200,
        {"metadata": {"a": "1", "b": "3", "c": "4"}},
    )

    replaced = items("PUT", path=path, json={"metadata": {"d": "5"}})
    assert (replaced.status_code, replaced.json()) == (200, {"metadata": {"d": "5"}})

    assert items("PUT", path=path, json={"metadata": {}}).json() == {"metadata": {}}
    assert items.there() == {}


@pytest.mark.parametrize("path", PATHS)
def test_one_item_is_set_and_taken_out(items: Any, path: str) -> None:
    answer = items("PUT", "c", path=path, json={"meta": {"c": "3"}})
    assert (answer.status_code, answer.json()) == (200, {"meta": {"c": "3"}})

    gone = items("DELETE", "a", path=path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert items.there() == {"b": "2", "c": "3"}
    assert fault_of(items("DELETE", "a", path=path)) == (404, "itemNotFound")


def test_a_key_with_a_space_is_one_in_a_path_too(items: Any) -> None:
    assert items("PUT", "meta%20var", json={"meta": {"meta var": "x"}}).status_code == 200
    assert items("GET", "meta%20var").json() == {"meta": {"meta var": "x"}}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"metadata": None},
        {"metadata": {"a": None}},
        {"metadata": {"a": 1}},
        {"metadata": {"": "x"}},
        {"metadata": {"a": "v" * 256}},
        {"metadata": {"k" * 256: "v"}},
        {"metadata": {"a": "é" * 128}},
        {"metadata": [["a", "b"]]},
        [],
    ],
)
def test_what_is_no_map_of_short_texts_is_400(
    items: Any, path: str, method: str, body: Any
) -> None:
    answer = items(method, path=path, json=body)

    assert fault_of(answer) == (400, "badRequest")
    assert "metadata" in answer.text
    assert items.there() == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    "body",
    [
        {"meta": {"d": "x"}},
        {"meta": {}},
        {"meta": {"c": "x", "d": "y"}},
        {"meta": {"c": None}},
        {"meta": {"c": "v" * 256}},
        {"meta": "c"},
        {"metadata": {"c": "x"}},
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_an_item_must_be_the_one_of_the_url(items: Any, path: str, body: Any) -> None:
    assert fault_of(items("PUT", "c", path=path, json=body)) == (400, "badRequest")


def test_v2_1_takes_nothing_beside_it(items: Any) -> None:
    body = {"metadata": {"c": "x"}, "more": 1}

    assert fault_of(items("POST", json=body)) == (400, "badRequest")
    assert items("POST", path="/v2/openstack", json=body).status_code == 200


def test_more_than_the_quota_is_403(items: Any) -> None:
    body = {"metadata": {str(number): "" for number in range(127)}}

    assert fault_of(items("POST", json=body)) == (403, "forbidden")
    assert items("PUT", json=body).status_code == 200


def test_a_state_that_allows_no_change_is_409(endpoint: Endpoint, items: Any) -> None:
    endpoint.ask.act({"os-resetState": {"state": "error"}}, user="admin")

    for method, key, body in [
        ("POST", "", {"metadata": {"c": "x"}}),
        ("PUT", "", {"metadata": {"c": "x"}}),
        ("PUT", "c", {"meta": {"c": "x"}}),
        ("DELETE", "a", None),
    ]:
        assert fault_of(items(method, key, json=body)) == (409, "conflictingRequest")
