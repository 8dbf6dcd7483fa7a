"""Whatever is wrong with a request, its password is in nothing that an error leaves behind."""

from __future__ import annotations

import copy
import json
import traceback
from types import TracebackType
from typing import Any

import pytest

from serverdomain.adapters.compute_json import read_rebuild, read_server
from serverdomain.domain import limits
from serverdomain.errors import InvalidBody, InvalidInput
from tests.adapters.recorded import DATA, PATHS, VECTORS, body_of, read

CANARY = "c4nary-Pa55"
IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
WITH_PASSWORD = [vector for vector in VECTORS if b"adminPass" in body_of(vector)]


def marked(value: Any) -> Any:
    """The same kind of value, recognisable wherever it turns up."""
    if isinstance(value, dict):
        return {"password": CANARY, **value}
    if isinstance(value, list):
        return [CANARY, *value]
    return CANARY + value if isinstance(value, str) else value


def spoil_nothing(asked: dict[str, Any]) -> None:
    pass


def spoil_the_image(asked: dict[str, Any]) -> None:
    asked["imageRef"] = "no-such-form"


def spoil_the_metadata(asked: dict[str, Any]) -> None:
    asked["metadata"] = {"k": "v" * 256}


def spoil_the_password(asked: dict[str, Any]) -> None:
    asked["adminPass"] = [asked["adminPass"], 1]


def add_a_lone_surrogate(asked: dict[str, Any]) -> None:
    asked["adminPass"] = f"{CANARY}\ud800"


def is_ours(frame: TracebackType) -> bool:
    return str(frame.tb_frame.f_globals["__name__"]).startswith("serverdomain.")


def traces(error: BaseException) -> str:
    """All that is printed of an error, the locals of every frame of the library included."""
    library_frames = error.__traceback__
    while library_frames and not is_ours(library_frames):
        library_frames = library_frames.tb_next
    assert library_frames is not None
    printed = traceback.TracebackException(
        type(error), error, library_frames, capture_locals=True
    ).format()
    held = (repr(error), str(error), error.args, vars(error), error.__cause__, error.__context__)
    return "".join(printed) + repr(held)


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_nothing,
        spoil_the_image,
        spoil_the_metadata,
        spoil_the_password,
        add_a_lone_surrogate,
    ],
)
@pytest.mark.parametrize("vector", WITH_PASSWORD, ids=lambda vector: vector["id"])
def test_no_trace_of_a_refused_request_holds_its_password(
    vector: dict[str, Any], spoil: Any
) -> None:
    if "body" in vector:
        sent = copy.deepcopy(vector["body"])
        asked = sent["rebuild"]
        asked["adminPass"] = marked(asked["adminPass"])
        spoil(asked)
        body = json.dumps(sent).encode()
    else:
        body = body_of(vector).replace(b"seekr3t", CANARY.encode())

    error = None
    try:
        command = read(vector, body)
    except InvalidBody as refusal:
        error = refusal
    if error is None:
        assert CANARY not in repr(command) + str(command) + repr(command.members())
    else:
        assert error.__cause__ is None
        assert error.__context__ is None
        assert CANARY not in traces(error)


def test_there_are_passwords_to_look_for() -> None:
    assert len(WITH_PASSWORD) > 60


@pytest.mark.parametrize(
    "body",
    [
        f'{{"rebuild": {{"adminPass": "{CANARY}", }}}}',
        f'{{"rebuild": {{"adminPass": "{CANARY}',
        f'{{"rebuild": "{CANARY}"}}',
        f'{{"rebuild": ["adminPass", "{CANARY}"]}}',
        f'{{"rebuild": {{"adminpass": "{CANARY}", "imageRef": "x"}}}}',
        f'{{"rebuild": {{"imageRef": {{"adminPass": "{CANARY}"}}}}}}',
        f'"{CANARY}"',
        f'["{CANARY}"]',
        f'"{CANARY}\ud800"',
    ],
)
@pytest.mark.parametrize("path", PATHS.values())
def test_a_password_in_a_body_of_the_wrong_form_is_not_repeated(body: str, path: Any) -> None:
    with pytest.raises(InvalidBody) as refusal:
        read_rebuild(body, path=path)

    assert CANARY not in traces(refusal.value)


@pytest.mark.parametrize("field", ["created", "image", "metadata", "adminPass"])
def test_a_server_document_keeps_its_password_to_itself(field: str) -> None:
    document = json.loads((DATA / "rebuild-answer.json").read_text())
    document["server"]["id"] = "no-such-form"
    document["server"][field] = [CANARY]
    document["server"]["adminPass"] = CANARY

    with pytest.raises(InvalidBody) as refusal:
        read_server(json.dumps(document))

    assert CANARY not in traces(refusal.value)


def test_the_search_finds_a_password_where_there_is_one() -> None:
    with pytest.raises(InvalidInput) as refusal:
        limits.ipv4("accessIPv4", CANARY)

    assert f"accessIPv4: '{CANARY}' came" in traces(refusal.value)
    assert f"value = '{CANARY}'" in traces(refusal.value)


def test_a_password_is_not_kept_in_a_cache_of_strings() -> None:
    body = json.dumps({"rebuild": {"imageRef": IMAGE, "adminPass": CANARY}})

    first, second = read_rebuild(body).admin_pass, read_rebuild(body).admin_pass

    assert first == second == CANARY
    assert first is not second
