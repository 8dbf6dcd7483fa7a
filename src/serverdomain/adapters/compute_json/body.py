"""From bytes to a checked model, or to one refusal that tells nothing secret.

A body may hold a password, and so may whatever pydantic, a codec or a traceback keeps of it. So a
reader's refusal is made anew (`outcome`) and raised by a frame that no longer holds the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails, from_json

from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidBody, InvalidInput

JSON_TYPES = frozenset({"application/json", "application/vnd.openstack.compute+json"})
"""Content types that Nova reads as JSON, beside none at all and ``text/plain``."""

SECRETS = frozenset({"adminPass", "contents"})
"""Members of which no error shows more than the type."""

_USUAL_NAME = re.compile(r"[\w:-]{1,60}", re.ASCII)

_LONGEST_VALUE = 60
_LONGEST_FIELD = 120
_LONGEST_MESSAGE = 360

Parameters = ParamSpec("Parameters")
Read = TypeVar("Read")


class Strict(BaseModel):
    """A part of a body: nothing is converted, and no error of pydantic's prints what came."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)


Model = TypeVar("Model", bound=Strict)


def outcome(
    read: Callable[Parameters, Read], *arguments: Parameters.args, **options: Parameters.kwargs
) -> Read | InvalidBody:
    """What a reader makes of a body, or its refusal as a value: one line, without a history.

    The caller drops the body and raises the refusal: then no frame of its traceback, no cause and
    no context ever held the body.
    """
    try:
        return read(*arguments, **options)
    except InvalidInput as error:
        field, message = _cut(error.field, _LONGEST_FIELD), _message(error)
        if isinstance(error, InvalidBody):
            return InvalidBody(field, message, status=error.status, fault=error.fault)
        return InvalidBody(field, message)


def reader(
    read: Callable[Concatenate[bytes | str, Parameters], Read],
) -> Callable[Concatenate[bytes | str, Parameters], Read]:
    """A reader whose refusal, and whose refusal's traceback, never held the body."""

    @wraps(read)
    def keeps_nothing(
        body: bytes | str, /, *arguments: Parameters.args, **options: Parameters.kwargs
    ) -> Read:
        found = outcome(read, body, *arguments, **options)
        del body
        if isinstance(found, InvalidBody):
            raise found
        return found

    return keeps_nothing


def parse(body: bytes | str, content_type: str | None = "application/json") -> object:
    """The JSON value of a body; of several members of one name the last counts.

    No content type, or ``text/plain``, is taken for JSON, as Nova does. Raises `InvalidBody`: 415
    for another type, 400 for what is no JSON in UTF-8, a lone surrogate included.
    """
    media_type = (content_type or "").split(";")[0].strip().lower()
    if media_type not in JSON_TYPES | {"", "text/plain"}:
        raise InvalidBody(
            "Content-Type",
            f"{shown(content_type)} came, {' or '.join(sorted(JSON_TYPES))} is allowed",
            status=415,
            fault="badMediaType",
        )
    try:
        sent = body.encode() if isinstance(body, str) else body
        # Strings are not cached: the cache would keep passwords for as long as the process lives.
        return from_json(sent, cache_strings="keys")
    except UnicodeEncodeError:
        why = "a lone surrogate has no UTF-8 form"
    except ValueError as error:
        why = str(error)
    raise InvalidBody("body", f"what came is no JSON ({why}), JSON in UTF-8 is allowed")


def sole_action(document: object) -> tuple[str, object]:
    """The name and the value of the one action in a body of ``…/servers/{id}/action``.

    Raises `InvalidBody` as Nova answers: 404 for a value that has no members to count (``null``, a
    number, ``true``) or one that is no member (``["rebuild"]``, ``"r"``), 400 for another number of
    members than one.
    """
    allowed = "an object with one action is allowed"
    if isinstance(document, (dict, list, str)) and len(document) != 1:
        members = "members" if isinstance(document, dict) else "items"
        raise InvalidBody("body", f"{kind(document)} of {len(document)} {members} came, {allowed}")
    if not isinstance(document, dict):
        raise InvalidBody(
            "body", f"{kind(document)} came, {allowed}", status=404, fault="itemNotFound"
        )
    return next(iter(document.items()))


def check(model: type[Model], value: object, at: str) -> Model:
    """The model of the value that stands at ``at``; `InvalidBody` tells what is wrong first."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
    field = ".".join(filter(None, [at, *(_segment(part) for part in first["loc"])]))
    raise InvalidBody(field, _wrong(first, model))


def member(document: object, name: str) -> object:
    """The value of a member that a body must have, and of no other unless its caller looks."""
    if not isinstance(document, dict):
        raise InvalidBody("body", f"{kind(document)} came, an object with {name!r} is allowed")
    if name not in document:
        raise InvalidBody(name, "nothing came, it is required")
    return document[name]


def as_documented(error: InvalidInput, model: type[Strict], at: str) -> InvalidBody:
    """What a command says of a field, said of the documented member that it was read from."""
    field, _, inner = error.field.partition(".")
    alias = model.model_fields[field].alias or field
    told = ".".join(filter(None, [at, alias, inner]))
    return InvalidBody(told, str(error).removeprefix(f"{error.field}: "))


def kind(value: object) -> str:
    """What JSON calls a value's type."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")


def _wrong(first: ErrorDetails, model: type[Strict]) -> str:
    if first["type"] == "missing":
        return "nothing came, it is required"
    if first["type"] == "extra_forbidden":
        if len(first["loc"]) > 1:
            return "no such member is known here"
        members = (field.alias or name for name, field in model.model_fields.items())
        return f"no such member is known here, {', '.join(members)} are allowed"
    if first["type"] == "model_type":
        return f"{kind(first['input'])} came, an object is allowed"
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput):
        return _message(cause)
    came = first["input"]
    if SECRETS.intersection(first["loc"]) or isinstance(came, (dict, list)):
        described = kind(came)
    else:
        described = _cut(json.dumps(came), _LONGEST_VALUE)
    rule = str(cause) if cause is not None else first["msg"]
    return f"{described} came, {rule[:1].lower()}{rule[1:]}"


def _segment(part: str | int) -> str:
    # A member's name is the sender's: where it is no usual one, it is shown as a value is.
    return str(part) if isinstance(part, int) or _USUAL_NAME.fullmatch(part) else shown(part)


def _message(error: InvalidInput) -> str:
    return _cut(str(error).removeprefix(f"{error.field}: "), _LONGEST_MESSAGE)


def _cut(text: str, longest: int) -> str:
    # What came may hold a newline, or what a terminal obeys.
    start = text[:longest]
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in start)
    return line if len(line) <= longest and start == text else f"{line[:longest]}…"
