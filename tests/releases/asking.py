"""Commands and questions in the form in which a release's answers are kept: as JSON.

They are asked by the names that every release has; nothing here knows how a store works.
"""

from datetime import datetime

import msgspec

from serverdomain import AsOf, Context, ServerdomainError
from serverdomain.domain.commands import COMMANDS
from serverdomain.domain.events import EVENTS

SERVER = (
    *("id", "name", "project_id", "user_id", "image_id", "flavor_id", "state", "status"),
    *("metadata", "addresses", "access_ipv4", "access_ipv6", "host_id", "progress", "disk_config"),
    *("created", "updated", "fault", "locked_by", "rebuild", "deleted", "version"),
)
"""The members of a server that are kept; a later release may have more."""


def as_asked(kind, server_id, members, context, occurred_at=None, project_id=None):
    """A command as JSON; ``members`` of a record are its events."""
    if kind == "record":
        members = {"events": [event_json(event) for event in members["events"]]}
    return plain(
        {
            "kind": kind,
            "server_id": server_id,
            "members": members,
            "context": context,
            "occurred_at": occurred_at,
            "project_id": project_id,
        }
    )


def command(servers, asked, **secret):
    """Ask for a command that is given as JSON, by the method of its name."""
    kind, server_id, members = asked["kind"], asked["server_id"], asked["members"]
    context = msgspec.convert(asked["context"], Context)
    how = {}
    if asked["occurred_at"] is not None:
        how["occurred_at"] = datetime.fromisoformat(asked["occurred_at"])
    if asked["project_id"] is not None:
        how["project_id"] = asked["project_id"]
    method = getattr(servers, kind)
    if kind in ("register", "create"):
        return method(msgspec.convert(members | secret, COMMANDS[kind]), context, **how)
    if kind in ("rebuild", "change"):
        return method(server_id, msgspec.convert(members | secret, COMMANDS[kind]), context, **how)
    if kind == "record":
        members = {"events": [event(**one) for one in members["events"]]}
    return method(server_id, **members, context=context, **how)


def outcome_json(outcome):
    """What came of a command."""
    return {
        "server": server_json(outcome.server),
        "events": [event_json(event) for event in outcome.events],
        "position": outcome.position,
    }


def event(name, data):
    return msgspec.convert(data, EVENTS[name])


def event_json(event):
    (name,) = (name for name, struct in EVENTS.items() if struct is type(event))
    return plain({"name": name, "data": event})


def server_json(server):
    if server is None:
        return None
    # By the names in views, which every release has: in Python one may be named otherwise.
    members = msgspec.to_builtins(server) | {"status": server.status}
    return plain({name: members[name] for name in SERVER})


def answer(servers, question):
    """What a release answers: ``question`` holds ``ask`` and what that takes."""
    asked = dict(question)
    try:
        return plain(_ANSWERS[asked.pop("ask")](servers, **asked))
    except ServerdomainError as error:
        return type(error).__name__


def _get(servers, server_id, as_of=None):
    return server_json(servers.get(server_id, as_of=_moment(as_of)))


def _list(servers, **asked):
    return [server_json(server) for server in servers.list(**asked)]


def _fleet(servers, as_of=None):
    with servers.fleet(as_of=_moment(as_of)) as fleet:
        return [server_json(server) for server in fleet.servers()]


def _history(servers, server_id):
    return [entry.as_json() for entry in servers.history(server_id)]


def _timeline(servers, **asked):
    return [entry.as_json() for entry in servers.timeline.search(**asked)]


def _diff(servers, server_id, before, after):
    return _told(servers.diff(server_id, _moment(before), _moment(after)))


def _diff_fleet(servers, before, after):
    found = servers.diff_fleet(_moment(before), _moment(after))
    return {one.before.server_id: _told(one) for one in found.servers}


def _told(diff):
    return {
        "before": server_json(diff.before.server),
        "after": server_json(diff.after.server),
        "changes": [[one.path, one.before, one.after, one.events] for one in diff.changes],
        "events": [entry.position for entry in diff.events],
    }


def _reactions(servers):
    return [[one.name, one.position, one.stopped_at, one.why] for one in servers.reactions()]


_ANSWERS = {
    "get": _get,
    "list": _list,
    "fleet": _fleet,
    "history": _history,
    "timeline": _timeline,
    "diff": _diff,
    "diff_fleet": _diff_fleet,
    "reactions": _reactions,
}


def _moment(text):
    return text if text in (None, "first", "now") else AsOf.read(text)


def plain(value):
    """As JSON has it."""
    return msgspec.json.decode(msgspec.json.encode(value))
