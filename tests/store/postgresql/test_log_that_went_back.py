"""After a failover a log may lack what was known of it: who knew it proves itself, or stops."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from queue import Queue

import pytest

from serverdomain import Context, Refused, Servers, StoreBehind
from serverdomain.errors import Unproven
from serverdomain.projections.follow import Followed
from serverdomain.projections.happened import Happened
from serverdomain.projections.saved_bookmark import resume
from serverdomain.store import accept as accepting
from serverdomain.testing.contract import OTHER, SERVER, adopted
from tests.store.postgresql.went_back import go_back

SECONDS = 60
Back = Callable[[int], None]


@pytest.fixture
def servers(log_url: str, tmp_path: Path) -> Iterator[Servers]:
    with Servers.open(log_url, view=tmp_path / "view.db") as servers:
        servers.register(adopted())
        servers.register(adopted(OTHER))
        yield servers


@pytest.fixture
def back(log_url: str) -> Back:
    return partial(go_back, log_url)


def under(request_id: str) -> Context:
    return Context(request_id=request_id)


def test_a_server_that_is_remembered_is_read_again(
    servers: Servers, back: Back, log_url: str
) -> None:
    servers.rename(SERVER, "lost", under("req-3"))
    assert servers.get(SERVER).name == "lost"
    back(2)
    # The numbers are those of before; what stands there is not.
    with Servers.open(log_url) as another:
        another.rename(OTHER, "came instead", under("req-4"))
    assert servers.get(SERVER).name != "lost"
    assert servers.get(OTHER).name == "came instead"
    assert servers.rename(SERVER, "anew", under("req-3")).position == 4


def test_who_waits_for_what_a_command_gave_is_told_that_it_is_lost(
    servers: Servers, back: Back, log_url: str
) -> None:
    lost = servers.rename(SERVER, "lost", under("req-3"))
    servers.wait_for(lost, 0)
    back(2)
    with Servers.open(log_url) as another:
        assert another.rename(OTHER, "came instead", under("req-4")).position == lost.position
    with pytest.raises(StoreBehind, match=r"3 is another command's.*req-3 is in it no more"):
        servers.wait_for(lost, 0)
    servers.wait_for(servers.rename(SERVER, "lost", under("req-3")), 0)
    servers.wait_for(lost, 0)


def test_a_command_is_decided_on_what_is_there(servers: Servers, back: Back) -> None:
    servers.stop(SERVER, under("req-3"))
    back(2)
    assert servers.stop(SERVER, under("req-4")).position == 3
    back(2)
    with pytest.raises(Refused, match="is ACTIVE"):
        servers.start(SERVER, under("req-5"))


def test_a_log_that_goes_back_while_it_is_decided_on_is_decided_on_again(
    servers: Servers, back: Back, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers.rename(SERVER, "lost", under("req-3"))
    decide, todo = accepting.decide, [2]

    def decided(*given: object) -> object:
        if todo:
            back(todo.pop())
        return decide(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(accepting, "decide", decided)
    assert servers.rename(OTHER, "kept", under("req-4")).position == 3
    assert servers.get(SERVER).name != "lost"


def test_a_view_and_a_fleet_replay(
    servers: Servers, back: Back, caplog: pytest.LogCaptureFixture
) -> None:
    servers.rename(SERVER, "lost", under("req-3"))
    assert "lost" in [one.name for one in servers.list()]
    with servers.fleet() as fleet:
        assert "lost" in [one.name for one in fleet]
    back(2)
    servers.rename(OTHER, "came instead", under("req-4"))
    folded = [servers.get(SERVER), servers.get(OTHER)]
    assert sorted(servers.list(), key=lambda one: one.id) == folded
    with servers.fleet() as fleet:
        assert sorted(fleet, key=lambda one: one.id) == folded
    assert "stood at position 3 of a log that has another row there" in caplog.text


def test_a_checkpoint_stops_with_words(servers: Servers, back: Back, tmp_path: Path) -> None:
    key, signed = tmp_path / "key", tmp_path / "signed"
    servers.rename(SERVER, "lost", under("req-3"))
    servers.ledger.checkpoint(key, signed)
    back(2)
    servers.rename(OTHER, "came instead", under("req-4"))
    with pytest.raises(Unproven, match=r"no longer holds the 3 events that .*signed covers"):
        servers.ledger.checkpoint(key, signed)
    assert servers.ledger.verify(signed, [key]).problems


def test_whoever_follows_a_server_is_told_what_it_is_then(servers: Servers, back: Back) -> None:
    followed = Followed(servers._log, SERVER)
    list(followed.states())
    servers.rename(SERVER, "lost", under("req-3"))
    assert [one.name for one in followed.states()] == ["lost"]
    back(2)
    servers.stop(OTHER, under("req-4"))
    assert [one.name for one in followed.states()] == [servers.get(SERVER).name]


def test_a_reaction_says_what_it_was_told_that_is_no_more(
    servers: Servers, back: Back, caplog: pytest.LogCaptureFixture
) -> None:
    told: Queue[Happened] = Queue()
    with servers.react("billing", told.put) as reaction:
        servers.rename(SERVER, "kept", under("req-3"))
        servers.rename(SERVER, "lost", under("req-4"))
        servers.rename(OTHER, "lost, too", under("req-5"))
        assert reaction.caught_up(SECONDS)
        back(3)
        servers.rename(OTHER, "came instead", under("req-6"))
        assert reaction.stopped.wait(SECONDS)
        with servers._log.reading() as reading:
            place = reading.bookmark("billing")
        assert place is not None
        assert (place.position, place.stopped_at) == (3, 3)
        assert place.why is not None
        assert "was told of 2 events that are no more" in place.why
        assert f"ServerRenamed of {SERVER} at 4 (req-4)" in place.why
        assert f"ServerRenamed of {OTHER} at 5 (req-5)" in place.why
        assert "reaction billing stopped: the log went back" in caplog.text

        resume(servers._log, "billing")
        assert [told.get(timeout=SECONDS).request_id for _ in range(4)] == [
            *("req-3", "req-4", "req-5", "req-6")
        ]
        assert told.empty()


def test_a_reaction_that_was_told_of_nothing_that_is_gone_goes_on(
    servers: Servers, back: Back, caplog: pytest.LogCaptureFixture
) -> None:
    told: Queue[Happened] = Queue()
    with servers.react("billing", told.put, events=["ServerStopped"]) as reaction:
        for number in range(5):
            servers.rename(SERVER, f"passed over {number}", under(f"req-{number}"))
        assert reaction.caught_up(SECONDS)
        back(2)
        # Where it stood, it would never see this one.
        servers.stop(SERVER, under("req-6"))
        assert told.get(timeout=SECONDS).position == 3
    assert "stopped" not in caplog.text


def test_a_reaction_keeps_no_place_that_the_log_does_not_have(servers: Servers, back: Back) -> None:
    told: Queue[Happened] = Queue()
    with servers.react("billing", told.put) as reaction:
        servers.stop(SERVER, under("req-3"))
        assert reaction.caught_up(SECONDS)
        back(2)
    with servers._log.reading() as reading:
        place = reading.bookmark("billing")
    assert place is not None
    assert place.position == 2
