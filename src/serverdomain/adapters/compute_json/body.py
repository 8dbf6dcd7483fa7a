"""From a body to a command, or to one refusal that tells nothing secret.

A body may hold a password, and so may whatever pydantic, a codec or a traceback keeps of it. So a
reader's refusal is made anew and raised by a frame that no longer holds the body.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from serverdomain.adapters.compute_json import refusal
from serverdomain.adapters.compute_json.paths import PATHS, Path
from serverdomain.adapters.compute_json.refusal import kind
from serverdomain.domain.limits import shown
from serverdomain.domain.typed import require_arguments
from serverdomain.errors import InvalidBody, InvalidInput

MEDIA_TYPE = "application/json"

JSON_TYPES = frozenset({MEDIA_TYPE, "application/vnd.openstack.compute+json"})


class Json(Struct, frozen=True):
    """A body that was parsed: every reader takes one in place of the bytes.

    ``only`` is the name of the one member of an object, ``None`` of whatever else it is.
    """

    value: Any
    only: str | None

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # Whoever prints it, or a frame that holds it, sees no secret.
        return []

    def __repr__(self) -> str:
        return "Json()"


Body = bytes | str | Json
"""What a reader takes."""

_BODIES = (bytes, str, Json)


class Strict(BaseModel):
    """A part of a body: nothing is converted, and no error of pydantic's prints what came."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)


Read = TypeVar("Read")
Asked = TypeVar("Asked", covariant=True)
Model = TypeVar("Model", bound=Strict)
Parameters = ParamSpec("Parameters")


def reader(
    read: Callable[Concatenate[Body, Parameters], Read],
) -> Callable[Concatenate[Body, Parameters], Read]:
    """A reader whose refusal never held the body, nor did its cause, its context or traceback."""

    @wraps(read)
    def keeps_nothing(
        body: Body, *arguments: Parameters.args, **options: Parameters.kwargs
    ) -> Read:
        try:
            named = (*arguments, *options.values())
            if not (
                type(body) in _BODIES
                and all(type(one) is str for one in named)
                and options.get("path", "v2") in PATHS
            ):
                require_arguments(read, (body, *arguments), options)
            return read(body, *arguments, **options)
        except InvalidInput as error:
            refused = refusal.anew(error)
        # Behind the handler, or what it handled would be the context of what is raised.
        del body
        raise refused

    return keeps_nothing  # type: ignore[return-value]  # It takes the body by its name, too.


@reader
def read_json(body: Body, *, content_type: str | None = MEDIA_TYPE) -> Json:
    """Parse a body, for a reader to read later. Raises `InvalidBody`: 400 or 415."""
    value = parse(body, content_type)
    if isinstance(value, dict) and len(value) == 1:
        return Json(value, next(iter(value)))
    return Json(value, None)


@reader
def read_action(body: Body, *, content_type: str | None = MEDIA_TYPE) -> str:
    """The name of the one action in a body of ``…/servers/{id}/action``, known or not.

    Raises `InvalidBody` as Nova answers: 400, 404 or 415.
    """
    return _sole_action(parse(body, content_type))[0]


def parse(body: Body, content_type: str | None = MEDIA_TYPE) -> object:
    """The JSON value of a body; of several members of one name the last counts.

    As for Nova, no content type, or ``text/plain``, means JSON. Raises `InvalidBody`: 415 for
    another type, 400 for what is no JSON in UTF-8, a lone surrogate included.
    """
    if isinstance(body, Json):
        return body.value
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


class ReadsAction(Protocol[Asked]):
    """Reads the body of one action of ``…/servers/{id}/action``: the command that it asks for."""

    def __call__(
        self, body: Body, /, *, path: Path = "v2", content_type: str | None = MEDIA_TYPE
    ) -> Asked:
        """Read a body as ``path`` does. Raises `InvalidBody` as Nova answers: 400, 404 or 415.

        Of the body it holds no more than the member that is wrong, and never a password.
        """


def action_reader(
    name: str, command: Callable[..., Read], models: Mapping[Path, type[Strict]]
) -> ReadsAction[Read]:
    """The reader of an action, by the models of its value."""

    @reader
    def read(body: Body, *, path: Path = "v2", content_type: str | None = MEDIA_TYPE) -> Read:
        found, value = _sole_action(parse(body, content_type))
        if found != name:
            raise InvalidBody("body", f"action {shown(found)} came, {name!r} is allowed")
        return made(command, models[path], value, name)

    return read


def made(command: Callable[..., Read], model: type[Strict], value: object, at: str) -> Read:
    """The command that the value at ``at`` means; the model's fields are the command's members."""
    members = check(model, value, at).model_dump(exclude_unset=True)
    try:
        return command(**members)
    except InvalidBody:
        raise
    except InvalidInput as error:
        raise refusal.of_command(error, model, at) from None


def check(model: type[Model], value: object, at: str) -> Model:
    """The model of the value that stands at ``at``; `InvalidBody` tells what is wrong first."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise refusal.of_model(error, model, at) from None


def member(value: object, name: str) -> object:
    """The value of a member that a body must have, whatever others it has."""
    if not isinstance(value, dict):
        raise InvalidBody("body", f"{kind(value)} came, an object with {name!r} is allowed")
    if name not in value:
        raise InvalidBody(name, "nothing came, it is required")
    return value[name]


def _sole_action(value: object) -> tuple[str, object]:
    # As Nova: 404 for what has no members to count, or one that is none (["rebuild"], "r").
    allowed = "an object with one action is allowed"
    if isinstance(value, (dict, list, str)) and len(value) != 1:
        members = "members" if isinstance(value, dict) else "items"
        raise InvalidBody("body", f"{kind(value)} of {len(value)} {members} came, {allowed}")
    if not isinstance(value, dict):
        told = f"{kind(value)} came, {allowed}"
        raise InvalidBody("body", told, status=404, fault="itemNotFound")
    return next(iter(value.items()))
