"""Any history of a few servers, in a log, and what the log's rows say of it."""

from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple
from uuid import uuid4

from hypothesis import strategies as st
from msgspec.structs import replace

from serverdomain import AsOf, ServerdomainError
from serverdomain.domain import moment
from serverdomain.domain.decisions import decide
from serverdomain.domain.server import fold
from serverdomain.store.codec import CODEC
from serverdomain.testing import OWNER, registered
from serverdomain.testing import strategies as ours
from tests.projections.cloud import Cloud
from tests.store.owner import tables_of

SERVERS = (registered().server_id, "155d900f-4e14-4e4c-a73d-069cbf4541e6")

servers = st.sampled_from(SERVERS)
# Few moments, so that facts come late, early, and at the same time as others.
recorded = st.tuples(
    st.just("record"),
    servers,
    st.lists(ours.events(), min_size=1, max_size=4),
    st.integers(-3, 3),
    st.integers(0, 2),
)
asked = st.tuples(st.just("ask"), servers, ours.commands(), st.just(0), st.integers(0, 2))
# What stands in the log and happened to no server: a refusal, and another application's event.
beside = st.tuples(
    st.just("beside"), servers, st.sampled_from(("refused", "foreign")), st.just(0), st.just(0)
)
deeds = st.lists(recorded | asked | beside, max_size=12)


class Row(NamedTuple):
    """What the log says of an event; times in microseconds."""

    server_id: str
    version: int
    position: int
    recorded_at: int
    occurred_at: int
    event: object


class World:
    """A cloud, if not in memory, with two servers, of which one is there from the beginning."""

    def __init__(self, deeds=(), url="memory:"):
        self.cloud = Cloud(url)
        self.servers = self.cloud.servers
        self.start = self.cloud.clock.now
        self.servers.record(SERVERS[0], [registered(server_id=SERVERS[0])])
        for deed in deeds:
            self.do(*deed)

    def do(self, what, server_id, given, seconds, later):
        self.cloud.clock.advance(later)
        if what == "record":
            facts = [
                replace(event, server_id=server_id) if hasattr(event, "server_id") else event
                for event in given
            ]
            at = self.start + timedelta(seconds=seconds)
            self.servers.record(server_id, facts, occurred_at=at)
        elif given == "foreign":
            self.cloud.append_foreign(uuid4(), [1, 2])
        elif given == "refused":
            with suppress(ServerdomainError):
                self.servers.reset_state(server_id, "ERROR")
        else:
            with suppress(ServerdomainError):
                server = self.servers.get(server_id)
                self.servers.record(server_id, decide(server, given, OWNER, "req-1"))

    def rows(self):
        """The log as its tables hold it, read without any of our queries."""
        with tables_of(self.cloud.store) as log:
            found = log.execute(
                "SELECT c.server_id, e.originator_version, e.position, c.recorded_at,"
                " c.occurred_at, e.topic, e.state"
                " FROM stored_events e JOIN commands c USING (command_id) WHERE c.refused = 0"
                " ORDER BY e.position"
            ).fetchall()
        return [Row(*row[:5], CODEC.decode(*row[5:], row[2])) for row in found]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.servers.close()


def folded(rows, server_id, **until):
    """What the fold makes of those rows of a server that lie within the bounds."""
    counted = [
        row
        for row in rows
        if row.server_id == server_id
        and all(getattr(row, name) <= bound for name, bound in until.items())
    ]
    history = sorted(counted, key=lambda row: (row.occurred_at, row.position))
    server = fold((row.event, row.occurred_at) for row in history)
    if server is None or server.deleted:
        return None
    return replace(
        server,
        version=max(row.version for row in counted),
        first_position=min(row.position for row in counted),
    )


def as_of(**until):
    """The moment with those bounds, times in microseconds."""
    return AsOf(
        **{
            name: moment.to_datetime(bound) if name.endswith("_at") else bound
            for name, bound in until.items()
        }
    )


@st.composite
def bounds(draw, rows, server_id=None):
    """Bounds of every kind that say something of these rows, times just around theirs too."""
    kind = draw(
        st.sampled_from(
            (
                ("version",),
                ("position",),
                ("recorded_at",),
                ("occurred_at",),
                ("recorded_at", "occurred_at"),
            )
        )
    )
    found = {}
    for name in kind:
        values = [
            getattr(row, name)
            for row in rows
            if server_id is None or name == "position" or row.server_id == server_id
        ]
        value = draw(st.sampled_from([0, *values]))
        found[name] = value + (draw(st.integers(-1, 1)) if name.endswith("_at") else 0)
    return found
