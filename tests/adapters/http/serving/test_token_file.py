"""Tokens in a file: who bears them, and what is refused without a token being told."""

from __future__ import annotations

import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from serverdomain import Actor, InvalidInput
from serverdomain.adapters.http import TokenFile
from serverdomain.adapters.http.serving.token_file import LONGEST
from tests.adapters.http.client import SERVER, Endpoint, fault_of

TOKEN = "s3cret-token"
MEMBER = {"user": "fake", "project": "openstack", "roles": ["member"]}


def written(path: Path, content: Any, mode: int = 0o600) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    path.chmod(mode)
    return path


def test_a_token_names_its_bearer(tmp_path: Path) -> None:
    admin = {"user": "root", "project": "openstack", "roles": ["reader", "admin"]}
    tokens = TokenFile(written(tmp_path / "tokens", {TOKEN: MEMBER, "other": admin}))
    reset = {"os-resetState": {"state": "error"}}

    with Endpoint(authenticate=tokens) as endpoint:
        assert endpoint.ask.get(f"/v2.1/servers/{SERVER}", user=TOKEN).status_code == 200
        assert endpoint.ask.act(reset, user=TOKEN).status_code == 403
        assert endpoint.ask.act(reset, user="other").status_code == 202
        for unknown in ("", "S3cret-token", "s3cret-toke", "s3cret-token-"):
            answer = endpoint.ask("GET", "/v2.1/servers", headers={"X-Auth-Token": unknown})
            assert fault_of(answer) == (401, "unauthorized")
        assert endpoint.ask("GET", "/v2.1/", user="unknown").status_code == 200


def test_names_of_up_to_255_characters_are_taken(tmp_path: Path) -> None:
    longest = {"user": "u" * 255, "project": "p" * 255, "roles": ["member"]}
    tokens = TokenFile(written(tmp_path / "tokens", {TOKEN: longest}))
    asking = Request({"type": "http", "headers": [(b"x-auth-token", TOKEN.encode())]})

    assert tokens(asking) == Actor("u" * 255, "p" * 255, ("member",))


def test_it_is_read_anew_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path / "tokens", {TOKEN: MEMBER})
    tokens = TokenFile(path)
    with Endpoint(authenticate=tokens) as endpoint:
        written(path, {"new": MEMBER})
        assert endpoint.ask.get("/v2.1/servers", user=TOKEN).status_code == 200

        tokens.reload()

        assert endpoint.ask.get("/v2.1/servers", user=TOKEN).status_code == 401
        assert endpoint.ask.get("/v2.1/servers", user="new").status_code == 200


def test_a_file_that_went_bad_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "tokens", {TOKEN: MEMBER})
    tokens = TokenFile(path)
    written(path, "{")

    with pytest.raises(InvalidInput):
        tokens.reload()

    with Endpoint(authenticate=tokens) as endpoint:
        assert endpoint.ask.get("/v2.1/servers", user=TOKEN).status_code == 200


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o601])
def test_a_file_that_others_may_open_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(InvalidInput, match=r"^token-file: .* has mode 0\d+, one that its owner"):
        TokenFile(written(tmp_path / "tokens", {TOKEN: MEMBER}, mode))


def test_a_file_that_is_too_long_is_refused(tmp_path: Path) -> None:
    one = json.dumps({TOKEN: MEMBER})
    TokenFile(written(tmp_path / "tokens.json", one.ljust(LONGEST)))
    file = written(tmp_path / "tokens.json", one.ljust(LONGEST + 1))
    with pytest.raises(InvalidInput, match="more than 1048576 bytes"):
        TokenFile(file)


def test_of_one_that_is_far_too_long_no_more_is_held_than_is_allowed(tmp_path: Path) -> None:
    path = written(tmp_path / "tokens.json", "")
    os.truncate(path, 64 * LONGEST)
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match="more than 1048576 bytes"):
            TokenFile(path)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 * LONGEST


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        TokenFile(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is no JSON object"),
        ("[]", "is no JSON object"),
        ("[" * 100_000, "is no JSON object"),
        ("\udcff", "is no JSON object"),
        ({TOKEN: []}, "entry 1: list came"),
        ({TOKEN: {**MEMBER, "passwort": TOKEN}}, "entry 1: ['passwort'] came"),
        ({TOKEN: {**MEMBER, "roles": []}}, "entry 1: roles"),
        ({TOKEN: {**MEMBER, "roles": "admin"}}, "entry 1: roles: 'admin' came"),
        ({TOKEN: {**MEMBER, "roles": ["root"]}}, "entry 1: roles"),
        ({TOKEN: {**MEMBER, "roles": [[]]}}, "entry 1: roles"),
        ({"ok": MEMBER, TOKEN: {**MEMBER, "user": ""}}, "entry 2: user"),
        ({TOKEN: {**MEMBER, "project": 7}}, "entry 1: project: 7 came"),
        ({TOKEN: {**MEMBER, "project": "p" * 256}}, "entry 1: project"),
        ({TOKEN: {"user": "u", "roles": ["member"]}}, "entry 1: project"),
        ({f"{TOKEN} x": MEMBER}, "the token of entry 1"),
        ({"": MEMBER}, "the token of entry 1"),
        ({f"{TOKEN}é": MEMBER}, "the token of entry 1"),
        ({f"{TOKEN}\t": MEMBER}, "the token of entry 1"),
    ],
)
def test_what_is_wrong_is_named_and_no_token_told(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "tokens"
    if content == "\udcff":
        path.write_bytes(b"\xff")
        path.chmod(0o600)
    else:
        written(path, content)

    with pytest.raises(InvalidInput) as refused:
        TokenFile(path)

    assert told in str(refused.value)
    assert TOKEN not in str(refused.value)
    assert "\n" not in str(refused.value)
