"""What may be asked: nothing outside the limits, and never a password in what is shown."""

import pickle
import traceback
from datetime import UTC, datetime
from io import StringIO

import msgspec
import pytest
from hypothesis import given as for_any
from msgspec import UNSET
from rich.console import Console
from rich.pretty import pretty_repr
from rich.traceback import Traceback

from serverdomain.domain import moment
from serverdomain.domain.commands import (
    COMMANDS,
    ChangeServer,
    Command,
    CompleteRebuild,
    CreateServer,
    DeleteMetadata,
    FailRebuild,
    LockServer,
    RebuildServer,
    RecordFacts,
    RegisterServer,
    RenameServer,
    ReplaceMetadata,
    ReportProgress,
    ResetState,
    UpdateMetadata,
)
from serverdomain.domain.events import Address, CommandRefused, Fault, ServerStopped
from serverdomain.errors import InvalidInput
from serverdomain.testing import registered, strategies

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
SERVER_ID = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
PASSWORD = "seekr3t"


def registering(**more) -> RegisterServer:
    members = {
        "server_id": SERVER_ID,
        "name": "foobar",
        "project_id": "openstack",
        "user_id": "fake",
        "image_id": IMAGE,
        "flavor_id": "1",
        "created": 0,
        "updated": 0,
    }
    return RegisterServer(**(members | more))


def creating(**more) -> CreateServer:
    return CreateServer(**({"name": "foobar", "image_id": IMAGE, "flavor_id": "1"} | more))


def rebuilding(**more) -> RebuildServer:
    return RebuildServer(**({"image_id": IMAGE} | more))


# Names


def test_the_commands_have_these_kinds_for_good() -> None:
    assert {kind: command.__name__ for kind, command in COMMANDS.items()} == {
        "change": "ChangeServer",
        "complete_rebuild": "CompleteRebuild",
        "create": "CreateServer",
        "delete": "DeleteServer",
        "delete_metadata": "DeleteMetadata",
        "fail_rebuild": "FailRebuild",
        "lock": "LockServer",
        "record": "RecordFacts",
        "rebuild": "RebuildServer",
        "register": "RegisterServer",
        "rename": "RenameServer",
        "replace_metadata": "ReplaceMetadata",
        "report_built": "ReportBuilt",
        "report_progress": "ReportProgress",
        "reset_state": "ResetState",
        "start": "StartServer",
        "stop": "StopServer",
        "unlock": "UnlockServer",
        "update_metadata": "UpdateMetadata",
    }


def test_a_command_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        RenameServer(name="foobar").name = ""


def test_a_command_takes_no_member_that_it_does_not_know() -> None:
    with pytest.raises(TypeError):
        LockServer(reason="because")
    with pytest.raises(TypeError):
        RenameServer("foobar")


# What was asked


def test_the_members_asked_are_those_that_were_given() -> None:
    assert rebuilding().members() == {"image_id": IMAGE}
    assert rebuilding(name="x", metadata={}, access_ipv6="FE80::1").members() == {
        "image_id": IMAGE,
        "name": "x",
        "metadata": {},
        "access_ipv6": "fe80::1",
    }
    assert LockServer().members() == {}
    assert DeleteMetadata(keys=("a", "b")).members() == {"keys": ("a", "b")}


@pytest.mark.parametrize("make", [creating, rebuilding])
def test_a_password_and_what_other_services_said_are_no_part_of_what_was_asked(make) -> None:
    of_flavors = {"flavor_known": False} if make is creating else {}
    asked = make(admin_pass=PASSWORD, image_known=False, **of_flavors)
    assert asked.members() == make().members()
    assert asked.not_asked == {"admin_pass", "image_known", *of_flavors}


def test_a_registration_asks_for_all_of_its_members() -> None:
    asked = registering(
        addresses={"private": (Address("192.168.0.3", 4),)}, fault=Fault(500, 1, "disk full")
    ).members()
    assert asked["addresses"] == {"private": ({"addr": "192.168.0.3", "version": 4},)}
    assert asked["fault"] == {"code": 500, "created": 1, "message": "disk full"}
    assert list(asked) == [
        "server_id",
        "name",
        "project_id",
        "user_id",
        "image_id",
        "flavor_id",
        "created",
        "updated",
        "status",
        "metadata",
        "addresses",
        "access_ipv4",
        "access_ipv6",
        "host_id",
        "progress",
        "disk_config",
        "fault",
    ]


@for_any(strategies.commands())
def test_a_command_made_of_what_was_asked_is_the_same_command(command: Command) -> None:
    assert type(command)(**command.members()).members() == command.members()


# Passwords


@pytest.mark.parametrize("make", [creating, rebuilding])
@pytest.mark.parametrize("show", [repr, str, ascii, "{!r}".format, pretty_repr])
def test_a_password_is_in_nothing_that_shows_a_command(make, show) -> None:
    shown = show(make(admin_pass=PASSWORD))
    assert IMAGE in shown
    assert PASSWORD not in shown
    assert "admin_pass" not in shown


@pytest.mark.parametrize("make", [creating, rebuilding])
def test_a_password_is_in_no_trace_that_shows_a_command(make) -> None:
    output = StringIO()
    console = Console(file=output, width=200)
    command = make(admin_pass=PASSWORD)

    def fails(command: Command) -> None:
        raise RuntimeError(f"cannot do {command}")

    try:
        fails(command)
    except RuntimeError as error:
        console.print(
            Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
        )
        plain = "".join(traceback.format_exception(error))
    assert IMAGE in output.getvalue()
    assert IMAGE in plain
    assert PASSWORD not in output.getvalue()
    assert PASSWORD not in plain


@pytest.mark.parametrize("make", [creating, rebuilding])
@pytest.mark.parametrize("bad", [f"{PASSWORD}\ud800", [PASSWORD], PASSWORD.encode(), {PASSWORD: 1}])
def test_a_bad_password_is_in_no_error(make, bad: object) -> None:
    with pytest.raises(InvalidInput, match=r"^admin_pass: ") as no:
        make(admin_pass=bad)
    told = "".join(traceback.format_exception(no.value, chain=True))
    assert PASSWORD not in str(no.value)
    assert PASSWORD not in told


@pytest.mark.parametrize("make", [creating, rebuilding])
@pytest.mark.parametrize("bad", [f"{PASSWORD}\ud800", [PASSWORD]])
def test_a_bad_password_is_in_no_trace_that_shows_what_our_frames_held(make, bad: object) -> None:
    with pytest.raises(InvalidInput) as no:
        make(admin_pass=bad)
    ours = no.value.__traceback__.tb_next.tb_next
    output = StringIO()
    Console(file=output, width=200).print(
        Traceback.from_exception(InvalidInput, no.value, ours, show_locals=True)
    )
    assert "admin_pass" in output.getvalue()
    assert PASSWORD not in output.getvalue()


def test_what_a_command_shows_is_what_makes_it() -> None:
    assert repr(LockServer()) == "LockServer()"
    assert repr(RenameServer(name="foobar")) == "RenameServer(name='foobar')"


def test_a_password_is_kept_for_the_one_who_has_to_set_it() -> None:
    assert rebuilding(admin_pass=PASSWORD).admin_pass == PASSWORD
    assert rebuilding().admin_pass is None
    assert pickle.loads(pickle.dumps(rebuilding(admin_pass=PASSWORD))).admin_pass == PASSWORD


# Rebuild and create


@pytest.mark.parametrize("make", [creating, rebuilding])
def test_what_is_given_is_made_canonical(make) -> None:
    command = make(
        image_id=IMAGE.upper(), access_ipv4="1.2.3.4", access_ipv6="FE80:0::100", metadata={}
    )
    assert command.image_id == IMAGE
    assert command.access_ipv4 == "1.2.3.4"
    assert command.access_ipv6 == "fe80::100"
    assert command.metadata == {}


@pytest.mark.parametrize("make", [creating, rebuilding])
def test_what_is_not_given_is_absent(make) -> None:
    command = make()
    assert command.metadata is UNSET
    assert command.access_ipv4 is UNSET
    assert command.access_ipv6 is UNSET
    assert command.disk_config is UNSET
    assert command.admin_pass is None
    assert command.image_known is True
    assert rebuilding().name is UNSET
    assert creating().server_id is UNSET


@pytest.mark.parametrize("make", [creating, rebuilding])
@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("image_id", ""),
        ("image_id", "not-a-uuid"),
        ("image_id", None),
        ("name", ""),
        ("name", " "),
        ("name", "n" * 256),
        ("name", None),
        ("metadata", None),
        ("metadata", {"": "v"}),
        ("metadata", {"k" * 256: "v"}),
        ("metadata", {"k": "é" * 128}),
        ("access_ipv4", ""),
        ("access_ipv4", None),
        ("access_ipv4", "fe80::100"),
        ("access_ipv6", ""),
        ("access_ipv6", None),
        ("access_ipv6", "1.2.3.4"),
        ("disk_config", "auto"),
        ("disk_config", None),
    ],
)
def test_a_value_outside_the_limits_makes_no_command(make, field: str, bad: object) -> None:
    with pytest.raises(InvalidInput) as no:
        make(**{field: bad})
    assert no.value.field.split(".")[0] == field


def test_a_metadata_quota_is_the_decisions_to_ask() -> None:
    items = {str(number): "" for number in range(129)}
    assert rebuilding(metadata=items).metadata == items


def test_a_created_servers_id_is_made_canonical() -> None:
    assert creating(server_id=SERVER_ID.upper()).server_id == SERVER_ID
    with pytest.raises(InvalidInput, match=r"^server_id: "):
        creating(server_id="mine")


@pytest.mark.parametrize("make", [creating, registering])
def test_a_flavor_is_1_to_255_characters(make) -> None:
    assert make(flavor_id="f" * 255).flavor_id == "f" * 255
    for bad in ("", "f" * 256, 1, None):
        with pytest.raises(InvalidInput, match=r"^flavor_id: "):
            make(flavor_id=bad)


# Register


def test_what_is_adopted_may_break_a_requests_limits() -> None:
    command = registering(name="", metadata={"": "v" * 300}, project_id="", user_id="", host_id="")
    assert command.name == ""
    assert command.metadata == {"": "v" * 300}
    assert registering(name="n" * 300).name == "n" * 300


def test_an_adopted_servers_ids_and_access_addresses_are_made_canonical() -> None:
    command = registering(
        server_id=SERVER_ID.upper(),
        image_id=IMAGE.replace("-", ""),
        access_ipv4="1.2.3.4",
        access_ipv6="FE80::100",
    )
    assert command.server_id == SERVER_ID
    assert command.image_id == IMAGE
    assert command.access_ipv4 == "1.2.3.4"
    assert command.access_ipv6 == "fe80::100"


def test_a_network_is_named_on_one_short_line() -> None:
    for network in ("a\nb", "n" * 1000):
        with pytest.raises(InvalidInput, match=r"^addresses\.") as no:
            registering(addresses={network: (Address("no", 4),)})
        assert len(str(no.value).splitlines()) == 1
        assert len(str(no.value)) < 200


def test_an_adopted_servers_addresses_are_made_canonical_and_its_own() -> None:
    addresses = {"private": [Address("FE80::0", 6), Address("1.2.3.4", 4)], "public": ()}
    command = registering(addresses=addresses)
    addresses["public"] = "changed"
    assert command.addresses == {
        "private": (Address("fe80::", 6), Address("1.2.3.4", 4)),
        "public": (),
    }


def test_what_is_not_said_of_an_adopted_server() -> None:
    command = registering()
    assert (command.status, command.progress, command.disk_config) == ("ACTIVE", 0, "MANUAL")
    assert (command.access_ipv4, command.access_ipv6, command.host_id) == ("", "", "")
    assert (command.metadata, command.addresses, command.fault) == ({}, {}, None)


@pytest.mark.parametrize("status", ["ACTIVE", "SHUTOFF", "ERROR", "BUILD"])
def test_a_server_is_adopted_in_a_state_that_is_known_here(status: str) -> None:
    assert registering(status=status).status == status


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("server_id", "mine"),
        ("image_id", ""),
        ("name", None),
        ("name", "\ud800"),
        ("project_id", 7),
        ("user_id", None),
        ("host_id", None),
        ("status", "REBUILD"),
        ("status", "PAUSED"),
        ("status", "active"),
        ("disk_config", "manual"),
        ("progress", 101),
        ("progress", -1),
        ("metadata", {"k": 7}),
        ("metadata", None),
        ("access_ipv4", "::1"),
        ("access_ipv6", "1.2.3.4"),
        ("addresses", {"private": (Address("1.2.3.4", 6),)}),
        ("addresses", {"private": (Address("1.2.3.4", 5),)}),
        ("addresses", {"private": (Address("1.2.3.4", 4.0),)}),
        ("addresses", {"private": ({"addr": "1.2.3.4", "version": 4},)}),
        ("addresses", {"private": "1.2.3.4"}),
        ("addresses", {"private": None}),
        ("addresses", {7: ()}),
        ("addresses", "private"),
        ("addresses", None),
        ("access_ipv4", None),
        ("access_ipv6", 0),
        ("created", 1.5),
        ("created", moment.LATEST + 1),
        ("updated", "2012-09-12T17:20:37Z"),
        ("updated", moment.EARLIEST - 1),
        ("fault", "disk full"),
        ("fault", Fault("500", 0, "disk full")),
        ("fault", Fault(True, 0, "disk full")),
        ("fault", Fault(500, "now", "disk full")),
        ("fault", Fault(500, moment.LATEST + 1, "disk full")),
        ("fault", Fault(500, 0, "\ud800")),
    ],
)
def test_nonsense_is_not_adopted(field: str, bad: object) -> None:
    with pytest.raises(InvalidInput) as no:
        registering(**{field: bad})
    assert no.value.field.split(".")[0] == field


def test_a_server_is_adopted_with_its_times_as_datetimes_or_as_whole_numbers() -> None:
    at = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    by_datetime = registering(created=at, updated=at, fault=Fault(500, at, "disk full"))
    second = 1_000_000
    by_number = registering(created=second, updated=second, fault=Fault(500, second, "disk full"))
    assert by_datetime == by_number
    assert by_datetime.members() == by_number.members()
    assert msgspec.convert(by_datetime.members(), RegisterServer) == by_number


# The rest


@pytest.mark.parametrize("bad", [-1, 101, 50.5, "50", True, None])
def test_a_report_says_a_percentage(bad: object) -> None:
    with pytest.raises(InvalidInput, match=r"^percent: "):
        ReportProgress(percent=bad)
    with pytest.raises(InvalidInput, match=r"^progress: "):
        CompleteRebuild(progress=bad)


def test_a_completion_is_to_the_full_unless_it_says_otherwise() -> None:
    assert CompleteRebuild().progress == 100


@pytest.mark.parametrize(
    "report",
    [
        lambda rebuild_id: ReportProgress(percent=1, rebuild_id=rebuild_id),
        lambda rebuild_id: CompleteRebuild(rebuild_id=rebuild_id),
        lambda rebuild_id: FailRebuild(reason="no", rebuild_id=rebuild_id),
    ],
    ids=["progress", "completion", "failure"],
)
def test_a_report_names_its_rebuild_by_a_request_id(report) -> None:
    assert report("req-1").rebuild_id == "req-1"
    for bad in ("", "with space", "r" * 256, None):
        with pytest.raises(InvalidInput, match=r"^rebuild_id: "):
            report(bad)


def test_a_failure_says_its_reason_and_a_known_stage() -> None:
    assert FailRebuild(reason="no").stage == "hypervisor"
    assert FailRebuild(reason="no", stage="scheduling").stage == "scheduling"
    for bad in ("", None, "\ud800"):
        with pytest.raises(InvalidInput, match=r"^reason: "):
            FailRebuild(reason=bad)
    for bad in ("compute", "", None):
        with pytest.raises(InvalidInput, match=r"^stage: "):
            FailRebuild(reason="no", stage=bad)


@pytest.mark.parametrize("bad", ["", " ", "n" * 256, None, 7, "\ud800"])
def test_a_server_is_renamed_to_a_name(bad: object) -> None:
    with pytest.raises(InvalidInput, match=r"^name: "):
        RenameServer(name=bad)


def test_a_change_says_what_and_keeps_the_limits() -> None:
    assert ChangeServer().members() == {}
    for members in ({"name": ""}, {"access_ipv4": ""}, {"access_ipv6": "x"}, {"disk_config": "A"}):
        (member,) = members
        with pytest.raises(InvalidInput, match=f"^{member}: "):
            ChangeServer(**members)
    assert ChangeServer(access_ipv6="FE80::1").members() == {"access_ipv6": "fe80::1"}


@pytest.mark.parametrize("command", [UpdateMetadata, ReplaceMetadata])
@pytest.mark.parametrize(
    "bad", [None, {"": "v"}, {"k" * 256: "v"}, {"k": "v" * 256}, {"k": None}, {7: "v"}]
)
def test_metadata_is_set_within_the_limits(command, bad: object) -> None:
    with pytest.raises(InvalidInput, match=r"^metadata"):
        command(metadata=bad)


@pytest.mark.parametrize(
    "make",
    [
        lambda items: UpdateMetadata(metadata=items),
        lambda items: ReplaceMetadata(metadata=items),
        lambda items: rebuilding(metadata=items),
        lambda items: creating(metadata=items),
        lambda items: registering(metadata=items),
    ],
    ids=["update", "replace", "rebuild", "create", "register"],
)
def test_a_map_changed_afterwards_changes_no_command(make) -> None:
    items = {"key": "value"}
    command = make(items)
    items["key"] = "v" * 300
    assert command.metadata == {"key": "value"}


@pytest.mark.parametrize("bad", [(), ["a"], "a", None, (7,)])
def test_metadata_is_deleted_by_its_keys(bad: object) -> None:
    with pytest.raises(InvalidInput, match=r"^keys: "):
        DeleteMetadata(keys=bad)


@pytest.mark.parametrize("bad", ["SHUTOFF", "BUILD", "active", "", None])
def test_a_state_is_reset_to_active_or_error(bad: object) -> None:
    assert ResetState(state="ACTIVE").state == "ACTIVE"
    assert ResetState(state="ERROR").state == "ERROR"
    with pytest.raises(InvalidInput, match=r"^state: .* came, ACTIVE or ERROR is allowed"):
        ResetState(state=bad)


# Facts from elsewhere


@pytest.mark.parametrize("events", [(), [], [ServerStopped()], None, ("ServerStopped",)])
def test_facts_are_a_tuple_of_at_least_one_event(events) -> None:
    with pytest.raises(InvalidInput, match=r"^events: "):
        RecordFacts(events=events)


def test_a_refusal_is_no_fact() -> None:
    refusal = CommandRefused(server_id=SERVER_ID, kind="stop", members={}, rule="state", why="no")
    with pytest.raises(InvalidInput, match="CommandRefused came"):
        RecordFacts(events=(ServerStopped(), refusal))


def test_facts_begin_no_other_server() -> None:
    facts = RecordFacts(events=(ServerStopped(), registered(server_id=SERVER_ID)))
    assert facts.to(SERVER_ID) is facts
    with pytest.raises(InvalidInput, match=r"^events: "):
        facts.to(IMAGE)


def test_what_was_told_is_no_part_of_what_was_asked() -> None:
    assert RecordFacts(events=(ServerStopped(),)).members() == {}
