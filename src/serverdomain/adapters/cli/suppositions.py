"""The requests and facts that ``what-if`` reads from files, as other commands print them."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from serverdomain.adapters.cli.body import LONGEST_REQUEST, read
from serverdomain.adapters.compute_json import read_rebuild
from serverdomain.audit.past_requests import command_of
from serverdomain.audit.supposed import CommandOrFacts, RequestOrPosition, Supposed
from serverdomain.domain import moment
from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.domain.commands import COMMANDS
from serverdomain.domain.events import EVENTS, CommandRefused, Event
from serverdomain.domain.limits import shown
from serverdomain.errors import InvalidInput
from serverdomain.store.context import Context

_FORMS = '{"rebuild": {…}}, {"kind": …, "members": {…}} or {"events": [{"event": …, "data": {…}}]}'
_POSITION = re.compile(r"position:([0-9]{1,18})")


def request_or_position(given: str) -> RequestOrPosition:
    """A request by its id, or an event as ``position:N``."""
    position = _POSITION.fullmatch(given)
    return given if position is None else int(position[1])


def replaced(given: str) -> tuple[RequestOrPosition, CommandOrFacts]:
    """What to replace, and with what, from ``REQUEST=FILE``. Raises `InvalidInput`."""
    name, equals, file = given.rpartition("=")
    if not equals or not name:
        raise InvalidInput("--replace", f"{shown(given)} came, REQUEST=FILE is allowed")
    return request_or_position(name), _command_or_facts("--replace", _read("--replace", file))


def inserted(given: str, number: int) -> Supposed:
    """A request that nobody made, from a file. Raises `InvalidInput`."""
    option = "--insert"
    found = _read(option, given)
    at = found.get("at")
    if not isinstance(at, str):
        came = "at is missing" if at is None else f"{shown(at)} came as at"
        raise InvalidInput(option, f"{came}, the time of the request in RFC 3339 is allowed")
    members: dict[str, Any] = msgspec.to_builtins(SYSTEM)
    members |= {name: found[name] for name in members if found.get(name) is not None}
    return Supposed(
        _command_or_facts(option, found),
        moment.to_datetime(moment.parse(at, f"{option} at")),
        Context(_convert(option, members, Actor), found.get("request_id", f"supposed-{number}")),
    )


def _read(option: str, given: str) -> dict[str, Any]:
    text = read(option, given, LONGEST_REQUEST)
    try:
        found = json.loads(text)
    except ValueError as error:
        raise InvalidInput(option, f"{shown(given)} holds no JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidInput(option, f"{shown(given)} holds no object, {_FORMS} is allowed")
    return found


def _command_or_facts(option: str, found: dict[str, Any]) -> CommandOrFacts:
    if "rebuild" in found:
        return read_rebuild(json.dumps({"rebuild": found["rebuild"]}))
    if isinstance(found.get("events"), list):
        return tuple(_event(option, one) for one in found["events"])
    kind, members = found.get("kind"), found.get("members", {})
    if not isinstance(kind, str) or not isinstance(members, dict):
        raise InvalidInput(option, f"{', '.join(found) or 'nothing'} came, {_FORMS} is allowed")
    if kind in COMMANDS:
        _require_members(option, f"members of {kind}", COMMANDS[kind], members)
    try:
        command = command_of(kind, members)
    except msgspec.ValidationError as error:
        raise InvalidInput(option, f"members of {kind}: {error}") from None
    if command is None:
        raise InvalidInput(option, f"the kind {shown(kind)} came, the kind of a command is allowed")
    return command


def _event(option: str, one: Any) -> Event:
    name, data = (one.get("event"), one.get("data", {})) if isinstance(one, dict) else (None, None)
    event = EVENTS.get(name) if isinstance(name, str) else None
    if event is None or event is CommandRefused or not isinstance(data, dict):
        raise InvalidInput(
            option, f'{shown(one)} came, {{"event": NAME, "data": {{…}}}} as history --json is'
        )
    data = dict(data)
    for holder in (data, data.get("fault")):
        # It is shown as text.
        if isinstance(holder, dict) and isinstance(holder.get("created"), str):
            holder["created"] = moment.parse(holder["created"], f"{option} created")
    found: Event = _convert(option, data, event)
    return found


def _require_members(option: str, of: str, into: Any, members: dict[str, Any]) -> None:
    fields = msgspec.structs.fields(into)
    lacking = [one.name for one in fields if one.required and one.name not in members]
    if lacking:
        came = f"{', '.join(lacking)} did not come"
        raise InvalidInput(
            option, f"{of}: {came}, {'it is' if len(lacking) < 2 else 'they are'} required"
        )


def _convert(option: str, members: dict[str, Any], into: Any) -> Any:
    _require_members(option, into.__name__, into, members)
    try:
        return msgspec.convert(members, into)
    except msgspec.ValidationError as error:
        raise InvalidInput(option, f"{into.__name__}: {error}") from None
