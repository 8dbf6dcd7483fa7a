"""Reading the documented request: what every recorded body cannot say."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverdomain.adapters import compute_json
from serverdomain.adapters.compute_json import read_rebuild
from serverdomain.domain.commands import RebuildServer
from serverdomain.errors import InvalidBody, InvalidInput
from tests.adapters.recorded import DATA

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
PATHS: list[compute_json.Path] = ["v2", "v2.1"]

either_path = pytest.mark.parametrize("path", PATHS)


def request(**members: object) -> str:
    return json.dumps({"rebuild": {"imageRef": IMAGE, **members}})


@either_path
def test_the_documented_request_is_read_as_it_stands(path: compute_json.Path) -> None:
    command = read_rebuild((DATA / "rebuild-request.json").read_bytes(), path=path)

    assert command == RebuildServer(
        image_id=IMAGE,
        name="foobar",
        admin_pass="seekr3t",
        access_ipv4="1.2.3.4",
        access_ipv6="fe80::100",
        metadata={"meta var": "meta val"},
    )


@either_path
def test_bytes_and_text_are_read_alike(path: compute_json.Path) -> None:
    assert read_rebuild(request(), path=path) == read_rebuild(request().encode(), path=path)


@either_path
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="arrays nested 100,000 deep"),
        pytest.param(b'{"rebuild": ' * 50_000 + b"1" + b"}" * 50_000, id="objects nested deep"),
        pytest.param(
            request().replace("{}", "").encode()[:-2]
            + b', "x": '
            + b"[" * 300
            + b"]" * 300
            + b"}}",
            id="an unknown member nested deep",
        ),
        pytest.param(b'{"rebuild": {"imageRef": ' + b"9" * 100_000 + b"}}", id="a huge integer"),
        pytest.param(b"9" * 100_000, id="nothing but a huge integer"),
        pytest.param(b"\xef\xbb\xbf" + request().encode(), id="a byte order mark"),
        pytest.param(request().encode("utf-16"), id="UTF-16"),
        pytest.param(request(name="caf\xe9").encode().replace(b"\\u00e9", b"\xe9"), id="Latin-1"),
        pytest.param(b'{"rebuild": {"imageRef": NaN}}', id="NaN"),
        pytest.param(request(adminPass="x\ud800"), id="a lone surrogate in a password"),
        pytest.param(request(metadata={"\udfff": "x"}), id="a lone surrogate in a key"),
        pytest.param('{"rebuild": "\ud800"}', id="a lone surrogate as it is"),
        pytest.param(request(name="x").encode().replace(b'"x"', b'"\xed\xa0\x80"'), id="CESU-8"),
    ],
)
def test_what_is_no_sound_body_is_400(body: bytes | str, path: compute_json.Path) -> None:
    with pytest.raises(InvalidBody) as refusal:
        read_rebuild(body, path=path)

    assert (refusal.value.status, refusal.value.fault) == (400, "badRequest")


@either_path
@given(body=st.binary() | st.text())
def test_any_bytes_are_refused_or_read(body: bytes | str, path: compute_json.Path) -> None:
    try:
        read_rebuild(body, path=path)
    except InvalidBody as refusal:
        assert re.fullmatch(r".{1,500}", str(refusal))  # noqa: PT017


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MEMBERS = st.sampled_from(
    [
        "imageRef",
        "name",
        "adminPass",
        "metadata",
        "accessIPv4",
        "accessIPv6",
        "OS-DCF:diskConfig",
        "preserve_ephemeral",
        "personality",
        "x",
    ]
)


@either_path
@given(members=st.dictionaries(MEMBERS, JSON, max_size=4))
def test_any_json_is_refused_or_read(members: dict[str, object], path: compute_json.Path) -> None:
    try:
        read_rebuild(json.dumps({"rebuild": {"imageRef": IMAGE, **members}}), path=path)
    except InvalidBody as refusal:
        assert re.fullmatch(r".{1,500}", str(refusal))  # noqa: PT017


@either_path
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, None),
        ("", None),
        ("text/plain", None),
        ("application/json", None),
        ("Application/JSON; charset=UTF-8", None),
        ("application/vnd.openstack.compute+json", None),
        ("application/xml", 415),
        ("text/html", 415),
        ("multipart/form-data", 415),
    ],
)
def test_the_content_type_is_asked_first(
    content_type: str | None, status: int | None, path: compute_json.Path
) -> None:
    if status is None:
        assert read_rebuild(request(), path=path, content_type=content_type).image_id == IMAGE
        return
    with pytest.raises(InvalidBody) as refusal:
        read_rebuild("no JSON", path=path, content_type=content_type)
    assert (refusal.value.status, refusal.value.fault) == (status, "badMediaType")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"imageRef": "x"}, "rebuild.imageRef: 'x' came, a UUID is allowed"),
        ({"name": 5}, "rebuild.name: 5 came, input should be a valid string"),
        ({"name": None}, "rebuild.name: null came, input should be a valid string"),
        ({"adminPass": 5}, "rebuild.adminPass: a number came, input should be a valid string"),
        (
            {"accessIPv6": "::1%eth0"},
            "rebuild.accessIPv6: '::1%eth0' came, an IPv6 address such as fe80::100 is allowed",
        ),
        (
            {"metadata": {"k": "v" * 256}},
            "rebuild.metadata.k: a value of 256 bytes came, 0 to 255 are allowed",
        ),
        (
            {"metadata": {"a": "b", "\x1b\n": "c"}},
            "rebuild.metadata: an object came, keys of ASCII letters, digits, '-', '_', ':', '.' "
            "and space are allowed, '\\x1b\\n' is none",
        ),
        (
            {"OS-DCF:diskConfig": "auto"},
            "rebuild.OS-DCF:diskConfig: \"auto\" came, input should be 'AUTO' or 'MANUAL'",
        ),
        (
            {"personality": [{"path": "/etc/shadow", "contents": 7}]},
            "rebuild.personality.0.contents: a number came, input should be a valid string",
        ),
        (
            {"personality": [{"path": "/x", "contents": "", "mode": "0644"}]},
            "rebuild.personality.0.mode: no such member is known here",
        ),
        (
            {"tags": "x", "name": "y"},
            "rebuild.tags: no such member is known here, imageRef, adminPass, accessIPv4, "
            "accessIPv6, OS-DCF:diskConfig, preserve_ephemeral, name, metadata, personality "
            "are allowed",
        ),
    ],
)
def test_a_refusal_names_the_member_what_came_and_what_is_allowed(
    members: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_rebuild(request(**members), path="v2.1")

    assert str(refusal.value) == message
    assert refusal.value.field == message.partition(": ")[0]


def test_a_long_value_does_not_make_a_long_message() -> None:
    with pytest.raises(InvalidBody) as refusal:
        read_rebuild(request(name="x" * 100_000), path="v2.1")

    assert len(str(refusal.value)) < 200


def test_v2_strips_a_name_and_overlooks_what_it_does_not_know() -> None:
    command = read_rebuild(request(name="  foobar ", bogus=[1]), path="v2")

    assert command == RebuildServer(image_id=IMAGE, name="foobar")


def test_personality_and_preserve_ephemeral_are_checked_and_dropped() -> None:
    file = {"path": "/etc/motd", "contents": "aGVsbG8="}

    command = read_rebuild(request(personality=[file], preserve_ephemeral="no"), path="v2.1")

    assert command == RebuildServer(image_id=IMAGE)


def test_another_action_is_named() -> None:
    with pytest.raises(InvalidBody, match="'reboot' came, 'rebuild' is allowed"):
        read_rebuild('{"reboot": {"type": "HARD"}}')


def test_the_documented_request_is_kept_as_it_was_written() -> None:
    documented = Path(DATA / "rebuild-request.json").read_text()

    assert json.dumps(json.loads(documented), indent=0) == documented
