"""The digest depends on what a log says, and on nothing else."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from hashlib import sha256

import pytest

from serverdomain import Context, Refused, Servers
from serverdomain.audit.digest import digest
from serverdomain.audit.ledger.leaf import encoded
from serverdomain.store.opening import open_log
from serverdomain.testing import ManualClock, registered
from tests.adapters.exchange.logs import digests, filled, rows


def told(url, *, late: int = 0, name: str = "new"):
    """The rows of a log of two commands, the second taken in so many seconds late."""
    clock = ManualClock()
    with closing(open_log(url)) as log:
        servers = Servers(log, clock)
        first = registered().server_id
        at = clock.now
        servers.record(first, [registered()], Context(request_id="req-1"), occurred_at=at)
        clock.advance(late)
        at += timedelta(seconds=1)
        clock.advance(1)
        servers.rename(first, name, Context(request_id="req-2"), occurred_at=at)
        return rows(log), digests(log)


def test_it_is_made_of_the_ledgers_leaves(new_log):
    some, (_, whole) = told(new_log())
    assert whole == (
        f"sha256:{sha256(b''.join(map(encoded, some))).hexdigest()} 2 events up to position 2"
    )


def test_when_a_log_took_it_in_is_left_out_unless_it_is_asked_for(new_log):
    _, (one, one_whole) = told(new_log())
    _, (other, other_whole) = told("memory:", late=60)
    assert one == other
    assert one_whole != other_whole


def test_any_other_column_makes_another_digest():
    some, (whole, _) = told("memory:")
    with closing(filled(some)) as same:
        assert digests(same)[0] == whole
    for column, value in enumerate(some[1]):
        changed = "x" if isinstance(value, str | None) else value + 1
        others = [some[0], (*some[1][:column], changed, *some[1][column + 1 :])]
        digested = digest(OfRows(others))
        assert (str(digested) == whole) == (column == 16), column


class OfRows:
    """Some rows, sound or not, as a log tells them."""

    def __init__(self, some):
        self.some = some

    def head(self):
        return self.some[-1][0]

    def count(self, until=None):
        return len(self.some)

    def rows(self):
        yield self.some


def test_it_may_end_at_a_position():
    some, (whole, _) = told("memory:")
    with (
        closing(filled(some[:1])) as first,
        closing(filled(some)) as log,
        log.reading() as reading,
        first.reading() as before,
    ):
        assert digest(reading, until=1) == digest(before)
        assert str(digest(reading, until=2)) == whole
        assert digest(reading, until=0) == (sha256(b"").hexdigest(), 0, 0)
        with pytest.raises(Refused, match="position 3 came, the log ends at position 2") as refused:
            digest(reading, until=3)
        assert refused.value.rule == "head"


def test_it_is_the_same_however_the_log_is_read_and_tells_how_far_it_is():
    class OneByOne(OfRows):
        def rows(self):
            return ([one] for one in self.some)

    some, (whole, _) = told("memory:")
    progress = []
    found = digest(OneByOne(some), progress=lambda *at: progress.append(at))
    assert str(found) == whole
    assert progress == [(1, 2), (2, 2)]
