"""Hypothesis strategies: servers' ids, commands, actors, events and whole histories.

Needs the extra ``testing``. Values come from small pools and from the limits' edges,
so that commands and events meet: the same images, names and rebuilds turn up again and again.
"""

from __future__ import annotations

from typing import Any, TypeVar, get_args

import msgspec
from msgspec import UNSET, UnsetType

from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.domain import moment
from serverdomain.domain.actor import Actor
from serverdomain.domain.decisions import decide
from serverdomain.domain.server import evolve
from serverdomain.domain.typed import typed
from serverdomain.errors import ExtraMissing, ServerdomainError
from serverdomain.testing.scenario import ADMIN, OWNER, READER, registered

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as missing:
    raise ExtraMissing("serverdomain.testing.strategies", missing.name, "testing") from None

Value = TypeVar("Value")

IMAGES = (
    "70a599e0-31e7-49b7-b260-868f441e862b",
    "155d900f-4e14-4e4c-a73d-069cbf4541e6",
    "c99d7632-bd66-4be9-aed5-3dd14b223a76",
)
"""The images that servers here are built from."""

REBUILDS = ("req-1", "req-2", "req-3")
"""The ids that rebuilds here have."""

_TIMES = (-1, 0, 1, 1347470436000000, 1347470437999999)


def times() -> st.SearchStrategy[int]:
    """Microseconds since 1970 UTC, before it too, that a datetime can say."""
    return st.sampled_from(_TIMES) | st.integers(moment.EARLIEST, moment.LATEST)


def request_ids() -> st.SearchStrategy[str]:
    """1 to 255 printable ASCII characters without a space."""
    return st.sampled_from(REBUILDS) | st.text(
        st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255
    )


def names() -> st.SearchStrategy[str]:
    """1 to 255 characters, not blank."""
    any_name = st.text(min_size=1, max_size=255).filter(lambda name: bool(name.strip()))
    return st.sampled_from(("foobar", "another", "x", "n" * 255)) | any_name


@typed
def metadata(most: int = 4) -> st.SearchStrategy[dict[str, str]]:
    """Up to ``most`` items, each key of 1 to 255 bytes and each value of 0 to 255."""
    # 63 characters of four bytes are the most that surely fit.
    keys = st.sampled_from(("meta var", "a", "k" * 255)) | st.text(min_size=1, max_size=63)
    values = st.sampled_from(("meta val", "", "v" * 255, "é" * 127)) | st.text(max_size=63)
    return st.dictionaries(keys, values, max_size=most)


def actors() -> st.SearchStrategy[Actor]:
    """The server's owner, an administrator of another or its own project, a reader, and others."""
    return st.sampled_from(
        (OWNER, OWNER, ADMIN, Actor("root", "openstack", ("admin",)), READER, Actor("demo", "demo"))
    )


def commands() -> st.SearchStrategy[c.Command]:
    """Any command but `RegisterServer` and `CreateServer`, which make a server."""
    named = _or_unset(st.sampled_from(REBUILDS))
    return st.one_of(
        st.builds(
            c.RebuildServer,
            image_id=st.sampled_from(IMAGES),
            name=_or_unset(names()),
            metadata=_or_unset(metadata()),
            access_ipv4=_or_unset(_ipv4()),
            access_ipv6=_or_unset(_ipv6()),
            disk_config=_or_unset(_disk_configs()),
            admin_pass=st.none() | st.text(),
            image_known=st.booleans() | st.just(True),
        ),
        st.builds(c.ReportProgress, percent=st.integers(0, 100), rebuild_id=named),
        st.builds(c.CompleteRebuild, progress=st.integers(0, 100), rebuild_id=named),
        st.builds(
            c.FailRebuild,
            reason=st.text(min_size=1),
            stage=st.sampled_from(("scheduling", "hypervisor")),
            rebuild_id=named,
        ),
        st.builds(c.RenameServer, name=names()),
        st.builds(c.ChangeServer, name=names(), disk_config=_or_unset(_disk_configs())),
        st.builds(c.ChangeServer, access_ipv4=_ipv4(), access_ipv6=_or_unset(_ipv6())),
        st.builds(c.UpdateMetadata, metadata=metadata()),
        st.builds(c.ReplaceMetadata, metadata=metadata() | metadata(most=130)),
        st.builds(
            c.DeleteMetadata,
            keys=st.lists(st.sampled_from(("meta var", "a")), min_size=1).map(tuple),
        ),
        st.builds(c.ResetState, state=st.sampled_from(("ACTIVE", "ERROR"))),
        st.builds(c.ReportBuilt),
        st.builds(c.LockServer),
        st.builds(c.UnlockServer),
        st.builds(c.StopServer),
        st.builds(c.StartServer),
        st.builds(c.DeleteServer),
    )


def beginnings() -> st.SearchStrategy[e.ServerRegistered]:
    """A server becomes known, in any state that it may be adopted or created in."""
    return st.builds(
        registered,
        name=names(),
        image_id=st.sampled_from(IMAGES),
        state=_states(),
        metadata=metadata(),
        addresses=_addresses(),
        access_ipv4=st.just("") | _ipv4(),
        access_ipv6=st.just("") | _ipv6(),
        host_id=st.text(max_size=56),
        progress=st.integers(0, 100),
        disk_config=_disk_configs(),
        created=st.none() | times(),
        fault=st.none() | _faults(),
    )


def events() -> st.SearchStrategy[e.Event]:
    """Any event, whatever came before it."""
    rebuild_ids = request_ids()
    images = st.sampled_from(IMAGES)
    return st.one_of(
        beginnings(),
        st.builds(e.RebuildRequested, rebuild_ids, images, st.sampled_from(("given", "generated"))),
        st.builds(e.ImageChanged, images),
        st.builds(e.ServerRenamed, names()),
        st.builds(e.MetadataReplaced, metadata()),
        st.builds(e.AccessAddressesChanged, _or_unset(_ipv4()), _or_unset(_ipv6())),
        st.builds(e.DiskConfigChanged, _disk_configs()),
        st.builds(e.RebuildProgressed, rebuild_ids, st.integers(0, 100)),
        st.builds(e.RebuildCompleted, rebuild_ids, st.integers(0, 100)),
        st.builds(
            e.RebuildFailed,
            rebuild_ids,
            st.sampled_from(("scheduling", "hypervisor")),
            st.text(min_size=1),
        ),
        st.builds(e.ServerLocked, st.sampled_from(("owner", "admin"))),
        st.builds(e.StateReset, st.sampled_from(("ACTIVE", "ERROR"))),
        _observations(),
        st.builds(e.ServerBuilt),
        st.builds(e.ServerUnlocked),
        st.builds(e.ServerStopped),
        st.builds(e.ServerStarted),
        st.builds(e.ServerDeleted),
    )


def refusals() -> st.SearchStrategy[e.CommandRefused]:
    """What a rule refused, of any command and by any rule."""
    return st.builds(
        lambda command, rule, why: e.CommandRefused(
            server_id=registered().server_id,
            kind=command.kind,
            # As they were stored: with lists where a command has tuples.
            members=msgspec.json.decode(msgspec.json.encode(command.members())),
            rule=rule,
            why=why,
        ),
        commands(),
        st.sampled_from(("role", "lock", "state", "image", "quota")),
        st.text(),
    )


def calls() -> st.SearchStrategy[e.CallReported]:
    """What a source says was asked of a server elsewhere, in its own words."""
    return st.builds(
        e.CallReported,
        action=st.sampled_from(("rebuild", "update/rebuild", "stop")) | st.text(min_size=1),
        outcome=st.sampled_from(get_args(e.CallOutcome)),
        code=_or_unset(st.integers(100, 599)),
        address=_or_unset(_ipv4()),
    )


def facts() -> st.SearchStrategy[tuple[e.Event, int]]:
    """Any event, and when it occurred."""
    return st.tuples(events(), times())


@typed
def histories(most: int = 12) -> st.SearchStrategy[list[tuple[e.Event, int]]]:
    """What up to ``most`` commands made of a server: (event, occurred_at), in order.

    Every command occurred later than the one before it.
    """
    asked = st.tuples(commands(), actors(), st.integers(1, 10_000_000))
    return st.builds(
        _history, beginnings(), st.sampled_from(_TIMES), st.lists(asked, max_size=most)
    )


def _history(
    beginning: e.ServerRegistered, at: int, asked: list[tuple[c.Command, Actor, int]]
) -> list[tuple[e.Event, int]]:
    history: list[tuple[e.Event, int]] = [(beginning, at)]
    server = evolve(None, beginning, at)
    for number, (command, actor, later) in enumerate(asked, start=1):
        at += later
        try:
            decision = decide(server, command, actor, f"req-{number}")
        except ServerdomainError:
            continue
        for event in decision:
            history.append((event, at))
            server = evolve(server, event, at)
    return history


def _observations() -> st.SearchStrategy[e.ServerObserved]:
    members: dict[str, st.SearchStrategy[Any]] = {
        "name": names(),
        "project_id": st.just("openstack"),
        "user_id": st.just("fake"),
        "image_id": st.sampled_from(IMAGES),
        "flavor_id": st.sampled_from(("1", "2")),
        "state": _states(),
        "metadata": metadata(),
        "addresses": _addresses(),
        "access_ipv4": st.just("") | _ipv4(),
        "access_ipv6": st.just("") | _ipv6(),
        "host_id": st.text(max_size=56),
        "progress": st.integers(0, 100),
        "disk_config": _disk_configs(),
        "created": times(),
        "fault": _faults(),
    }
    return st.builds(
        e.ServerObserved,
        server_id=st.just(registered().server_id),
        **{name: _or_unset(values) for name, values in members.items()},
    )


def _or_unset(values: st.SearchStrategy[Value]) -> st.SearchStrategy[Value | UnsetType]:
    return st.just(UNSET) | values


def _states() -> st.SearchStrategy[str]:
    return st.sampled_from(c.STATES)


def _disk_configs() -> st.SearchStrategy[str]:
    return st.sampled_from(c.DISK_CONFIGS)


def _ipv4() -> st.SearchStrategy[str]:
    return st.sampled_from(("1.2.3.4", "5.6.7.8")) | st.ip_addresses(v=4).map(str)


def _ipv6() -> st.SearchStrategy[str]:
    return st.sampled_from(("fe80::100", "2001:db8::1")) | st.ip_addresses(v=6).map(str)


def _addresses() -> st.SearchStrategy[dict[str, tuple[e.Address, ...]]]:
    some = _ipv4().map(lambda addr: e.Address(addr, 4)) | _ipv6().map(
        lambda addr: e.Address(addr, 6)
    )
    return st.dictionaries(
        st.sampled_from(("private", "public")), st.lists(some, max_size=2).map(tuple)
    )


def _faults() -> st.SearchStrategy[e.Fault]:
    return st.builds(e.Fault, st.just(500), times(), st.text())
