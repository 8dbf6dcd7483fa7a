"""The primary is killed under writers, a view and a reaction, and its replica promoted."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Lock, Thread
from threading import Event as Flag

import pytest

from serverdomain import Context, OutcomeUnknown, Servers, StoreReadOnly
from serverdomain.domain import commands as c
from serverdomain.projections.happened import Happened
from serverdomain.projections.saved_bookmark import resume
from serverdomain.store.postgresql import making
from serverdomain.store.postgresql.address import Address
from serverdomain.testing.contract import OTHER, SERVER, adopted
from tests.store.postgresql.cluster import Cluster, cluster, wait_until

WRITERS = 4
BEFORE, AFTER = 40, 20
"""Commands that are acknowledged before the primary is killed, and by each writer after it."""

SECONDS = 60


@pytest.fixture(scope="module")
def made() -> Iterator[Cluster]:
    with cluster() as made:
        url = f"{made.primary.url}?schema=cloud"
        making.init(Address(url))
        with Servers.open(url) as servers:
            servers.register(adopted())
            servers.register(adopted(OTHER))
        yield made


class Work:
    """Writers on two nodes, of which one has a view and a reaction, while all goes on."""

    def __init__(self, url: str, folder: Path, round_: str) -> None:
        self.nodes = [Servers.open(url, view=folder / f"{round_}-{node}.db") for node in range(2)]
        self.acknowledged: dict[str, int | None] = {}
        self.written_at: list[float] = []
        self.told: list[Happened] = []
        self.troubles: list[str] = []
        self._round = round_
        self._enough = Flag()
        self._telling = Lock()
        self.reaction = self.nodes[0].react(f"billing-{round_}", self.told.append)
        self._start = Barrier(WRITERS)
        self._threads = [
            Thread(target=self._write, args=(number,), daemon=True) for number in range(WRITERS)
        ]
        for thread in self._threads:
            thread.start()

    def _write(self, writer: int) -> None:
        servers = self.nodes[writer % 2]
        self._start.wait()
        number = 0
        while not self._enough.is_set():
            request_id = f"req-{self._round}-{writer}-{number}"
            # Those of a pair change the same server, and are in each other's way.
            server_id = (SERVER, OTHER)[writer // 2]
            command = c.RenameServer(name=request_id)
            try:
                done = servers.command(server_id, command, Context(request_id=request_id))
            except OutcomeUnknown:
                continue  # As it says: the same again.
            except Exception as error:
                self.troubles.append(repr(error))
                return
            with self._telling:
                self.acknowledged[request_id] = done.position
                self.written_at.append(time.monotonic())
            number += 1

    def list_meanwhile(self) -> None:
        self.nodes[0].list()

    def wait_for_more(self, many: int) -> None:
        end = len(self.acknowledged) + many
        wait_until(lambda: len(self.acknowledged) >= end or bool(self.troubles), "writers")

    def end(self) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join(SECONDS)
        assert self.troubles == []

    def close(self) -> None:
        self._enough.set()
        for node in self.nodes:
            node.close()


def fail_over_under_work(made: Cluster, work: Work) -> float:
    """Kill the primary under writers: seconds until the next of them was acknowledged."""
    killed = time.monotonic()
    made.fail_over()
    work.wait_for_more(WRITERS * AFTER)
    return min(at for at in work.written_at if at > killed + 0.01) - killed


def require_whole(work: Work) -> dict[str, int]:
    """Each command is there once, and what was made from the log is what it says; its positions."""
    servers = work.nodes[0]
    with servers._log.reading() as log:
        events = log.events(0, 1_000_000).events
    assert [one.position for one in events] == list(range(1, len(events) + 1))
    positions = {one.command.request_id: one.position for one in events}
    assert len(positions) == len(events)
    for node in work.nodes:
        folded = [node.get(SERVER), node.get(OTHER)]
        assert sorted(node.list(), key=lambda one: one.id) == folded
        assert node.check() == []
    return positions


def survive(made: Cluster, folder: Path, round_: str) -> float:
    made.add_replica(synchronous=True)
    work = Work(made.url, folder, round_)
    try:
        work.wait_for_more(BEFORE)
        work.list_meanwhile()
        seconds = fail_over_under_work(made, work)
        work.end()
        positions = require_whole(work)
        lost = {*work.acknowledged.items()} - {*positions.items()}
        assert lost == set()
        # Cut off in the middle of a reading it is at work again once its lease is over.
        wait_until(lambda: work.reaction.caught_up(SECONDS), "the reaction")
        told = [one.request_id for one in work.told]
        mine = [one for one in positions if one.startswith(f"req-{round_}-")]
        assert [*dict.fromkeys(told)] == mine
        return seconds
    finally:
        work.close()


@pytest.mark.slow
def test_of_a_synchronous_replica_nothing_acknowledged_is_lost(
    made: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = [survive(made, tmp_path, str(number)) for number in range(20)]
    with capsys.disabled():
        print(
            f"\nfrom the kill of the primary to the next write: {sorted(seconds)[10]:.2f} s "
            f"(the median of 20), at most {max(seconds):.2f} s"
        )


@pytest.mark.slow
def test_of_an_asynchronous_replica_some_is_lost_and_all_that_knew_it_says_so(
    made: Cluster, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    made.add_replica(synchronous=False)
    work = Work(made.url, tmp_path, "async")
    try:
        work.wait_for_more(BEFORE)
        made.stop_sending()
        work.wait_for_more(4 * BEFORE)
        work.list_meanwhile()
        fail_over_under_work(made, work)
        assert work.reaction.stopped.wait(SECONDS)
        work.end()
        positions = require_whole(work)

        lost = {*work.acknowledged} - {*positions}
        assert len(lost) > BEFORE
        with work.nodes[0]._log.reading() as log:
            place = log.bookmark("billing-async")
        assert place is not None
        assert place.why is not None
        assert "events that are no more" in place.why
        assert "of a log that has another row there" in caplog.text
        resume(work.nodes[0]._log, "billing-async")
        wait_until(lambda: not work.reaction.stopped.is_set(), "the reaction to go on")
        # Cut off in the middle of a reading it is at work again once its lease is over.
        wait_until(lambda: work.reaction.caught_up(SECONDS), "the reaction")
        assert {one for one in positions if "-async-" in one} <= {
            one.request_id for one in work.told
        }
    finally:
        work.close()


@pytest.mark.slow
def test_a_promoted_node_waits_for_a_replica_until_it_is_told_not_to(
    made: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.add_replica(synchronous=True)
    url = made.url
    made.fail_over(clear=False)
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.5")
    with Servers.open(url) as servers:
        context = Context(request_id="req-waits")
        with pytest.raises(OutcomeUnknown, match="req-waits"):
            servers.rename(SERVER, "waits", context)
        made.wait_for_nobody(made.primary)
        monkeypatch.undo()
    with Servers.open(url) as servers:
        assert servers.rename(SERVER, "waits", context).server.name == "waits"


@pytest.mark.slow
def test_a_server_that_is_restarted_under_writers_is_found_again(
    made: Cluster, tmp_path: Path
) -> None:
    made.add_replica(synchronous=False)
    work = Work(made.url, tmp_path, "restarted")
    try:
        work.wait_for_more(BEFORE)
        made.primary.end()
        made.primary.start()
        work.wait_for_more(WRITERS * AFTER)
        work.end()
        positions = require_whole(work)
        assert {*work.acknowledged.items()} <= {*positions.items()}
    finally:
        work.close()


@pytest.mark.slow
def test_a_replica_that_lags_answers_what_it_has_and_takes_no_writes(made: Cluster) -> None:
    made.add_replica(synchronous=True)
    replica = made.replica
    assert replica is not None
    alone = f"{replica.url}?schema=cloud"
    with Servers.open(made.url) as servers, Servers.open(alone, read_only=True) as behind:
        before = servers.rename(SERVER, "before").position
        wait_until(lambda: behind.get(SERVER).name == "before", "the replica")
        replica.ask("SELECT pg_wal_replay_pause()")
        # A synchronous replica has it, and does not show it yet.
        servers.rename(SERVER, "after")
        assert [one.name for one in behind.list() if one.id == SERVER] == ["before"]
        assert (behind.get(SERVER).name, behind.view.status().head) == ("before", before)
        replica.ask("SELECT pg_wal_replay_resume()")
        wait_until(lambda: behind.get(SERVER).name == "after", "the replica")
        assert [one.name for one in behind.list() if one.id == SERVER] == ["after"]
    with (
        Servers.open(alone) as servers,
        pytest.raises(StoreReadOnly, match="the server only reads"),
    ):
        servers.stop(SERVER)
