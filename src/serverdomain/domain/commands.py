"""What may be asked of a server: frozen structs that cannot hold nonsense.

A command is checked where it is made, so that nothing outside the limits reaches a decision,
whichever way it came in. ``kind`` is its permanent name in the table of commands. What `/v2` and
`/v2.1` read differently is `adapters.compute_json`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import UNSET, Struct, UnsetType, to_builtins
from msgspec.structs import fields, force_setattr, replace

from serverdomain.domain import limits, moment
from serverdomain.domain.events import (
    Address,
    CommandRefused,
    DiskConfig,
    Event,
    Fault,
    ServerObserved,
    ServerRegistered,
    Stage,
    State,
)
from serverdomain.domain.typed import require_type
from serverdomain.errors import InvalidInput

STATES = ("ACTIVE", "SHUTOFF", "ERROR", "BUILD")
DISK_CONFIGS = ("AUTO", "MANUAL")
STAGES = ("scheduling", "hypervisor")
RESETS = ("ACTIVE", "ERROR")

if TYPE_CHECKING:
    Time = int | datetime
else:
    Time = int  # As it is stored: this is what msgspec reads back.


class Command(Struct, frozen=True, kw_only=True):
    """Something asked of one server."""

    kind: ClassVar[str]
    not_asked: ClassVar[frozenset[str]] = frozenset()
    """Members that are no part of what was asked: never stored, never compared in a retry."""
    begins: ClassVar[bool] = False
    """Whether it makes a server known, whose id must be new to the log."""
    may_be_late: ClassVar[bool] = False
    """Whether it may have occurred before what the log already has of its server."""

    @property
    def own_time(self) -> int | None:
        """When it occurred where nobody says otherwise, in microseconds since 1970 UTC.

        ``None`` for now, which nearly every command means.
        """
        return None

    @property
    def generates_id(self) -> bool:
        """Whether it leaves the id of its server to be generated."""
        return False

    def to(self, server_id: str) -> Command:
        """The command as it is decided of this server. Raises `InvalidInput` if it names another.

        ``server_id`` is in canonical form.
        """
        return self

    def members(self) -> dict[str, Any]:
        """What was asked, as plain values: without a password, without what was not given."""
        asked = to_builtins(self)
        return {name: value for name, value in asked.items() if name not in self.not_asked}

    def _canonical(self, field: str, value: object) -> None:
        force_setattr(self, field, value)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        # The password stays out, whoever prints a command or a frame that holds one.
        shown = [field.name for field in fields(self) if field.name != "admin_pass"]
        return [(name, getattr(self, name)) for name in shown]

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"


class RegisterServer(Command, frozen=True, kw_only=True):
    """Adopt a server as it is.

    ``created`` and ``updated``: aware datetimes, or microseconds since 1970 UTC, as which they are
    kept.
    """

    kind = "register"
    begins = True

    server_id: str
    name: str
    project_id: str
    user_id: str
    image_id: str
    flavor_id: str
    created: Time
    updated: Time
    status: State = "ACTIVE"
    metadata: dict[str, str] = {}
    addresses: dict[str, tuple[Address, ...]] = {}
    access_ipv4: str = ""
    access_ipv6: str = ""
    host_id: str = ""
    progress: int = 0
    disk_config: DiskConfig = "MANUAL"
    fault: Fault | None = None

    def __post_init__(self) -> None:
        self._canonical("server_id", limits.canonical_uuid("server_id", self.server_id))
        self._canonical("image_id", limits.canonical_uuid("image_id", self.image_id))
        # What is so, is so: an adopted name or map need not keep a request's limits.
        for field in ("name", "project_id", "user_id", "host_id"):
            limits.text(field, getattr(self, field))
        limits.text("flavor_id", self.flavor_id, shortest=1, longest=255)
        limits.one_of("status", self.status, STATES)
        limits.one_of("disk_config", self.disk_config, DISK_CONFIGS)
        limits.percent("progress", self.progress)
        self._canonical("metadata", limits.string_map("metadata", self.metadata))
        if self.access_ipv4 != "":
            self._canonical("access_ipv4", limits.ipv4("access_ipv4", self.access_ipv4))
        if self.access_ipv6 != "":
            self._canonical("access_ipv6", limits.ipv6("access_ipv6", self.access_ipv6))
        self._canonical("addresses", _canonical_addresses(self.addresses))
        for field in ("created", "updated"):
            self._canonical(field, moment.micros(field, getattr(self, field)))
        if self.fault is not None:
            self._canonical("fault", _canonical_fault(self.fault))

    @property
    def own_time(self) -> int:
        """When it was last updated."""
        return moment.micros("updated", self.updated)

    def to(self, server_id: str) -> RegisterServer:
        """Itself, if it registers this server."""
        _require_same_server("server_id", server_id, self.server_id)
        return self


class CreateServer(Command, frozen=True, kw_only=True):
    """Make a new server; BUILD until it is reported built. The id is generated if not given.

    ``image_known`` and ``flavor_known`` are False where the caller's services do not have them.
    """

    kind = "create"
    not_asked = frozenset({"admin_pass", "image_known", "flavor_known"})
    begins = True

    name: str
    image_id: str
    flavor_id: str
    server_id: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    access_ipv4: str | UnsetType = UNSET
    access_ipv6: str | UnsetType = UNSET
    disk_config: DiskConfig | UnsetType = UNSET
    admin_pass: str | None = None
    image_known: bool = True
    flavor_known: bool = True

    def __post_init__(self) -> None:
        if self.server_id is not UNSET:
            self._canonical("server_id", limits.canonical_uuid("server_id", self.server_id))
        limits.server_name("name", self.name)
        self._canonical("image_id", limits.canonical_uuid("image_id", self.image_id))
        limits.text("flavor_id", self.flavor_id, shortest=1, longest=255)
        if type(self.flavor_known) is not bool:
            require_type("flavor_known", self.flavor_known, bool)
        _check_settings(self)

    @property
    def generates_id(self) -> bool:
        """Whether no id was given."""
        return self.server_id is UNSET

    def to(self, server_id: str) -> CreateServer:
        """The creation of this server, with the id that was generated for it if none was given."""
        if self.server_id is UNSET:
            return replace(self, server_id=server_id)
        _require_same_server("server_id", server_id, self.server_id)
        return self


class ReportBuilt(Command, frozen=True, kw_only=True):
    """A created server is up."""

    kind = "report_built"


class RebuildServer(Command, frozen=True, kw_only=True):
    """Wipe the server and install it again from an image (documented *Rebuild server*).

    What is absent is kept; ``metadata`` replaces the whole map. ``admin_pass`` is generated where
    none is given, and never stored. ``image_known`` is False where the caller's image service does
    not have the image.
    """

    kind = "rebuild"
    not_asked = frozenset({"admin_pass", "image_known"})

    image_id: str
    name: str | UnsetType = UNSET
    metadata: dict[str, str] | UnsetType = UNSET
    access_ipv4: str | UnsetType = UNSET
    access_ipv6: str | UnsetType = UNSET
    disk_config: DiskConfig | UnsetType = UNSET
    admin_pass: str | None = None
    image_known: bool = True

    def __post_init__(self) -> None:
        self._canonical("image_id", limits.canonical_uuid("image_id", self.image_id))
        if self.name is not UNSET:
            limits.server_name("name", self.name)
        _check_settings(self)


class ReportProgress(Command, frozen=True, kw_only=True):
    """The rebuild under way, or the one named, is so many percent done."""

    kind = "report_progress"

    percent: int
    rebuild_id: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        limits.percent("percent", self.percent)
        _check_rebuild_id(self.rebuild_id)


class CompleteRebuild(Command, frozen=True, kw_only=True):
    """The rebuild under way, or the one named, is done; ``progress`` is its final percentage."""

    kind = "complete_rebuild"

    progress: int = 100
    rebuild_id: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        limits.percent("progress", self.progress)
        _check_rebuild_id(self.rebuild_id)


class FailRebuild(Command, frozen=True, kw_only=True):
    """The rebuild under way, or the one named, came to nothing."""

    kind = "fail_rebuild"

    reason: str
    stage: Stage = "hypervisor"
    rebuild_id: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        limits.text("reason", self.reason, shortest=1)
        limits.one_of("stage", self.stage, STAGES)
        _check_rebuild_id(self.rebuild_id)


class RenameServer(Command, frozen=True, kw_only=True):
    """Give the server another name."""

    kind = "rename"

    name: str

    def __post_init__(self) -> None:
        limits.server_name("name", self.name)


class ChangeServer(Command, frozen=True, kw_only=True):
    """Change what is set on a server, and nothing that is installed: all, some or none of it."""

    kind = "change"

    name: str | UnsetType = UNSET
    access_ipv4: str | UnsetType = UNSET
    access_ipv6: str | UnsetType = UNSET
    disk_config: DiskConfig | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.name is not UNSET:
            limits.server_name("name", self.name)
        _check_addresses_and_disk(self)


class UpdateMetadata(Command, frozen=True, kw_only=True):
    """Merge items into the metadata: those given are set, the others stay."""

    kind = "update_metadata"

    metadata: dict[str, str]

    def __post_init__(self) -> None:
        self._canonical("metadata", limits.metadata("metadata", self.metadata))


class ReplaceMetadata(Command, frozen=True, kw_only=True):
    """Make the metadata this map, whole."""

    kind = "replace_metadata"

    metadata: dict[str, str]

    def __post_init__(self) -> None:
        self._canonical("metadata", limits.metadata("metadata", self.metadata))


class DeleteMetadata(Command, frozen=True, kw_only=True):
    """Take items out of the metadata, by their keys; each must be there."""

    kind = "delete_metadata"

    keys: tuple[str, ...]

    def __post_init__(self) -> None:
        limits.keys("keys", self.keys)


class LockServer(Command, frozen=True, kw_only=True):
    """Let only administrators act on it."""

    kind = "lock"


class UnlockServer(Command, frozen=True, kw_only=True):
    """Let its users act on it again."""

    kind = "unlock"


class StopServer(Command, frozen=True, kw_only=True):
    """Turn it off."""

    kind = "stop"


class StartServer(Command, frozen=True, kw_only=True):
    """Turn it on."""

    kind = "start"


class ResetState(Command, frozen=True, kw_only=True):
    """Say what state it is in: ACTIVE or ERROR. Ends a rebuild under way."""

    kind = "reset_state"

    state: State

    def __post_init__(self) -> None:
        limits.one_of("state", self.state, RESETS)


class DeleteServer(Command, frozen=True, kw_only=True):
    """Remove the server, at once and for good."""

    kind = "delete"


class RecordFacts(Command, frozen=True, kw_only=True):
    """Take in facts that happened elsewhere, as they are: no rule is asked.

    In the log they are asked for by their ``sha256``: the hash, in hex, of the events as they are
    stored, which the log makes.
    """

    kind = "record"
    not_asked = frozenset({"events"})
    may_be_late = True

    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        given: object = self.events
        if not isinstance(given, tuple) or not given:
            raise InvalidInput(
                "events", f"{limits.shown(given)} came, a tuple of at least one event is allowed"
            )
        for event in given:
            if not isinstance(event, Event) or isinstance(event, CommandRefused):
                raise InvalidInput(
                    "events",
                    f"a {type(event).__name__} came, what happened to a server is allowed",
                )

    def members(self) -> dict[str, Any]:
        """Nothing: the log adds the hash."""
        return {}

    def to(self, server_id: str) -> RecordFacts:
        """Itself, if every beginning among its facts is this server's."""
        for event in self.events:
            if isinstance(event, ServerRegistered | ServerObserved):
                _require_same_server("events", server_id, event.server_id)
        return self


COMMANDS: dict[str, type[Command]] = {
    command.kind: command
    for command in (
        RegisterServer,
        CreateServer,
        ReportBuilt,
        RebuildServer,
        ReportProgress,
        CompleteRebuild,
        FailRebuild,
        RenameServer,
        ChangeServer,
        UpdateMetadata,
        ReplaceMetadata,
        DeleteMetadata,
        LockServer,
        UnlockServer,
        StopServer,
        StartServer,
        ResetState,
        DeleteServer,
        RecordFacts,
    )
}
"""Every command by its permanent kind."""


def _require_same_server(field: str, server_id: str, named: str) -> None:
    if named != server_id:
        raise InvalidInput(
            field, f"{limits.shown(named)} came for server {server_id}, its own id is allowed"
        )


def _canonical_addresses(value: object) -> dict[str, tuple[Address, ...]]:
    if not isinstance(value, Mapping):
        raise InvalidInput(
            "addresses", f"{limits.shown(value)} came, a map of networks to addresses is allowed"
        )
    return {
        limits.text("addresses", network): _canonical_network(
            limits.member("addresses", network), addresses
        )
        for network, addresses in value.items()
    }


def _canonical_network(field: str, value: object) -> tuple[Address, ...]:
    if not isinstance(value, tuple | list) or not all(isinstance(one, Address) for one in value):
        raise InvalidInput(field, f"{limits.shown(value)} came, a tuple of Address is allowed")
    return tuple(
        Address(limits.address(field, one.addr, one.version), one.version) for one in value
    )


def _canonical_fault(fault: object) -> Fault:
    if not isinstance(fault, Fault):
        raise InvalidInput("fault", f"{limits.shown(fault)} came, a Fault is allowed")
    code: object = fault.code
    if not isinstance(code, int) or isinstance(code, bool):
        raise InvalidInput("fault.code", f"{limits.shown(code)} came, a whole number is allowed")
    message = limits.text("fault.message", fault.message)
    return Fault(code, moment.micros("fault.created_micros", fault.created_micros), message)


def _check_settings(command: CreateServer | RebuildServer) -> None:
    if command.metadata is not UNSET:
        command._canonical("metadata", limits.metadata("metadata", command.metadata))
    _check_addresses_and_disk(command)
    if command.admin_pass is not None:
        limits.password("admin_pass", command.admin_pass)
    if type(command.image_known) is not bool:
        require_type("image_known", command.image_known, bool)


def _check_addresses_and_disk(command: CreateServer | RebuildServer | ChangeServer) -> None:
    if command.access_ipv4 is not UNSET:
        command._canonical("access_ipv4", limits.ipv4("access_ipv4", command.access_ipv4))
    if command.access_ipv6 is not UNSET:
        command._canonical("access_ipv6", limits.ipv6("access_ipv6", command.access_ipv6))
    if command.disk_config is not UNSET:
        limits.one_of("disk_config", command.disk_config, DISK_CONFIGS)


def _check_rebuild_id(rebuild_id: str | UnsetType) -> None:
    if rebuild_id is not UNSET:
        limits.request_id("rebuild_id", rebuild_id)
