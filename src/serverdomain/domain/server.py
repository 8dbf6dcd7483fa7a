"""The server, and the one fold: `evolve` alone knows how an event changes a server.

The aggregate, the view, time travel, diff and any replay call it. It asks no rule and fails on no
event: facts from elsewhere come in any order, and what makes no sense where it stands moves
``updated`` and nothing else. A refusal and a reported call move not even that: what happened to
the server, if anything did, other facts say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import reduce
from typing import Any, Literal, TypeGuard, cast

from msgspec import UNSET, Struct, field
from msgspec.structs import asdict, replace

from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.events import Address, DiskConfig, Event, Fault, OtherState, State
from serverdomain.domain.html import table

_SHOWS_PROGRESS = frozenset({"ACTIVE", "BUILD", "REBUILD"})
_HEAD = ("member", "value")


class Rebuild(Struct, frozen=True):
    """A rebuild under way: its id, and the image to go back to if it cannot be scheduled."""

    id: str
    image_before: str


class Server(Struct, frozen=True, kw_only=True, gc=False):
    """What the documented answer shows of a server, and what the rules ask.

    ``state`` is the one beneath a rebuild under way, to which it returns; ``status`` is derived.
    ``created`` and ``updated`` are aware datetimes, held as microseconds since 1970 UTC, as is when
    it was last built, adopted or rebuilt: ``launched_micros``, ``None`` for one that never was.
    ``version`` says how many events its stream held where it was read, and ``first_position`` where
    in the log the first of them stands: of two servers created at the same time it tells the newer.
    The fold leaves both alone.
    """

    id: str
    name: str
    project_id: str
    user_id: str
    image_id: str
    flavor_id: str
    state: State | OtherState
    metadata: dict[str, str]
    addresses: dict[str, tuple[Address, ...]]
    access_ipv4: str
    access_ipv6: str
    host_id: str
    progress: int
    disk_config: DiskConfig
    # Stored under the names that they have had from the first release on.
    created_micros: int = field(name="created")
    updated_micros: int = field(name="updated")
    fault: Fault | None = None
    locked_by: Literal["owner", "admin"] | None = None
    rebuild: Rebuild | None = None
    deleted: bool = False
    version: int = 0
    first_position: int = 0
    launched_micros: int | None = None

    @property
    def status(self) -> str:
        """ACTIVE, BUILD, ERROR, REBUILD or SHUTOFF, as Nova derives it (documented ``status``).

        A server that a source elsewhere observed may be in another one of Nova's.
        """
        return "REBUILD" if self.rebuild is not None else self.state

    @property
    def created(self) -> datetime:
        """When it was created, aware."""
        return moment.to_datetime(self.created_micros)

    @property
    def updated(self) -> datetime:
        """When its latest fact occurred, aware."""
        return moment.to_datetime(self.updated_micros)

    def to_dict(self) -> dict[str, Any]:
        """The documented members in their documented order, without links and password.

        Their source is the documented answer to *Rebuild server*. ``progress`` is there only in
        ACTIVE, BUILD and REBUILD; ``fault``, the last, is Nova's and there only in ERROR.
        """
        return {
            name: value if show is None else show(value)
            for (name, show), value in zip(MEMBERS.items(), self.documented(), strict=True)
            if value is not None
        }

    def documented(self) -> tuple[Any, ...]:
        """What each of the `MEMBERS` is made of; ``None`` for one that is absent."""
        status = self.status
        return (
            self.access_ipv4,
            self.access_ipv6,
            self.addresses,
            self.created_micros,
            self.flavor_id,
            self.host_id,
            self.id,
            self.image_id,
            self.metadata,
            self.name,
            self.progress if status in _SHOWS_PROGRESS else None,
            status,
            self.project_id,
            self.updated_micros,
            self.user_id,
            self.fault if status == "ERROR" else None,
        )

    def __repr__(self) -> str:
        return (
            f"<Server {self.id} {self.name!a} {self.status}, image {self.image_id}, "
            f"version {self.version}>"
        )

    def _repr_html_(self) -> str:
        return table(f"server {self.id}, version {self.version}", _HEAD, self.to_dict().items())


def _addresses(addresses: dict[str, tuple[Address, ...]]) -> dict[str, object]:
    return {
        network: [{"addr": one.addr, "version": one.version} for one in each]
        for network, each in addresses.items()
    }


def _by_id(one: str) -> dict[str, object]:
    return {"id": one}


def _fault(fault: Fault) -> dict[str, object]:
    created = moment.seconds(fault.created_micros)
    return {"code": fault.code, "created": created, "message": fault.message}


MEMBERS: dict[str, Callable[[Any], object] | None] = {
    "accessIPv4": None,
    "accessIPv6": None,
    "addresses": _addresses,
    "created": moment.seconds,
    "flavor": _by_id,
    "hostId": None,
    "id": None,
    "image": _by_id,
    "metadata": dict,
    "name": None,
    "progress": None,
    "status": None,
    "tenant_id": None,
    "updated": moment.seconds,
    "user_id": None,
    "fault": _fault,
}
"""How each documented member shows its value, in order; ``None`` for a leaf, shown as it is."""


def is_there(server: Server | None) -> TypeGuard[Server]:
    """Whether a server has begun and was not deleted."""
    return server is not None and not server.deleted


def evolve(server: Server | None, event: Event, at: int) -> Server | None:
    """The server after an event that occurred at ``at`` (microseconds since 1970 UTC).

    Before its beginning a server is not there, and stays so whatever else happens; a deleted one
    stays deleted.
    """
    if server is None:
        begin = _BEGINNINGS.get(type(event))
        return begin(event, at) if begin is not None else None
    kind = type(event)
    if server.deleted and kind not in _NOTHING_HAPPENED:
        return _updated(server, event, at)
    return _CHANGES[kind](server, event, at)


def fold(history: Iterable[tuple[Event, int]], server: Server | None = None) -> Server | None:
    """The server after a history: (event, occurred_at) in order of occurrence, then of position."""
    return reduce(lambda so_far, fact: evolve(so_far, *fact), history, server)


def _registered(event: e.ServerRegistered, at: int) -> Server:
    return Server(
        id=event.server_id,
        name=event.name,
        project_id=event.project_id,
        user_id=event.user_id,
        image_id=event.image_id,
        flavor_id=event.flavor_id,
        state=event.state,
        metadata=event.metadata,
        addresses=event.addresses,
        access_ipv4=event.access_ipv4,
        access_ipv6=event.access_ipv6,
        host_id=event.host_id,
        progress=event.progress,
        disk_config=event.disk_config,
        created_micros=at if event.created is None else event.created,
        updated_micros=at,
        fault=event.fault,
        launched_micros=None if event.state == "BUILD" else at,
    )


def _first_observed(event: e.ServerObserved, at: int) -> Server:
    # A source that says nothing of a member leaves it empty; of the state, that it is in use.
    unknown = Server(
        id=event.server_id,
        name="",
        project_id="",
        user_id="",
        image_id="",
        flavor_id="",
        state="ACTIVE",
        metadata={},
        addresses={},
        access_ipv4="",
        access_ipv6="",
        host_id="",
        progress=0,
        disk_config="MANUAL",
        created_micros=at,
        updated_micros=at,
    )
    observed = _observed(unknown, event, at)
    return observed if observed.state == "BUILD" else replace(observed, launched_micros=at)


def _observed(server: Server, event: e.ServerObserved, at: int) -> Server:
    members = asdict(event)
    del members["server_id"]
    members["created_micros"] = members.pop("created")
    changed = {name: value for name, value in members.items() if value is not UNSET}
    if server.state == "BUILD" != changed.get("state", "BUILD"):
        changed["launched_micros"] = at
    return replace(server, updated_micros=at, **changed)


def _updated(server: Server, event: Event, at: int) -> Server:
    return replace(server, updated_micros=at)


def _built(server: Server, event: e.ServerBuilt, at: int) -> Server:
    if server.state != "BUILD":
        return _updated(server, event, at)
    return replace(server, updated_micros=at, state="ACTIVE", launched_micros=at)


def _rebuild_requested(server: Server, event: e.RebuildRequested, at: int) -> Server:
    rebuild = Rebuild(event.rebuild_id, server.image_id)
    return replace(server, updated_micros=at, rebuild=rebuild, progress=0)


def _addresses_changed(server: Server, event: e.AccessAddressesChanged, at: int) -> Server:
    changed = {name: value for name, value in asdict(event).items() if value is not UNSET}
    return replace(server, updated_micros=at, **changed)


def _progressed(server: Server, event: e.RebuildProgressed, at: int) -> Server:
    if not _is_under_way(server, event.rebuild_id):
        return _updated(server, event, at)
    return replace(server, updated_micros=at, progress=max(server.progress, event.percent))


def _completed(server: Server, event: e.RebuildCompleted, at: int) -> Server:
    if not _is_under_way(server, event.rebuild_id):
        return _updated(server, event, at)
    state = "SHUTOFF" if server.state == "SHUTOFF" else "ACTIVE"
    return replace(
        server,
        updated_micros=at,
        rebuild=None,
        state=state,
        progress=event.progress,
        launched_micros=at,
    )


def _failed(server: Server, event: e.RebuildFailed, at: int) -> Server:
    # A source elsewhere says of a rebuild that no host was found for this alone, not its request.
    unheard_of = server.rebuild is None and event.stage == "scheduling"
    if not (unheard_of or _is_under_way(server, event.rebuild_id)):
        return _updated(server, event, at)
    fault = Fault(500, at, event.reason)
    return replace(server, updated_micros=at, rebuild=None, state="ERROR", fault=fault)


def _is_under_way(server: Server, rebuild_id: str) -> bool:
    return server.rebuild is not None and server.rebuild.id == rebuild_id


_NOTHING_HAPPENED = frozenset({e.CommandRefused, e.CallReported})

_BEGINNINGS = cast(
    "dict[type[Event], Callable[[Event, int], Server]]",
    {e.ServerRegistered: _registered, e.ServerObserved: _first_observed},
)

# Each says `replace` itself: members that come in a dictionary take twice as long.
_CHANGES = cast(
    "dict[type[Event], Callable[[Server, Event, int], Server]]",
    {
        e.ServerRegistered: _updated,
        e.ServerBuilt: _built,
        e.RebuildRequested: _rebuild_requested,
        e.ImageChanged: lambda server, event, at: replace(
            server, updated_micros=at, image_id=event.image_id
        ),
        e.ServerRenamed: lambda server, event, at: replace(
            server, updated_micros=at, name=event.name
        ),
        e.MetadataReplaced: lambda server, event, at: replace(
            server, updated_micros=at, metadata=event.metadata
        ),
        e.AccessAddressesChanged: _addresses_changed,
        e.DiskConfigChanged: lambda server, event, at: replace(
            server, updated_micros=at, disk_config=event.disk_config
        ),
        e.RebuildProgressed: _progressed,
        e.RebuildCompleted: _completed,
        e.RebuildFailed: _failed,
        e.ServerLocked: lambda server, event, at: replace(
            server, updated_micros=at, locked_by=event.locked_by
        ),
        e.ServerUnlocked: lambda server, event, at: replace(
            server, updated_micros=at, locked_by=None
        ),
        e.ServerStopped: lambda server, event, at: replace(
            server, updated_micros=at, state="SHUTOFF"
        ),
        e.ServerStarted: lambda server, event, at: replace(
            server, updated_micros=at, state="ACTIVE"
        ),
        e.StateReset: lambda server, event, at: replace(
            server, updated_micros=at, state=event.state, rebuild=None
        ),
        e.ServerDeleted: lambda server, event, at: replace(
            server, updated_micros=at, deleted=True, rebuild=None
        ),
        e.ServerObserved: _observed,
        **dict.fromkeys(_NOTHING_HAPPENED, lambda server, event, at: server),
    },
)
