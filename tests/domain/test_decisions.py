"""Every rule: who may do what, in which state, and what happens then."""

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.domain.commands import (
    STATES,
    ChangeServer,
    CompleteRebuild,
    CreateServer,
    DeleteMetadata,
    DeleteServer,
    FailRebuild,
    LockServer,
    RebuildServer,
    RegisterServer,
    RenameServer,
    ReplaceMetadata,
    ReportBuilt,
    ReportProgress,
    ResetState,
    StartServer,
    StopServer,
    UnlockServer,
    UpdateMetadata,
)
from serverdomain.domain.decisions import decide, require_project, require_there
from serverdomain.domain.events import (
    AccessAddressesChanged,
    Address,
    DiskConfigChanged,
    Event,
    Fault,
    ImageChanged,
    MetadataReplaced,
    RebuildCompleted,
    RebuildFailed,
    RebuildProgressed,
    RebuildRequested,
    ServerBuilt,
    ServerDeleted,
    ServerLocked,
    ServerRegistered,
    ServerRenamed,
    ServerStarted,
    ServerStopped,
    ServerUnlocked,
    StateReset,
)
from serverdomain.domain.server import Server, evolve, fold
from serverdomain.errors import Conflict, InvalidInput, NotFound, Refused, ServerdomainError
from serverdomain.testing import ADMIN, OWNER, READER, Scenario, given, registered, strategies
from tests.domain.table import (
    ANOTHER_IMAGE,
    CALLERS,
    CALLS,
    IMAGE,
    SITUATIONS,
    Now,
    every_case,
    verdict,
)
from tests.domain.world import World

SERVER_ID = registered().server_id
OTHER_MEMBER = Actor("demo", "demo")
REBUILDING = (registered(), RebuildRequested("req-1", IMAGE, "generated"))


def given_now(now: Now) -> Scenario:
    facts: list[Event] = [registered(state=now.state)]
    if now.under_way:
        facts.append(RebuildRequested("req-0", IMAGE, "generated"))
    if now.locked_by == "owner":
        facts.append(ServerLocked("owner"))
    if now.locked_by == "admin":
        facts.append(ServerLocked("admin"))
    return given(*facts)


def seen(server: Server | None) -> Now:
    assert server is not None
    return Now(server.state, server.rebuild is not None, server.locked_by, not server.deleted)


def came_of(server: Server | None, call: str, actor: Actor, request_id: str) -> tuple[str, Now]:
    try:
        decision = decide(server, CALLS[call], actor, request_id)
    except Refused as no:
        return no.rule, seen(server)
    except Conflict:
        return "conflict", seen(server)
    except NotFound:
        return "not found", seen(server)
    after = fold([(event, 1) for event in decision], server)
    return ("done" if decision else "nothing"), seen(after)


# The table of states and locks


@pytest.mark.parametrize(
    ("call", "now", "caller"),
    [
        pytest.param(call, now, caller, id=f"{caller} asks to {call} in {now}")
        for call, now, caller in every_case()
    ],
)
def test_what_a_call_comes_to_is_what_the_table_says(call: str, now: Now, caller: str) -> None:
    actor = CALLERS[caller]
    assert came_of(given_now(now).server, call, actor, "req-1") == verdict(call, now, actor)


class AnyWayThroughTheTable(RuleBasedStateMachine):
    """Whatever is asked, in whatever order, the server is where the table says, or nowhere new."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.now = Now("BUILD")
        self.asked = 0

    @initialize(state=st.sampled_from(STATES))
    def begin(self, state: str) -> None:
        self.world.record((registered(state=state),), 0)
        self.world.recorded = self.world.server
        self.now = Now(state)

    @rule(
        call=st.sampled_from(sorted(set(CALLS) - {"delete"})),
        caller=st.sampled_from(sorted(CALLERS)),
    )
    def ask(self, call: str, caller: str) -> None:
        if "metadata" in call or call in ("rename", "change"):
            # Otherwise the second of them would change nothing, which the table does not know.
            before = (
                MetadataReplaced({"meta var": "meta val"}),
                ServerRenamed("foobar"),
                DiskConfigChanged("MANUAL"),
            )
            self.world.record(before, self.asked)
            self.world.recorded = self.world.server
        self._ask(call, caller)

    # Work goes on more often than it is stopped, so that rebuilds get under way.
    @rule(
        call=st.sampled_from(("rebuild", "rebuild", "complete", "fail", "unlock")),
        caller=st.sampled_from(("owner", "administrator")),
    )
    def go_on(self, call: str, caller: str) -> None:
        self._ask(call, caller)

    # Late, because little happens afterwards.
    @precondition(lambda self: self.asked > 25)
    @rule(caller=st.sampled_from(sorted(CALLERS)))
    def delete(self, caller: str) -> None:
        self._ask("delete", caller)

    def _ask(self, call: str, caller: str) -> None:
        self.asked += 1
        actor = CALLERS[caller]
        came = came_of(self.world.recorded, call, actor, f"req-{self.asked}")
        expected = verdict(call, self.now, actor)
        assert came == expected
        self.now = expected[1]
        if came[0] == "done":
            self.world.ask(CALLS[call], actor, f"req-{self.asked}", self.asked)

    @precondition(lambda self: self.now.under_way)
    @rule(percent=st.integers(0, 100))
    def report_progress(self, percent: int) -> None:
        self.asked += 1
        self.world.ask(ReportProgress(percent=percent), SYSTEM, f"req-{self.asked}", self.asked)

    @invariant()
    def is_where_the_table_says(self) -> None:
        assert seen(self.world.server) == self.now
        assert self.now._replace(there=True) in SITUATIONS

    @invariant()
    def is_folded_as_it_was_recorded(self) -> None:
        assert self.world.server == self.world.recorded


TestAnyWayThroughTheTable = AnyWayThroughTheTable.TestCase
TestAnyWayThroughTheTable.settings = settings(max_examples=250, stateful_step_count=40)


# Who may act


@pytest.mark.parametrize("call", CALLS)
def test_nobody_acts_without_the_role_member_or_admin(call: str) -> None:
    given(registered()).when(CALLS[call], actor=READER).then_refused(
        "role", "'fake' may not", "['reader'] came", "member or admin is allowed"
    )


def test_a_reader_may_neither_register_nor_create(register: RegisterServer) -> None:
    given().when(register, actor=READER).then_refused("role", "may not register")
    given().when(a_creation(), actor=READER).then_refused("role", "may not create")


def test_a_server_that_is_not_there_comes_before_the_role_as_in_nova() -> None:
    given().when(StopServer(), actor=READER).then_not_found()


def test_the_embedding_service_may_act_and_passes_no_lock() -> None:
    given(registered()).when(StopServer(), actor=SYSTEM).then(ServerStopped())
    given(registered(), ServerLocked("owner")).when(StopServer(), actor=SYSTEM).then_refused("lock")


def test_who_may_reach_one_project_finds_no_server_of_another() -> None:
    server = given(registered()).server
    assert server is not None
    with pytest.raises(NotFound) as no:
        require_project(server, "another")
    assert str(no.value) == f"server {server.id} is not there"
    for there, project_id in [(server, server.project_id), (server, None), (None, "another")]:
        require_project(there, project_id)
    with pytest.raises(InvalidInput, match=r"^project_id: "):
        require_project(server, "\ud800")


def test_who_needs_a_server_finds_none_before_its_beginning_and_behind_its_end() -> None:
    server = given(registered()).server
    assert server is not None
    assert require_there(server, server.id) is server
    for gone in (None, given(registered(), ServerDeleted()).server):
        with pytest.raises(NotFound) as no:
            require_there(gone, server.id)
        assert str(no.value) == f"server {server.id} is not there"


@pytest.mark.parametrize("call", CALLS)
def test_a_server_that_never_began_is_not_found(call: str) -> None:
    given().when(CALLS[call], actor=ADMIN).then_not_found("no such server")


@pytest.mark.parametrize("call", CALLS)
def test_a_deleted_server_is_not_found(call: str) -> None:
    given(registered(), ServerDeleted()).when(CALLS[call], actor=ADMIN).then_not_found(
        "no such server"
    )


# The order of refusal


def test_a_lock_refuses_before_the_state_does() -> None:
    given(registered(state="BUILD"), ServerLocked("owner")).when(
        RebuildServer(image_id=IMAGE)
    ).then_refused("lock", SERVER_ID, "locked by its owner", "['member'] came", "admin passes")


def test_the_state_refuses_before_the_image_does() -> None:
    given(registered(state="BUILD")).when(
        RebuildServer(image_id=IMAGE, image_known=False)
    ).then_refused("state")


def test_the_image_refuses_before_the_quota_does() -> None:
    too_many = {str(number): "" for number in range(129)}
    given(registered()).when(
        RebuildServer(image_id=IMAGE, image_known=False, metadata=too_many)
    ).then_refused("image", IMAGE, "is unknown")


def test_a_refused_state_is_named_with_those_that_are_allowed() -> None:
    given(*REBUILDING).when(RebuildServer(image_id=IMAGE)).then_refused(
        "state", SERVER_ID, "is REBUILD", "rebuild is allowed in ACTIVE, SHUTOFF, ERROR"
    )
    given(registered(state="SHUTOFF")).when(StopServer()).then_refused(
        "state", "is SHUTOFF", "stop is allowed in ACTIVE, ERROR"
    )
    given(registered()).when(StartServer()).then_refused(
        "state", "is ACTIVE", "start is allowed in SHUTOFF"
    )
    given(registered(state="ERROR")).when(ReplaceMetadata(metadata={})).then_refused(
        "state", "is ERROR", "ACTIVE or SHUTOFF"
    )


# Rebuild


def test_a_rebuild_that_changes_everything_says_so_in_this_order() -> None:
    given(registered()).when(
        RebuildServer(
            image_id=ANOTHER_IMAGE,
            name="another",
            metadata={"key": "value"},
            access_ipv4="5.6.7.8",
            access_ipv6="2001:db8::1",
            disk_config="AUTO",
            admin_pass="seekr3t",
        )
    ).then(
        RebuildRequested("req-1", ANOTHER_IMAGE, "given"),
        ImageChanged(ANOTHER_IMAGE),
        ServerRenamed("another"),
        MetadataReplaced({"key": "value"}),
        AccessAddressesChanged("5.6.7.8", "2001:db8::1"),
        DiskConfigChanged("AUTO"),
    ).then_server(
        status="REBUILD",
        state="ACTIVE",
        progress=0,
        image_id=ANOTHER_IMAGE,
        name="another",
        metadata={"key": "value"},
        access_ipv4="5.6.7.8",
        access_ipv6="2001:db8::1",
        disk_config="AUTO",
    )


def test_a_rebuild_that_changes_nothing_is_still_recorded() -> None:
    given(registered()).when(
        RebuildServer(
            image_id=IMAGE,
            name="foobar",
            metadata={"meta var": "meta val"},
            access_ipv4="1.2.3.4",
            access_ipv6="fe80::100",
            disk_config="MANUAL",
        ),
        request_id="req-7",
    ).then(RebuildRequested("req-7", IMAGE, "generated")).then_server(status="REBUILD")


def test_what_a_rebuild_does_not_name_is_kept() -> None:
    before = given(registered()).server
    assert before is not None
    given(registered()).when(RebuildServer(image_id=ANOTHER_IMAGE)).then(
        RebuildRequested("req-1", ANOTHER_IMAGE, "generated"), ImageChanged(ANOTHER_IMAGE)
    ).then_server(
        name=before.name,
        metadata=before.metadata,
        access_ipv4=before.access_ipv4,
        access_ipv6=before.access_ipv6,
        disk_config=before.disk_config,
        addresses=before.addresses,
        host_id=before.host_id,
        flavor_id=before.flavor_id,
        created=before.created,
    )


def test_a_rebuild_with_an_empty_map_takes_all_metadata_away() -> None:
    given(registered()).when(RebuildServer(image_id=IMAGE, metadata={})).then(
        RebuildRequested("req-1", IMAGE, "generated"), MetadataReplaced({})
    ).then_server(metadata={})


def test_a_rebuild_replaces_the_metadata_whole() -> None:
    given(registered(metadata={"kept": "no", "same": "yes"})).when(
        RebuildServer(image_id=IMAGE, metadata={"same": "yes"})
    ).then(RebuildRequested("req-1", IMAGE, "generated"), MetadataReplaced({"same": "yes"}))


@pytest.mark.parametrize(
    ("given_addresses", "changed"),
    [
        ({"access_ipv4": "5.6.7.8"}, AccessAddressesChanged(access_ipv4="5.6.7.8")),
        ({"access_ipv6": "::1"}, AccessAddressesChanged(access_ipv6="::1")),
        (
            {"access_ipv4": "5.6.7.8", "access_ipv6": "fe80::100"},
            AccessAddressesChanged(access_ipv4="5.6.7.8"),
        ),
        (
            {"access_ipv4": "1.2.3.4", "access_ipv6": "::1"},
            AccessAddressesChanged(access_ipv6="::1"),
        ),
    ],
)
def test_of_the_access_addresses_those_that_changed_are_recorded(
    given_addresses: dict[str, str], changed: AccessAddressesChanged
) -> None:
    given(registered()).when(RebuildServer(image_id=IMAGE, **given_addresses)).then(
        RebuildRequested("req-1", IMAGE, "generated"), changed
    )


def test_a_rebuild_knows_only_whether_a_password_was_given() -> None:
    given(registered()).when(RebuildServer(image_id=IMAGE, admin_pass="")).then(
        RebuildRequested("req-1", IMAGE, "given")
    )


def test_a_rebuild_takes_128_metadata_items_and_refuses_129() -> None:
    items = {str(number): "" for number in range(128)}
    given(registered()).when(RebuildServer(image_id=IMAGE, metadata=items)).then(
        RebuildRequested("req-1", IMAGE, "generated"), MetadataReplaced(items)
    )
    given(registered()).when(
        RebuildServer(image_id=IMAGE, metadata=items | {"x": ""})
    ).then_refused("quota", "129 metadata items came, at most 128 are allowed")


def test_a_rebuild_keeps_adopted_metadata_beyond_the_quota() -> None:
    items = {str(number): "" for number in range(200)}
    given(registered(metadata=items)).when(RebuildServer(image_id=IMAGE)).then(
        RebuildRequested("req-1", IMAGE, "generated")
    )


@pytest.mark.parametrize(
    ("state", "after"), [("ACTIVE", "ACTIVE"), ("SHUTOFF", "SHUTOFF"), ("ERROR", "ACTIVE")]
)
def test_a_rebuild_that_ends_well_returns_the_server_to(state: str, after: str) -> None:
    given(registered(state=state)).when(RebuildServer(image_id=IMAGE)).when(CompleteRebuild()).then(
        RebuildCompleted("req-1", 100)
    ).then_server(status=after, progress=100, rebuild=None)


@pytest.mark.parametrize("state", ["ACTIVE", "SHUTOFF", "ERROR"])
@pytest.mark.parametrize("stage", ["scheduling", "hypervisor"])
def test_a_rebuild_that_fails_leaves_the_server_in_error_with_its_reason(
    state: str, stage: str
) -> None:
    failed = (
        given(registered(state=state))
        .when(RebuildServer(image_id=IMAGE))
        .when(FailRebuild(reason="No valid host was found.", stage=stage))
    )
    failed.then(RebuildFailed("req-1", stage, "No valid host was found."))
    failed.then_server(
        status="ERROR",
        rebuild=None,
        fault=Fault(500, 1347470438000000, "No valid host was found."),
    )


def test_a_failure_is_the_hypervisors_unless_it_says_otherwise() -> None:
    given(*REBUILDING).when(FailRebuild(reason="disk full")).then(
        RebuildFailed("req-1", "hypervisor", "disk full")
    )


def test_a_rebuild_that_cannot_be_scheduled_takes_the_image_back_and_nothing_else() -> None:
    given(registered()).when(RebuildServer(image_id=ANOTHER_IMAGE, name="another")).when(
        FailRebuild(reason="No valid host was found.", stage="scheduling")
    ).then(
        RebuildFailed("req-1", "scheduling", "No valid host was found."), ImageChanged(IMAGE)
    ).then_server(image_id=IMAGE, name="another", status="ERROR")


def test_a_rebuild_that_fails_on_its_host_keeps_the_new_image() -> None:
    given(registered()).when(RebuildServer(image_id=ANOTHER_IMAGE)).when(
        FailRebuild(reason="disk full", stage="hypervisor")
    ).then(RebuildFailed("req-1", "hypervisor", "disk full")).then_server(image_id=ANOTHER_IMAGE)


def test_a_failed_server_rebuilds_again_and_is_named_by_the_new_request() -> None:
    given(registered()).when(RebuildServer(image_id=IMAGE)).when(FailRebuild(reason="no")).when(
        RebuildServer(image_id=IMAGE), request_id="req-2"
    ).then(RebuildRequested("req-2", IMAGE, "generated")).when(CompleteRebuild()).then(
        RebuildCompleted("req-2")
    )


# Progress, completion, failure


def test_progress_is_recorded_when_it_grows() -> None:
    given(*REBUILDING).when(ReportProgress(percent=40)).then(
        RebuildProgressed("req-1", 40)
    ).then_server(progress=40, status="REBUILD")


@pytest.mark.parametrize("percent", [0, 39, 40])
def test_a_late_report_of_progress_changes_nothing(percent: int) -> None:
    given(*REBUILDING, RebuildProgressed("req-1", 40)).when(
        ReportProgress(percent=percent)
    ).then_nothing().then_server(progress=40)


def test_a_rebuild_may_end_at_a_progress_that_is_said() -> None:
    given(*REBUILDING).when(CompleteRebuild(progress=0)).then(
        RebuildCompleted("req-1", 0)
    ).then_server(status="ACTIVE", progress=0)


REPORTS = [
    lambda rebuild_id: ReportProgress(percent=40, rebuild_id=rebuild_id),
    lambda rebuild_id: CompleteRebuild(rebuild_id=rebuild_id),
    lambda rebuild_id: FailRebuild(reason="no", rebuild_id=rebuild_id),
]


@pytest.mark.parametrize("report", REPORTS, ids=["progress", "completion", "failure"])
def test_a_report_may_name_its_rebuild(report) -> None:
    named = given(*REBUILDING).when(report("req-1"))
    assert [event.rebuild_id for event in named.events] == ["req-1"]


@pytest.mark.parametrize("report", REPORTS, ids=["progress", "completion", "failure"])
def test_a_report_on_another_rebuild_is_a_conflict(report) -> None:
    given(*REBUILDING).when(report("req-2")).then_conflict(
        SERVER_ID, "is REBUILD", "req-1 is under way", "req-2 is not"
    )


@pytest.mark.parametrize("report", REPORTS, ids=["progress", "completion", "failure"])
def test_a_report_on_no_rebuild_is_a_conflict(report) -> None:
    given(registered(state="SHUTOFF")).when(report("req-1")).then_conflict(
        SERVER_ID, "is SHUTOFF", "no rebuild is under way"
    )


def test_a_report_passes_a_lock() -> None:
    given(*REBUILDING, ServerLocked("admin")).when(ReportProgress(percent=1), actor=SYSTEM).then(
        RebuildProgressed("req-1", 1)
    )
    given(*REBUILDING, ServerLocked("admin")).when(CompleteRebuild(), actor=SYSTEM).then(
        RebuildCompleted("req-1")
    )


@pytest.mark.parametrize("end", [StateReset("ACTIVE"), StateReset("ERROR")])
def test_what_ends_a_rebuild_ends_its_reports(end: StateReset) -> None:
    given(*REBUILDING, end).when(CompleteRebuild()).then_conflict("no rebuild is under way")


# Name and metadata


def test_a_server_is_renamed_in_any_state_and_through_a_lock() -> None:
    given(*REBUILDING, ServerLocked("admin")).when(RenameServer(name="another")).then(
        ServerRenamed("another")
    ).then_server(name="another")


def test_the_same_name_again_changes_nothing() -> None:
    given(registered()).when(RenameServer(name="foobar")).then_nothing()


def test_what_is_set_on_a_server_changes_without_a_rebuild_and_only_where_it_differs() -> None:
    given(registered(disk_config="MANUAL")).when(
        ChangeServer(name="foobar", access_ipv4="1.2.3.5", disk_config="AUTO")
    ).then(AccessAddressesChanged("1.2.3.5"), DiskConfigChanged("AUTO"))
    given(registered()).when(ChangeServer(name="another")).then(ServerRenamed("another"))
    given(registered()).when(ChangeServer(name="foobar", disk_config="MANUAL")).then_nothing()


def test_merging_metadata_sets_what_is_given_and_keeps_the_rest() -> None:
    given(registered(metadata={"a": "1", "b": "2"})).when(
        UpdateMetadata(metadata={"b": "3", "c": "4"})
    ).then(MetadataReplaced({"a": "1", "b": "3", "c": "4"}))


@pytest.mark.parametrize(
    "command",
    [
        UpdateMetadata(metadata={"meta var": "meta val"}),
        UpdateMetadata(metadata={}),
        ReplaceMetadata(metadata={"meta var": "meta val"}),
    ],
)
def test_the_same_metadata_again_changes_nothing(command) -> None:
    given(registered()).when(command).then_nothing()


def test_replacing_metadata_leaves_nothing_of_what_was_there() -> None:
    given(registered()).when(ReplaceMetadata(metadata={"new": "map"})).then(
        MetadataReplaced({"new": "map"})
    )


def test_metadata_keys_are_deleted_together() -> None:
    given(registered(metadata={"a": "1", "b": "2", "c": "3"})).when(
        DeleteMetadata(keys=("a", "c"))
    ).then(MetadataReplaced({"b": "2"}))


def test_deleting_an_unknown_metadata_key_finds_nothing() -> None:
    given(registered()).when(DeleteMetadata(keys=("meta var", "no\nsuch"))).then_not_found(
        SERVER_ID, r"'no\nsuch'"
    )


@pytest.mark.parametrize(
    ("there", "asked", "then"),
    [
        (127, UpdateMetadata(metadata={"x": ""}), 128),
        (0, ReplaceMetadata(metadata={str(n): "" for n in range(128)}), 128),
    ],
)
def test_a_server_may_have_128_metadata_items(there: int, asked, then: int) -> None:
    changed = given(registered(metadata={str(n): "" for n in range(there)})).when(asked)
    assert [len(event.metadata) for event in changed.events] == [then]


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        (128, UpdateMetadata(metadata={"x": ""})),
        (0, ReplaceMetadata(metadata={str(n): "" for n in range(129)})),
    ],
)
def test_a_server_may_not_get_a_129th_metadata_item(there: int, asked) -> None:
    given(registered(metadata={str(n): "" for n in range(there)})).when(asked).then_refused(
        "quota", "129 metadata items came, at most 128"
    )


def test_an_item_of_128_may_still_be_changed() -> None:
    items = {str(n): "" for n in range(128)}
    given(registered(metadata=items)).when(UpdateMetadata(metadata={"0": "new"})).then(
        MetadataReplaced(items | {"0": "new"})
    )


def test_items_may_be_deleted_where_more_were_adopted_than_a_request_may_set() -> None:
    items = {str(n): "" for n in range(200)}
    kept = {key: value for key, value in items.items() if key != "7"}
    given(registered(metadata=items)).when(DeleteMetadata(keys=("7",))).then(MetadataReplaced(kept))


def test_metadata_is_refused_by_the_state_before_the_quota() -> None:
    given(registered(state="ERROR")).when(
        ReplaceMetadata(metadata={str(n): "" for n in range(129)})
    ).then_refused("state")


# Locks


def test_a_locked_server_refuses_its_owner_but_not_an_administrator() -> None:
    locked = given(registered(), ServerLocked("owner"))
    locked.when(StopServer()).then_refused("lock")
    locked.when(StopServer(), actor=ADMIN).then(ServerStopped())


def test_a_lock_is_its_owners_where_the_caller_is_of_the_servers_project() -> None:
    given(registered()).when(LockServer()).then(ServerLocked("owner"))
    in_the_project = Actor("root", "openstack", ("admin",))
    given(registered()).when(LockServer(), actor=in_the_project).then(ServerLocked("owner"))


def test_a_lock_is_an_administrators_where_the_caller_is_of_another_project() -> None:
    given(registered()).when(LockServer(), actor=ADMIN).then(ServerLocked("admin"))
    given(registered(), ServerLocked("owner")).when(LockServer(), actor=ADMIN).then(
        ServerLocked("admin")
    )


def test_an_administrators_lock_stays_one_when_the_owner_locks_again() -> None:
    given(registered(), ServerLocked("admin")).when(LockServer()).then_nothing().then_server(
        locked_by="admin"
    )


@pytest.mark.parametrize(("locked_by", "actor"), [("owner", OWNER), ("admin", ADMIN)])
def test_the_same_lock_again_changes_nothing(locked_by: str, actor: Actor) -> None:
    given(registered(), ServerLocked(locked_by)).when(LockServer(), actor=actor).then_nothing()


def test_an_administrators_lock_is_undone_by_administrators_alone() -> None:
    locked = given(registered(), ServerLocked("admin"))
    locked.when(UnlockServer()).then_refused(
        "role", SERVER_ID, "['member'] came", "admin is allowed"
    )
    locked.when(UnlockServer(), actor=ADMIN).then(ServerUnlocked()).then_server(locked_by=None)


def test_an_owners_lock_is_undone_by_the_owner() -> None:
    given(registered(), ServerLocked("owner")).when(UnlockServer()).then(ServerUnlocked())


@pytest.mark.parametrize("actor", [OWNER, ADMIN])
def test_unlocking_what_is_not_locked_changes_nothing(actor: Actor) -> None:
    given(registered()).when(UnlockServer(), actor=actor).then_nothing()


# Power, reset, deletion


@pytest.mark.parametrize("state", ["ACTIVE", "ERROR"])
def test_a_server_is_stopped_at_once(state: str) -> None:
    given(registered(state=state)).when(StopServer()).then(ServerStopped()).then_server(
        status="SHUTOFF"
    )


def test_a_server_is_started_at_once() -> None:
    given(registered(state="SHUTOFF")).when(StartServer()).then(ServerStarted()).then_server(
        status="ACTIVE"
    )


@pytest.mark.parametrize("state", ["ACTIVE", "ERROR"])
def test_a_reset_says_the_state_and_ends_a_rebuild(state: str) -> None:
    given(*REBUILDING).when(ResetState(state=state), actor=ADMIN).then(
        StateReset(state)
    ).then_server(status=state, rebuild=None)


def test_a_reset_is_administrators_alone() -> None:
    given(registered()).when(ResetState(state="ERROR")).then_refused(
        "role", "'fake' may not reset a state", "['member'] came", "admin is allowed"
    )


@pytest.mark.parametrize("state", ["ACTIVE", "ERROR"])
def test_a_reset_to_the_state_that_it_is_in_changes_nothing(state: str) -> None:
    given(registered(state=state)).when(ResetState(state=state), actor=ADMIN).then_nothing()


def test_a_server_reset_into_error_shows_its_last_fault() -> None:
    given(*REBUILDING).when(FailRebuild(reason="disk full")).when(
        ResetState(state="ACTIVE"), actor=ADMIN
    ).when(ResetState(state="ERROR"), actor=ADMIN).then(StateReset("ERROR")).then_server(
        fault=Fault(500, 1347470438000000, "disk full")
    )


def test_a_deletion_ends_a_rebuild_and_the_server() -> None:
    given(*REBUILDING).when(DeleteServer()).then(ServerDeleted()).then_server(
        rebuild=None, deleted=True
    ).then_no_server()


# Beginnings


@pytest.fixture
def register() -> RegisterServer:
    return RegisterServer(
        server_id=SERVER_ID,
        name="foobar",
        project_id="openstack",
        user_id="fake",
        image_id=IMAGE,
        flavor_id="1",
        created=1347470436000000,
        updated=1347470437000000,
        status="ERROR",
        metadata={"meta var": "meta val"},
        addresses={"private": (Address("192.168.0.3", 4),)},
        access_ipv4="1.2.3.4",
        access_ipv6="fe80::100",
        host_id="host",
        progress=33,
        disk_config="AUTO",
        fault=Fault(500, 5, "disk full"),
    )


def a_creation(**more) -> CreateServer:
    return CreateServer(
        **{"server_id": SERVER_ID, "name": "foobar", "image_id": IMAGE, "flavor_id": "1"} | more
    )


def test_a_server_is_adopted_as_it_is(register: RegisterServer) -> None:
    given().when(register).then(
        ServerRegistered(
            server_id=SERVER_ID,
            name="foobar",
            project_id="openstack",
            user_id="fake",
            image_id=IMAGE,
            flavor_id="1",
            state="ERROR",
            metadata={"meta var": "meta val"},
            addresses={"private": (Address("192.168.0.3", 4),)},
            access_ipv4="1.2.3.4",
            access_ipv6="fe80::100",
            host_id="host",
            progress=33,
            disk_config="AUTO",
            created=1347470436000000,
            fault=Fault(500, 5, "disk full"),
        )
    )


@pytest.mark.parametrize("facts", [(registered(),), (registered(), ServerDeleted())])
def test_an_id_that_is_or_was_in_the_log_begins_no_second_server(
    register: RegisterServer, facts
) -> None:
    status = "deleted" if len(facts) == 2 else "ACTIVE"
    given(*facts).when(register).then_conflict(SERVER_ID, f"is {status}", "registered once")
    given(*facts).when(a_creation()).then_conflict(SERVER_ID, f"is {status}", "created once")


def test_a_created_server_is_its_callers_and_in_build() -> None:
    given().when(
        a_creation(
            metadata={"a": "b"}, access_ipv4="1.2.3.4", access_ipv6="::1", disk_config="AUTO"
        ),
        actor=OTHER_MEMBER,
    ).then_server(
        id=SERVER_ID,
        status="BUILD",
        name="foobar",
        project_id="demo",
        user_id="demo",
        image_id=IMAGE,
        flavor_id="1",
        metadata={"a": "b"},
        access_ipv4="1.2.3.4",
        access_ipv6="::1",
        disk_config="AUTO",
        progress=0,
        created_micros=1347470436000000,
        fault=None,
    )


def test_a_created_server_has_nothing_that_nobody_said() -> None:
    given().when(a_creation()).then_server(
        metadata={}, access_ipv4="", access_ipv6="", disk_config="MANUAL"
    )


def test_a_created_server_has_one_private_address_made_from_its_id() -> None:
    given().when(a_creation()).then_server(addresses={"private": (Address("10.154.137.72", 4),)})


def test_a_created_servers_host_id_is_made_as_nova_makes_it() -> None:
    # echo -n openstackcompute | sha224sum
    given().when(a_creation()).then_server(
        host_id="0fa999de679d9a341585c30bf4057688bb5b9b67bd286b0ff5ef58cd"
    )


@for_any(st.uuids())
def test_a_private_address_is_always_a_hosts(server_id) -> None:
    server = given().when(a_creation(server_id=str(server_id))).server
    assert server is not None
    (address,) = server.addresses["private"]
    parts = [int(part) for part in address.addr.split(".")]
    assert parts[0] == 10
    assert len(parts) == 4
    assert all(0 <= part <= 255 for part in parts)
    assert 1 <= parts[3] <= 254


def test_a_creation_of_an_unknown_flavor_is_wrong_whatever_its_image() -> None:
    with pytest.raises(InvalidInput, match=r"^flavor_id: '1' came, the id of a flavor that exists"):
        decide(None, a_creation(flavor_known=False, image_known=False), OWNER, "req-1")


def test_a_creation_is_refused_an_unknown_image_before_too_many_items() -> None:
    items = {str(number): "" for number in range(129)}
    given().when(a_creation(image_known=False, metadata=items)).then_refused("image", IMAGE)
    given().when(a_creation(metadata=items)).then_refused("quota", "129")


def test_a_creation_is_decided_once_it_has_an_id() -> None:
    with pytest.raises(ValueError, match="id is generated before"):
        decide(None, CreateServer(name="x", image_id=IMAGE, flavor_id="1"), OWNER, "req-1")


def test_a_created_server_is_up_when_it_is_reported_built() -> None:
    given().when(a_creation()).when(ReportBuilt()).then(ServerBuilt()).then_server(status="ACTIVE")


def test_only_a_server_in_build_is_reported_built() -> None:
    given(registered()).when(ReportBuilt()).then_conflict(
        SERVER_ID, "is ACTIVE", "only a server that is BUILD"
    )


# Any command on any server


def there(history: list[tuple[Event, int]], percent: int | None) -> Server:
    kept = [(event, at) for event, at in history if not isinstance(event, ServerDeleted)]
    if percent is not None:
        kept.append((RebuildRequested("req-1", IMAGE, "given"), kept[-1][1]))
        kept.append((RebuildProgressed("req-1", percent), kept[-1][1]))
    server = fold(kept)
    assert server is not None
    return server


# As often with a rebuild under way as its rules are many.
SERVERS = st.builds(there, strategies.histories(), st.none() | st.integers(0, 100))


@settings(max_examples=250)
@for_any(SERVERS, strategies.commands(), strategies.actors())
def test_every_event_of_a_decision_changes_the_server(server, command, actor) -> None:
    try:
        decision = decide(server, command, actor, "req-new")
    except ServerdomainError:
        return
    for event in decision:
        after = evolve(server, event, server.updated_micros)
        assert after != server
        assert after is not None
        server = after


@settings(max_examples=250)
@for_any(SERVERS, strategies.commands(), strategies.actors())
def test_a_command_never_happens_twice_in_a_row(server, command, actor) -> None:
    try:
        decision = decide(server, command, actor, "req-new")
    except ServerdomainError:
        return
    server = fold([(event, server.updated_micros) for event in decision], server)
    try:
        again = decide(server, command, actor, "req-newer")
    except ServerdomainError:
        assert isinstance(
            command,
            RebuildServer
            | CompleteRebuild
            | FailRebuild
            | ReportBuilt
            | DeleteMetadata
            | StopServer
            | StartServer
            | DeleteServer,
        )
    else:
        assert again == ()


@for_any(strategies.histories(), strategies.commands(), strategies.actors())
def test_a_decision_asks_nothing_but_its_arguments_and_leaves_them_alone(
    history, command, actor
) -> None:
    server = fold(history)
    before = repr((server, command, actor))

    def decided() -> object:
        try:
            return decide(server, command, actor, "req-new")
        except ServerdomainError as no:
            return type(no), str(no)

    assert decided() == decided()
    assert repr((server, command, actor)) == before


@for_any(strategies.histories(), strategies.commands(), strategies.actors())
def test_whatever_is_said_no_to_is_said_in_one_line(history, command, actor) -> None:
    try:
        decide(fold(history), command, actor, "req-new")
        said = "nothing against it"
    except ServerdomainError as no:
        said = str(no)
    assert len(said.splitlines()) == 1
