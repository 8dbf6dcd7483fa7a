"""What is wrong with a body, in one line: the member, what came and what is allowed.

The sender's text is cut and made printable; of a member that may be secret the type alone is told.
"""

from __future__ import annotations

import json
import re

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidBody, InvalidInput

SECRETS = frozenset({"adminPass", "contents"})
"""Members of which no error shows more than the type."""

_USUAL_NAME = re.compile(r"[\w:-]{1,60}", re.ASCII)

_LONGEST_VALUE = 60
_LONGEST_FIELD = 120
_LONGEST_MESSAGE = 360


def anew(error: InvalidInput) -> InvalidBody:
    """The refusal of a body, made anew: one line, without a history."""
    field, message = _cut(error.field, _LONGEST_FIELD), _message(error)
    if isinstance(error, InvalidBody):
        return InvalidBody(field, message, status=error.status, fault=error.fault)
    return InvalidBody(field, message)


def of_model(error: ValidationError, model: type[BaseModel], at: str) -> InvalidBody:
    """What a model found wrong with the value at ``at``: what is missing, or the first thing."""
    found = error.errors(include_url=False)
    missing = [_joined(*map(_segment, one["loc"])) for one in found if one["type"] == "missing"]
    if len(missing) > 1:
        return InvalidBody(at, f"{', '.join(missing)} did not come, they are required")
    first = found[0]
    return InvalidBody(
        _joined(at, *(_segment(part) for part in first["loc"])), _wrong(first, model)
    )


def of_command(error: InvalidInput, model: type[BaseModel], at: str) -> InvalidBody:
    """What a command says of a field, said of the documented member that it was read from."""
    field, _, inner = error.field.partition(".")
    member = model.model_fields[field].serialization_alias or field
    return InvalidBody(_joined(at, member, inner), str(error).removeprefix(f"{error.field}: "))


def kind(value: object) -> str:
    """What JSON calls a value's type."""
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")


def _wrong(first: ErrorDetails, model: type[BaseModel]) -> str:
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


def _joined(*segments: str) -> str:
    return ".".join(filter(None, segments))


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
