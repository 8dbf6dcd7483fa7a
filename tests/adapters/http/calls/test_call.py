"""A call: what its request says, and where the links of its answer begin."""

from __future__ import annotations

import re
from typing import Any

import pytest

from serverdomain import Actor, InvalidInput
from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.adapters.http.calls.call import Call
from serverdomain.domain.limits import shown


def call(path: str = "/v2.1/servers", **scope: Any) -> Call:
    return Call({"type": "http", "method": "GET", "path": path, "headers": [], **scope})


def test_what_nothing_is_known_of_yet_may_do_nothing() -> None:
    new = call()
    assert (new.admitted, new.key_sent, new.repeats) == (False, False, False)
    assert (new.route, new.project, new.server_id, new.item, new.within) == (None,) * 5
    assert (new.api, new.query, new.endpoint, new.sent, new.dropped) == ("v2", "", "", b"", ())
    assert new.correlation_id is None
    assert new.request_id != call().request_id


@pytest.mark.parametrize(
    ("method", "is_read"), [("GET", True), ("HEAD", True), ("POST", False), ("DELETE", False)]
)
def test_only_what_asks_is_read(method: str, is_read: bool) -> None:
    assert call(method=method).is_read is is_read


@pytest.mark.parametrize(
    ("scope", "root"),
    [
        ({"headers": [(b"host", b"cloud:8774")]}, "http://cloud:8774"),
        ({"headers": [(b"host", b"[::1]:8774")], "scheme": "https"}, "https://[::1]:8774"),
        ({"headers": [(b"host", b"cloud")], "server": ("other", 1)}, "http://cloud"),
        ({}, "http://localhost"),
        ({"server": None}, "http://localhost"),
        ({"server": ("10.0.0.1", 8774)}, "http://10.0.0.1:8774"),
        ({"server": ("cloud", None)}, "http://cloud"),
        ({"headers": [(b"host", b"cloud")], "root_path": "/a b/é"}, "http://cloud/a%20b/%C3%A9"),
    ],
)
def test_links_begin_where_the_request_came_to(scope: dict[str, Any], root: str) -> None:
    assert call(**scope).root() == root


@pytest.mark.parametrize("host", ["", "a b", "a/b", "user@cloud", "h" * 256, "\xe9"])
def test_a_host_that_would_bend_links_is_refused_by_name(host: str) -> None:
    told = f"Host: {shown(host)} came, a name with or without a port is allowed"
    with pytest.raises(CallFault, match=f"^{re.escape(told)}$") as no:
        call(headers=[(b"host", host.encode("latin-1"))]).root()
    assert no.value.status == 400
    assert call(headers=[(b"host", b"h" * 255)]).root() == f"http://{'h' * 255}"


@pytest.mark.parametrize(
    ("scope", "segments"),
    [
        ({"path": "/v2.1/servers"}, ["v2.1", "servers"]),
        ({"path": "//v2.1//servers/"}, ["v2.1", "servers"]),
        ({"path": "/"}, []),
        ({"path": "/v2/a/b", "raw_path": b"/v2/a%2Fb"}, ["v2", "a/b"]),
        ({"path": "/v2/é", "raw_path": b"/v2/%C3%A9?name=%2F"}, ["v2", "é"]),
        ({"path": "/v2/é"}, ["v2", "é"]),
        ({"path": "/v2", "raw_path": b"/v2?marker=%ff"}, ["v2"]),
        ({"path": "/on/v2", "raw_path": b"/on/v2", "root_path": "/on"}, ["v2"]),
        ({"path": "/a b/v2", "raw_path": b"/a%20b/v2", "root_path": "/a b"}, ["v2"]),
        ({"path": "/v2/?", "raw_path": b"/v2/%FF"}, None),
        ({"path": "/v2/?", "raw_path": b"/v2/\xff"}, None),
    ],
)
def test_a_path_is_cut_before_it_is_decoded(
    scope: dict[str, Any], segments: list[str] | None
) -> None:
    assert call(**scope).segments == segments


def test_its_query_and_head_are_as_they_came() -> None:
    asked = call(
        query_string=b"name=\xe9",
        headers=[(b"x-a", b"\xe9"), (b"x-openstack-request-id", b"req-global")],
    )
    assert (asked.query, asked.sent_headers["x-a"]) == ("name=é", "é")
    assert asked.correlation_id == "req-global"


def test_links_are_of_its_path_and_without_the_version() -> None:
    asked = call()
    asked.endpoint, asked.api, asked.project = "http://cloud", "v2.1", "mine"
    assert asked.url("servers", "1") == "http://cloud/v2.1/mine/servers/1"
    assert asked.named("servers", "1", "web") == {
        "id": "1",
        "name": "web",
        "links": [
            {"rel": "self", "href": "http://cloud/v2.1/mine/servers/1"},
            {"rel": "bookmark", "href": "http://cloud/mine/servers/1"},
        ],
    }


def keyed(key: bytes, project: str = "mine") -> Call:
    asked = call(headers=[(b"idempotency-key", key)])
    asked.take_key(project)
    return asked


def test_a_key_is_a_projects_and_the_same_with_and_without_quotes() -> None:
    assert keyed(b"k").key_sent
    assert keyed(b"k").request_id == keyed(b' "k" ').request_id
    assert keyed(b"k").request_id != keyed(b"k", "another").request_id
    # One quote alone, and one that does not end, are part of the key.
    assert keyed(b'"').request_id != keyed(b'"k').request_id != keyed(b"k").request_id


def test_no_two_projects_share_a_key_whatever_their_names() -> None:
    asked = [("a", "b:c"), ("a:b", "c"), ("3", "a:b:c"), ("a:b:", "c"), ("a:b", ":c"), ("a", "c")]
    ids = {keyed(key.encode(), project).request_id for project, key in asked}
    assert len(ids) == len(asked)


@pytest.mark.parametrize("key", [b"", b'""', b"\xe9", b"k" * 256])
def test_what_is_no_key_is_refused_by_name_and_changes_no_id(key: bytes) -> None:
    asked = call(headers=[(b"idempotency-key", key)])
    before = asked.request_id
    with pytest.raises(InvalidInput, match=r"Idempotency-Key: .* 1 to 255 printable ASCII"):
        asked.take_key("mine")
    assert (asked.key_sent, asked.request_id) == (False, before)
    with pytest.raises(InvalidInput, match=r"^Idempotency-Key: '\\xe9' came, "):
        keyed(b'"\xe9"')


def test_the_command_it_asks_for_bears_its_ids_and_its_actor() -> None:
    asked = call(headers=[(b"x-openstack-request-id", b"req-global")])
    asked.actor = Actor("fake", "openstack")
    context = asked.context
    assert context.actor == Actor("fake", "openstack")
    assert (context.request_id, context.correlation_id) == (asked.request_id, "req-global")


def test_what_is_printed_of_it_holds_no_secret() -> None:
    asked = call(headers=[(b"x-auth-token", b"k1"), (b"host", b"cloud")])
    asked.sent, asked.route = b'{"adminPass": "k1", "name": "web"}', "servers.create"
    assert repr(asked) == (
        "Call(route='servers.create', method='GET', path='/v2.1/servers',"
        f" request_id='{asked.request_id}')"
    )
    assert asked.headers == {"x-auth-token": "***", "host": "cloud"}
    assert asked.body == {"adminPass": "***", "name": "web"}
