"""The version documents, which clients ask first and without a token."""

from __future__ import annotations

import pytest

from tests.adapters.http.client import Client, Endpoint, fault_of


@pytest.mark.parametrize("path", ["/v2", "/v2/", "/v2.1", "/v2.1/"])
def test_a_version_document_needs_no_token(ask: Client, path: str) -> None:
    answer = ask("GET", path, user="nobody")

    version = answer.json()["version"]
    assert answer.status_code == 200
    assert {"id", "status", "version", "min_version", "links"} <= set(version)
    assert version["links"][0] == {
        "rel": "self",
        "href": f"http://localhost:8774/{path.strip('/')}/",
    }


def test_v2_1_says_the_one_microversion_and_v2_says_none(ask: Client) -> None:
    legacy = ask.get("/v2/").json()["version"]
    current = ask.get("/v2.1/").json()["version"]

    assert (legacy["id"], legacy["version"], legacy["min_version"]) == ("v2.0", "", "")
    assert (current["id"], current["version"], current["min_version"]) == ("v2.1", "2.1", "2.1")


def test_the_root_lists_both(ask: Client) -> None:
    versions = ask("GET", "/", user="nobody").json()["versions"]

    assert [version["id"] for version in versions] == ["v2.0", "v2.1"]


def test_their_links_begin_with_the_endpoint_where_one_was_given() -> None:
    with Endpoint(endpoint="https://openstack.example.com/") as endpoint:
        versions = endpoint.ask.get("/").json()["versions"]

    hrefs = [version["links"][0]["href"] for version in versions]
    assert hrefs == [f"https://openstack.example.com/{api}/" for api in ("v2", "v2.1")]


def test_a_version_document_is_only_read(ask: Client) -> None:
    answer = ask("POST", "/v2.1/")

    assert fault_of(answer) == (405, "badMethod")
    assert answer.headers["allow"] == "GET"


def test_a_version_document_waits_for_no_store(endpoint: Endpoint) -> None:
    with endpoint.servers._log.connections.writing():  # In memory readers wait, too.
        assert endpoint.ask.get("/v2.1/").status_code == 200
