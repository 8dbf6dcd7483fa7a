"""What may be shown of a request: all but passwords, tokens and files, however they are spelled."""

from __future__ import annotations

import json

import msgspec
import pytest

from serverdomain.adapters.http.calls.secrets import (
    HIDDEN,
    as_it_stands,
    hidden,
    hidden_headers,
    without_secrets,
)

NAMES = (
    "adminPass",
    "admin_pass",
    "ADMIN-PASS",
    " adminPass ",
    "password",
    "adminPassword",
    "secret",
    "token",
    "contents",
    "user_data",
    "userData",
    "user-data",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_is_hidden_under_any_name_and_at_any_depth(name: str) -> None:
    body = {"rebuild": {name: "k1", "name": "web", "personality": [{name: ["k1"]}, 1, None]}}
    shown = {
        "rebuild": {name: HIDDEN, "name": "web", "personality": [{name: HIDDEN}, 1, None]},
    }
    assert without_secrets(json.dumps(body).encode()) == shown
    assert json.loads(hidden(json.dumps(body).encode())) == shown


def test_a_name_that_is_spelled_with_escapes_is_no_hiding_place() -> None:
    body = b'{"rebuild": {"\\u0061dminP\\u0061ss": "k1"}}'
    assert json.loads(hidden(body)) == {"rebuild": {"adminPass": HIDDEN}}


@pytest.mark.parametrize(
    "body",
    [b'{"a": [1, -0.5e3, null, "\xc3\xa9"]}', b"[" * 200 + b"]" * 200, b"1" * 4299],
)
def test_json_is_shown_as_it_stands(body: bytes) -> None:
    assert msgspec.json.encode([as_it_stands(body)]) == b"[%b]" % body


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[NaN]", b'"\xff"', b'"\\ud800"', b"[" * 100_000, b"1" * 4300],
)
def test_what_not_everybody_could_read_is_not_shown(body: bytes) -> None:
    assert as_it_stands(body) is None


def test_a_body_without_a_secret_is_kept_byte_for_byte() -> None:
    for body in (b'{ "lock" : null }', b"", b"no JSON", b"\xff"):
        assert hidden(body) == body


@pytest.mark.parametrize(
    "body",
    [
        b'{"adminPass": "k1"',
        b"adminPass=k1",
        b'{"ADMINPASS": "k1\xff"}',
        b'{"adminPass": "k1", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=["cut off", "no JSON", "no UTF-8", "too deep"],
)
def test_what_may_hold_one_unseen_is_not_shown_at_all(body: bytes) -> None:
    assert hidden(body) == b""
    assert without_secrets(body) is None


def test_a_callers_credentials_are_hidden_and_the_other_headers_are_not() -> None:
    sent = {"x-auth-token": "k1", "authorization": "k1", "cookie": "k1", "host": "localhost"}
    assert hidden_headers(sent) == {
        "x-auth-token": HIDDEN,
        "authorization": HIDDEN,
        "cookie": HIDDEN,
        "host": "localhost",
    }
