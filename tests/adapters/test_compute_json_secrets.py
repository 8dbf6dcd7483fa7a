"""The other bodies: what is wrong with one is told, and no secret in it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from serverdomain.adapters import compute_json
from serverdomain.errors import InvalidBody
from tests.adapters.test_compute_json_password import CANARY, IMAGE, traces

SERVER = {"name": "a", "imageRef": IMAGE, "flavorRef": "1", "adminPass": CANARY}


def read_item(body: bytes, **how: Any) -> object:
    return compute_json.read_metadata_item(body, "a", **how)


READERS: list[tuple[Callable[..., object], Any]] = [
    (compute_json.read_create, {"server": SERVER | {"imageRef": "x"}}),
    (compute_json.read_create, {"server": SERVER | {"metadata": {"a": "v" * 256}}}),
    (compute_json.read_create, {"server": SERVER | {"adminPass": [CANARY]}}),
    (compute_json.read_create, {"server": SERVER | {"adminPass": f"{CANARY}\ud800"}}),
    (compute_json.read_create, {"server": SERVER | {"max_count": 2}}),
    (compute_json.read_create, {"server": [SERVER]}),
    (compute_json.read_create, [SERVER]),
    (compute_json.read_rename, {"server": SERVER | {"name": ""}}),
    (compute_json.read_rename, {"server": SERVER | {"accessIPv4": "1.2.3.4"}}),
    (compute_json.read_metadata, {"metadata": None, "adminPass": CANARY}),
    (compute_json.read_metadata, {"metadata": {"a": "v" * 256}, "adminPass": CANARY}),
    (read_item, {"meta": {"a": None}, "adminPass": CANARY}),
    (read_item, {"meta": {"b": "x"}, "adminPass": CANARY}),
    (compute_json.read_reset_state, {"os-resetState": {"state": "x", "adminPass": CANARY}}),
]


@pytest.mark.parametrize("path", ["v2", "v2.1"])
@pytest.mark.parametrize(("read", "body"), READERS)
def test_no_trace_of_a_refused_body_holds_its_password(
    read: Callable[..., object], body: Any, path: str
) -> None:
    with pytest.raises(InvalidBody) as refusal:
        read(json.dumps(body).encode(), path=path)

    assert refusal.value.__cause__ is refusal.value.__context__ is None
    assert CANARY not in traces(refusal.value)


@pytest.mark.parametrize("read", [compute_json.read_json, compute_json.read_action])
def test_nor_does_what_is_read_before_a_body_is_looked_into(read: Callable[..., object]) -> None:
    for body in (
        f'{{"adminPass": "{CANARY}"',
        f'"{CANARY}"' if read != compute_json.read_json else f'"{CANARY}',
    ):
        with pytest.raises(InvalidBody) as refusal:
            read(body.encode())
        assert CANARY not in traces(refusal.value)


def test_a_create_that_is_read_shows_no_password() -> None:
    command, dropped = compute_json.read_create(
        json.dumps({"server": SERVER | {"user_data": CANARY}}).encode()
    )

    assert command.admin_pass == CANARY
    assert CANARY not in repr(command) + repr(dropped) + repr(command.members())
    assert dropped == ("user_data",)
