"""Whatever happens, in whatever pages, and whoever follows or replays meanwhile: rows are folds."""

from contextlib import suppress
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from serverdomain import ServerdomainError
from serverdomain.domain.decisions import decide
from serverdomain.testing import OWNER, registered
from serverdomain.testing import strategies as ours
from tests.projections.cloud import Cloud

SERVERS = (registered().server_id, "155d900f-4e14-4e4c-a73d-069cbf4541e6")

servers = st.sampled_from(SERVERS)
# Few moments, so that facts come late, and at the same time as others.
moments = st.integers(-3, 3).map(lambda seconds: timedelta(seconds=seconds))
recorded = st.tuples(
    st.just("record"), servers, st.lists(ours.events(), min_size=1, max_size=4), moments
)
asked = st.tuples(st.just("ask"), servers, ours.commands(), st.integers(0, 2))
looked = st.sampled_from((("catch up",), ("replay",)))
deeds = st.lists(recorded | asked | looked, max_size=14)


class Played:
    """A cloud and a view, in memory where they can be, that takes pages of some size."""

    def __init__(self, page, url):
        self.cloud = Cloud(url)
        self.start = self.cloud.clock.now
        self.view = self.cloud.view(page=page)
        for server_id in SERVERS:
            self.cloud.servers.record(server_id, [registered(server_id=server_id)])

    def do(self, deed, during):
        match deed:
            case ("record", server_id, events, moment):
                facts = [
                    replace(event, server_id=server_id) if hasattr(event, "server_id") else event
                    for event in events
                ]
                self.cloud.servers.record(server_id, facts, occurred_at=self.start + moment)
            case ("ask", server_id, command, seconds):
                self.cloud.clock.advance(seconds)
                with suppress(ServerdomainError):
                    server = self.cloud.servers.get(server_id)
                    self.cloud.servers.record(server_id, decide(server, command, OWNER, "req-1"))
            case ("catch up",):
                self.view.catch_up()
            case ("replay",):
                self.view.replay(lambda position, head: during and self.do(during.pop(), None))

    def close(self):
        self.view.close()
        self.cloud.servers.close()


@settings(max_examples=settings().max_examples // 2)
@given(deeds, st.lists(recorded | asked | looked, max_size=6), st.integers(1, 6))
def test_rows_are_the_fold_of_each_stream_and_a_replay_changes_nothing(
    new_log, deeds, during, page
):
    # What is done ``during`` a replay is done between two of its pages.
    played = Played(page, new_log())
    try:
        for deed in deeds:
            played.do(deed, during)
            position = played.view.status().position
            assert played.view.servers() == played.cloud.folded(position)
        played.view.catch_up()
        followed = played.view.servers()
        assert followed == played.cloud.folded()
        played.view.replay()
        assert played.view.servers() == followed
    finally:
        played.close()
