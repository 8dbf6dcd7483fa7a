"""Check the events and commands of a log, in order of position."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from uuid import UUID

import msgspec

from serverdomain.audit.check_times import Times
from serverdomain.domain.actor import Actor
from serverdomain.domain.commands import COMMANDS
from serverdomain.domain.events import CommandRefused, Event
from serverdomain.errors import InvalidInput, StoreError
from serverdomain.store.codec import CODEC, PREFIX, refusals_of, stream_of
from serverdomain.store.context import Context
from serverdomain.store.finding import Finding, Kind
from serverdomain.store.log import Reading

_read_members = msgspec.json.Decoder(dict[str, object]).decode
_read_roles = msgspec.json.Decoder(list[str]).decode


def events(log: Reading, step: Callable[[], None]) -> Iterator[Finding]:
    """What is wrong with events, each by itself and after the one before it."""
    decode = CODEC.decode
    versions: dict[str, int] = {}
    latest_command = 0
    for row in chain.from_iterable(log.rows()):
        position, stream, version, topic, state, command_id, kind, server_id, *_, refused = row
        step()
        before = versions.get(stream)
        ours = str(topic).startswith(PREFIX)
        if before is None and ours and version != 1:
            yield Finding("version", f"{stream} begins with version {version!r}", position)
        elif before is not None and version != before + 1:
            yield Finding(
                "version", f"version {version!r} of {stream} follows version {before}", position
            )
        versions[stream] = version if isinstance(version, int) else 0
        if not ours:
            if command_id is not None:
                yield Finding(
                    "event", f"{topic!r} is no event of a server, and has a command", position
                )
            continue
        event = None
        try:
            event = decode(topic, state, position)
        except (StoreError, TypeError, UnicodeEncodeError) as error:
            why = "it is no UTF-8" if isinstance(error, UnicodeEncodeError) else error
            yield Finding("event", f"its event cannot be read: {why}", position)
        if server_id is None:
            yield Finding("command", f"its command {command_id} is not there", position)
            continue
        if command_id < latest_command:
            yield Finding(
                "command", f"its command {command_id} is older than {latest_command}", position
            )
        latest_command = max(command_id, latest_command)
        if event is not None:
            for concerned, wrong in _apart(stream, event, kind, server_id, refused):
                yield Finding(concerned, wrong, position)


def _apart(
    stream: str, event: Event, kind: str, server_id: str, refused: int
) -> Iterator[tuple[Kind, str]]:
    """How an event and its command contradict each other."""
    is_refusal = isinstance(event, CommandRefused)
    name = type(event).__name__
    if not _is_uuid(server_id):
        return  # That is a finding on the command.
    expected = refusals_of(server_id) if is_refusal else stream_of(server_id)
    if stream != expected:
        yield "event", f"a {name} stands in {stream}, its command is of server {server_id}"
    if is_refusal != bool(refused):
        word = "refused" if refused else "not refused"
        yield "command", f"a {name} is there, its command was {word}"
    named = getattr(event, "server_id", server_id)
    if named != server_id:
        yield "event", f"a {name} names server {named}, its command {server_id}"
    if isinstance(event, CommandRefused) and event.kind != kind:
        yield "event", f"a refused {event.kind}, its command is a {kind}"


def commands(log: Reading) -> Iterator[Finding]:
    """What is wrong with commands, each by itself and after the one before it."""
    times = Times()
    for command_id, kind, server_id, members, *rest in log.commands():
        user_id, project_id, roles, *ids, occurred_at, recorded_at, refused, position = rest
        envelope = (roles, user_id, project_id, *ids)
        of = f"command {command_id}"
        if position is None:
            yield Finding("command", f"{of} ({kind} of server {server_id}) has no event")
        command = COMMANDS.get(kind) if isinstance(kind, str) else None
        at_any_time = command is not None and (command.begins or command.may_be_late)
        for wrong in times.wrong(server_id, occurred_at, recorded_at, bool(refused), at_any_time):
            yield Finding("time", f"{of} {wrong}", position)
        if command is None:
            yield Finding("command", f"{of} is of no known kind: {kind!r}", position)
        for name, why in [("members", _unread(members)), ("envelope", _unmade(*envelope))]:
            if why is not None:
                yield Finding("command", f"the {name} of {of} cannot be read: {why}", position)
        if not _is_uuid(server_id):
            yield Finding("command", f"{of} is of no server: {server_id!r}", position)


def _unread(members: str) -> str | None:
    """Why the members of a command cannot be read, if so."""
    try:
        _read_members(members)
    except (msgspec.DecodeError, TypeError) as error:
        return str(error)
    except UnicodeEncodeError:
        return "it is no UTF-8"
    return None


def _unmade(
    roles: str,
    user_id: str,
    project_id: str,
    request_id: str,
    correlation_id: str | None,
    caused_by: str | None,
) -> str | None:
    """Why no caller can have sent a command so, if so."""
    try:
        actor = Actor(user_id, project_id, tuple(_read_roles(roles)))
        Context(actor, request_id, correlation_id, caused_by)
    except InvalidInput as error:
        return str(error)
    except (msgspec.DecodeError, TypeError, UnicodeEncodeError) as error:
        return f"roles: {error}"
    return None


def _is_uuid(server_id: object) -> bool:
    try:
        return str(UUID(str(server_id))) == server_id
    except ValueError:
        return False
