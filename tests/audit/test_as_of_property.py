"""For any history and any moment: as of it is the fold of what counted then."""

from hypothesis import given, settings
from hypothesis import strategies as st

from serverdomain import NotFound
from tests.audit.world import SERVERS, World, as_of, bounds, deeds, folded, recorded


def asked(world, server_id, until):
    try:
        return world.servers.get(server_id, as_of=as_of(**until))
    except NotFound:
        return None


@settings(max_examples=settings().max_examples // 5)
@given(deeds, st.data())
def test_as_of_any_moment_is_the_fold_of_what_counted_then(new_log, deeds, data):
    with World(deeds, new_log()) as world:
        rows = world.rows()
        for server_id in SERVERS:
            for _ in range(4):
                until = data.draw(bounds(rows, server_id))
                assert asked(world, server_id, until) == folded(rows, server_id, **until), until


@settings(max_examples=settings().max_examples // 5)
@given(deeds, recorded, st.data())
def test_a_late_fact_changes_what_occurred_by_then_and_never_what_we_knew_then(
    new_log, deeds, late, data
):
    with World(deeds, new_log()) as world:
        before = world.rows()
        moments = [data.draw(bounds(before, late[1])) for _ in range(6)]
        told = [asked(world, late[1], until) for until in moments]
        world.cloud.clock.advance(1)  # What is recorded at one time was known at one time.
        world.do(*late)
        after = world.rows()
        for until, then in zip(moments, told, strict=True):
            now = asked(world, late[1], until)
            if until.keys() == {"occurred_at"}:
                assert now == folded(after, late[1], **until)
            else:
                assert now == then


@settings(max_examples=settings().max_examples // 8)
@given(deeds)
def test_now_is_as_of_the_head_by_every_clock_and_count(new_log, deeds):
    with World(deeds, new_log()) as world:
        rows = world.rows()
        for server_id in SERVERS:
            of_it = [row for row in rows if row.server_id == server_id]
            if not of_it:
                continue
            for name in ("version", "position", "recorded_at", "occurred_at"):
                until = {name: max(getattr(row, name) for row in of_it)}
                assert asked(world, server_id, until) == folded(rows, server_id)
