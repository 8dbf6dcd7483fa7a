"""The facts: what happened to a server, as frozen structs with a permanent name each.

An event carries new values only; *from -> to* is what the fold gives before and after it.
Beginnings (`ServerRegistered`, `ServerObserved`) name their server. Other events happen to the
server whose stream they stand in. A refusal happens to no server: it names the server that stayed
as it was, and stands in a stream of its own. Once a name is in a log, it never changes its meaning
(see `store.codec`).
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from serverdomain.domain import moment

State = Literal["ACTIVE", "SHUTOFF", "ERROR", "BUILD"]
# What a server elsewhere can be in, beside these: nothing here brings it about.
OtherState = Literal[
    "PAUSED", "SUSPENDED", "RESCUE", "VERIFY_RESIZE", "SHELVED", "SHELVED_OFFLOADED", "SOFT_DELETED"
]
DiskConfig = Literal["AUTO", "MANUAL"]
Stage = Literal["scheduling", "hypervisor"]
CallOutcome = Literal["success", "failure", "pending", "unknown"]
Rule = Literal["role", "lock", "state", "image", "quota"]

# Values outside these bounds could be stored but never shown, so the store refuses them.
Percent = Annotated[int, Meta(ge=0, le=100)]
Micros = Annotated[int, Meta(ge=moment.EARLIEST, le=moment.LATEST)]


class Address(Struct, frozen=True, gc=False):
    """One address on a network: ``addr`` as text, ``version`` 4 or 6."""

    addr: str
    version: int


class Fault(Struct, frozen=True):
    """Why a server is in ERROR, and since when, in microseconds since 1970 UTC."""

    code: int
    created_micros: Micros = field(name="created")
    message: str

    @property
    def created(self) -> datetime:
        """Since when, as an aware datetime."""
        return moment.to_datetime(self.created_micros)


class Event(Struct, frozen=True, gc=False):
    """Something that happened to a server."""

    # Here and in what holds events: without a circle, the collector need not walk a page of them.


class ServerRegistered(Event, frozen=True, kw_only=True):
    """A server became known: it was adopted as it is, or created and in BUILD.

    ``created`` is absent if it is the moment of this event.
    """

    server_id: str
    name: str
    project_id: str
    user_id: str
    image_id: str
    flavor_id: str
    state: State
    metadata: dict[str, str]
    addresses: dict[str, tuple[Address, ...]]
    access_ipv4: str
    access_ipv6: str
    host_id: str
    progress: Percent = 0
    disk_config: DiskConfig = "MANUAL"
    created: Micros | None = None
    fault: Fault | None = None


class ServerBuilt(Event, frozen=True):
    """A created server is up."""


class RebuildRequested(Event, frozen=True):
    """Somebody asked for the server to be wiped and installed again from an image.

    ``rebuild_id`` is the request id of the command that asked. The event says whether the password
    was given or generated, never what it is; a source elsewhere does not say: ``unknown``.
    """

    rebuild_id: str
    image_id: str
    password: Literal["given", "generated", "unknown"]


class ImageChanged(Event, frozen=True):
    """The server has another image."""

    image_id: str


class ServerRenamed(Event, frozen=True):
    """The server has another name."""

    name: str


class MetadataReplaced(Event, frozen=True):
    """This map is the server's whole metadata."""

    metadata: dict[str, str]


class AccessAddressesChanged(Event, frozen=True):
    """The access addresses that are given changed; ``""`` means none."""

    access_ipv4: str | UnsetType = UNSET
    access_ipv6: str | UnsetType = UNSET


class DiskConfigChanged(Event, frozen=True):
    """How the disk is partitioned at a rebuild: AUTO or MANUAL."""

    disk_config: DiskConfig


class RebuildProgressed(Event, frozen=True):
    """The rebuild is this many percent done."""

    rebuild_id: str
    percent: Percent


class RebuildCompleted(Event, frozen=True):
    """The rebuild is done; ``progress`` is what the server shows from then on, in percent."""

    rebuild_id: str
    progress: Percent = 100


class RebuildFailed(Event, frozen=True):
    """The rebuild failed, at a stage and for a reason; the server is in ERROR."""

    rebuild_id: str
    stage: Stage
    reason: str


class ServerLocked(Event, frozen=True):
    """Only administrators may act on the server: its ``owner`` or an ``admin`` locked it."""

    locked_by: Literal["owner", "admin"]


class ServerUnlocked(Event, frozen=True):
    """The server's users may act on it again."""


class ServerStopped(Event, frozen=True):
    """The server is SHUTOFF."""


class ServerStarted(Event, frozen=True):
    """The server is ACTIVE."""


class StateReset(Event, frozen=True):
    """An administrator set the server's state; a rebuild under way has ended."""

    state: Literal["ACTIVE", "ERROR"]


class ServerDeleted(Event, frozen=True):
    """The server is gone, for good."""


class ServerObserved(Event, frozen=True, kw_only=True):
    """A source reported the server as it saw it. Values that it did not report are absent.

    Comes in by `Servers.record` alone. ``created`` is in microseconds since 1970 UTC.
    """

    server_id: str
    name: str | UnsetType = UNSET
    project_id: str | UnsetType = UNSET
    user_id: str | UnsetType = UNSET
    image_id: str | UnsetType = UNSET
    flavor_id: str | UnsetType = UNSET
    state: State | OtherState | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    addresses: dict[str, tuple[Address, ...]] | UnsetType = UNSET
    access_ipv4: str | UnsetType = UNSET
    access_ipv6: str | UnsetType = UNSET
    host_id: str | UnsetType = UNSET
    progress: Percent | UnsetType = UNSET
    disk_config: DiskConfig | UnsetType = UNSET
    created: Micros | UnsetType = UNSET
    fault: Fault | UnsetType = UNSET


class CallReported(Event, frozen=True, kw_only=True):
    """A source says that somebody asked something of the server, but not what it changed.

    ``action`` is the source's word for it, ``outcome`` how it ended, ``code`` the HTTP status that
    answered it and ``address`` where it came from, if the source says so. It changes nothing.
    """

    action: str
    outcome: CallOutcome
    code: Annotated[int, Meta(ge=100, le=599)] | UnsetType = UNSET
    address: str | UnsetType = UNSET


class CommandRefused(Event, frozen=True, kw_only=True):
    """A rule refused a command on a server that is there. It changes nothing.

    ``kind`` and ``members`` are what was asked, without a password and without generated values.
    ``rule`` is the rule that said no, ``why`` what the caller was told.
    """

    server_id: str
    kind: str
    members: dict[str, Any]
    rule: Rule
    why: str


EVENTS: dict[str, type[Event]] = {
    "ServerRegistered": ServerRegistered,
    "ServerBuilt": ServerBuilt,
    "RebuildRequested": RebuildRequested,
    "ImageChanged": ImageChanged,
    "ServerRenamed": ServerRenamed,
    "MetadataReplaced": MetadataReplaced,
    "AccessAddressesChanged": AccessAddressesChanged,
    "DiskConfigChanged": DiskConfigChanged,
    "RebuildProgressed": RebuildProgressed,
    "RebuildCompleted": RebuildCompleted,
    "RebuildFailed": RebuildFailed,
    "ServerLocked": ServerLocked,
    "ServerUnlocked": ServerUnlocked,
    "ServerStopped": ServerStopped,
    "ServerStarted": ServerStarted,
    "StateReset": StateReset,
    "ServerDeleted": ServerDeleted,
    "ServerObserved": ServerObserved,
    "CallReported": CallReported,
    "CommandRefused": CommandRefused,
}
"""Every event by its permanent name, which does not depend on the name of its class."""
