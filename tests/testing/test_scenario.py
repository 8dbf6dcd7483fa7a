"""Given, when, then: what holds passes, what does not fails and says how."""

from datetime import UTC, datetime

import pytest

from serverdomain.domain.commands import (
    CompleteRebuild,
    CreateServer,
    DeleteMetadata,
    RebuildServer,
    RenameServer,
    ReportProgress,
    StartServer,
    StopServer,
)
from serverdomain.domain.events import (
    ImageChanged,
    RebuildCompleted,
    RebuildProgressed,
    RebuildRequested,
    ServerDeleted,
    ServerLocked,
    ServerRenamed,
    ServerStopped,
)
from serverdomain.errors import InvalidInput
from serverdomain.testing import ADMIN, READER, given, registered
from tests.domain.table import ANOTHER_IMAGE

START = 1347470436000000
SECOND = 1_000_000


def fails(then, *args: object, **members: object) -> str:
    with pytest.raises(AssertionError) as no:
        then(*args, **members)
    return str(no.value)


# What holds


def test_a_story_is_told_to_its_end() -> None:
    (
        given(registered())
        .when(RebuildServer(image_id=ANOTHER_IMAGE), actor=ADMIN, request_id="req-7")
        .then(RebuildRequested("req-7", ANOTHER_IMAGE, "generated"), ImageChanged(ANOTHER_IMAGE))
        .then_server(status="REBUILD", image_id=ANOTHER_IMAGE)
        .when(StopServer())
        .then_refused("state", "is REBUILD")
        .then_server(status="REBUILD")
    )


def test_facts_follow_each_other_by_a_second_unless_they_say_when() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    given(registered()).then_server(created_micros=START, updated_micros=START)
    given(registered(), ServerStopped()).then_server(updated_micros=START + SECOND)
    given(registered(), (ServerStopped(), at), ServerLocked("owner")).then_server(
        updated_micros=int(at.timestamp() + 1) * SECOND
    )


def test_a_command_follows_by_a_second_unless_it_says_when() -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    renamed = RenameServer(name="another")
    given(registered()).when(renamed).then_server(updated_micros=START + SECOND)
    given(registered()).when(renamed, at=at).then_server(updated=at)


def test_all_events_of_a_command_happen_at_one_time() -> None:
    rebuilt = given(registered()).when(RebuildServer(image_id=ANOTHER_IMAGE, name="another"))
    assert len(rebuilt.events) == 3
    rebuilt.then_server(updated_micros=START + SECOND)


def test_one_story_may_go_on_in_two_ways() -> None:
    story = given(registered())
    story.when(StopServer()).then_server(status="SHUTOFF")
    story.when(RenameServer(name="another")).then_server(status="ACTIVE", name="another")
    story.then_server(status="ACTIVE", name="foobar")


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2030, 1, 1)  # noqa: DTZ001
    with pytest.raises(InvalidInput, match="has no zone"):
        given((registered(), naive))
    with pytest.raises(InvalidInput, match="has no zone"):
        given(registered()).when(StopServer(), at=naive)


def test_what_is_no_rule_of_the_domain_is_not_taken_for_one() -> None:
    with pytest.raises(ValueError, match="id is generated before"):
        given().when(CreateServer(name="x", image_id=ANOTHER_IMAGE, flavor_id="1"))


# What does not


def test_another_event_is_shown_beside_the_expected_one() -> None:
    renamed = given(registered()).when(RenameServer(name="new"))
    lines = fails(renamed.then, ServerRenamed("now")).splitlines()
    assert [line for line in lines if not line.startswith("?")] == [
        "other events happened (- expected, + came):",
        "- ServerRenamed(name='now')",
        "+ ServerRenamed(name='new')",
    ]


def test_an_event_too_many_and_one_too_few_are_shown() -> None:
    stopped = given(registered()).when(StopServer())
    assert "+ ServerStopped()" in fails(stopped.then_nothing)
    unchanged = given(registered()).when(RenameServer(name="foobar"))
    assert "- ServerStopped()" in fails(unchanged.then, ServerStopped())


def test_the_order_of_events_matters() -> None:
    rebuilt = given(registered()).when(RebuildServer(image_id=ANOTHER_IMAGE))
    requested, changed = rebuilt.events
    rebuilt.then(requested, changed)
    assert "other events happened" in fails(rebuilt.then, changed, requested)


def test_a_refusal_where_events_were_expected_says_which_rule_and_why() -> None:
    refused = given(registered(), ServerLocked("owner")).when(StopServer())
    for message in (fails(refused.then, ServerStopped()), fails(refused.then_nothing)):
        assert message.startswith("expected events, but the rule 'lock' refused: server ")


def test_a_refusal_by_another_rule_is_no_such_refusal() -> None:
    refused = given(registered()).when(StopServer(), actor=READER)
    assert fails(refused.then_refused, "lock").startswith(
        "expected a refusal by the rule 'lock', but the rule 'role' refused: "
    )
    assert fails(refused.then_conflict).startswith("expected a conflict, but the rule 'role'")
    assert fails(refused.then_not_found).startswith("expected nothing found, but the rule 'role'")


def test_events_where_a_refusal_was_expected_are_listed() -> None:
    stopped = given(registered()).when(StopServer())
    assert fails(stopped.then_refused, "state") == (
        "expected a refusal by the rule 'state', but these events happened:\n  ServerStopped()"
    )


def test_nothing_where_a_conflict_was_expected_is_told() -> None:
    unchanged = given(registered()).when(RenameServer(name="foobar"))
    assert fails(unchanged.then_conflict) == (
        "expected a conflict, but it was allowed and changed nothing"
    )


def test_a_conflict_and_a_missing_key_are_told_from_refusals() -> None:
    conflict = given(registered()).when(CompleteRebuild()).then_conflict("no rebuild")
    assert "but Conflict came: server " in fails(conflict.then_refused, "state")
    missing = given(registered()).when(DeleteMetadata(keys=("no",))).then_not_found("'no'")
    assert "but NotFound came: server " in fails(missing.then_conflict)


def test_words_that_a_message_lacks_are_named_with_the_message() -> None:
    refused = given(registered()).when(StartServer())
    assert fails(refused.then_refused, "state", "is ACTIVE", "is SHUTOFF").startswith(
        "['is SHUTOFF'] not in: server "
    )


def test_another_server_is_shown_member_by_member() -> None:
    message = fails(given(registered()).then_server, status="SHUTOFF", name="foobar")
    assert message.startswith("the server is another one (- expected, + came):")
    assert "- status='SHUTOFF'" in message
    assert "+ status='ACTIVE'" in message
    assert "  name='foobar'" in message


def test_a_server_that_is_not_there_has_no_members() -> None:
    assert fails(given(ServerStopped()).then_server, status="SHUTOFF") == "the server is not there"


def test_a_member_that_no_server_has_is_a_mistake_in_the_test() -> None:
    with pytest.raises(AttributeError, match="colour"):
        given(registered()).then_server(colour="red")


def test_a_server_that_is_there_is_shown_where_none_was_expected() -> None:
    given().then_no_server()
    given(registered(), ServerDeleted()).then_no_server()
    assert fails(given(registered()).then_no_server).startswith("the server is there: <Server ")


def test_a_rebuild_is_reported_on_in_one_sentence_each() -> None:
    given(registered()).when(RebuildServer(image_id=ANOTHER_IMAGE)).when(
        ReportProgress(percent=40)
    ).then(RebuildProgressed("req-1", 40)).when(CompleteRebuild()).then(RebuildCompleted("req-1"))
