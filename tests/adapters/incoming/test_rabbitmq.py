"""A real bus, followed: whoever is killed, the follower or the broker, all of it comes in once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from serverdomain import Servers
from serverdomain.adapters.incoming import nova
from serverdomain.adapters.incoming.bus import Bus
from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.adapters.incoming.taking import Counts, Taking
from serverdomain.audit.digest import digest
from serverdomain.errors import StoreError, StoreMissing
from serverdomain.store.opening import open_to_read
from tests.adapters.incoming.cloud import encoded, rebuilt
from tests.adapters.incoming.rabbitmq import SECONDS, Broker, is_installed

kombu = pytest.importorskip("kombu")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="no RabbitMQ: apt-get install rabbitmq-server"),
]

NAMES = {"exchange": "nova", "topic": "versioned_notifications", "queue": "serverdomain"}
MESSAGES = [
    encoded(one | {"message_id": f"{server}-{minute}-{number}"})
    for server in range(40)
    for minute in range(20)
    for number, one in enumerate(rebuilt(minute, uuid=f"0b54c6a2-6f7c-4a58-9d4e-{server:012}"))
]
SEED = 11


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("rabbitmq"))
    try:
        broker.start()
        yield broker
    finally:
        broker.close()


@pytest.fixture
def broker(started: Broker) -> Iterator[Broker]:
    yield started
    with kombu.Connection(started.url()) as connection, connection.channel() as channel:
        channel.queue_delete("serverdomain")
        channel.exchange_delete("nova")


def declare(channel: object, *, durable: bool = False) -> object:
    exchange = kombu.Exchange("nova", type="topic", durable=durable)
    queue = kombu.Queue("serverdomain", exchange, routing_key="versioned_notifications.*")
    queue(channel).declare()
    return exchange


def publish(broker: Broker, bodies: list[bytes], *, durable: bool = False) -> None:
    """Tell messages as Nova does; they are in the queue when this is done."""
    sure = {"confirm_publish": True}
    with kombu.Connection(broker.url(), transport_options=sure) as connection:
        producer = connection.Producer()
        exchange = declare(producer.channel, durable=durable)
        for body in bodies:
            producer.publish(
                body,
                exchange=exchange,
                routing_key="versioned_notifications.info",
                content_type="application/json",
                content_encoding="utf-8",
            )


def consumers(broker: Broker) -> int:
    with kombu.Connection(broker.url()) as connection, connection.channel() as channel:
        found: int = channel.queue_declare("serverdomain", passive=True).consumer_count
        return found


def follower(broker: Broker, store: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "serverdomain", "follow", "nova", broker.url()]
    return subprocess.Popen([*command, "--store", str(store)], stderr=subprocess.DEVNULL)


def head(store: Path) -> int:
    try:
        log = open_to_read(store)
    except StoreMissing:
        return 0
    with log.reading() as reading:
        found = reading.head()
    log.close()
    return found


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def digest_of(store: Path) -> str:
    log = open_to_read(store)
    with log.reading() as reading:
        found = str(digest(reading))
    log.close()
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is in the log where nobody was killed."""
    path = tmp_path_factory.mktemp("whole") / "cloud.db"
    with Servers.open(path, create=True) as servers:
        taker = Taking(servers, Rejects())
        for raw in MESSAGES:
            for one in nova.read(raw):
                taker.take(one, "here", raw)
        taker.write()
    return path


class _Enough(Exception):
    pass


def follow_until(broker: Broker, store: Path, position: int) -> Counts:
    """Follow in this process until the log is so long."""
    with Servers.open(store, create=True) as servers:
        rejects = Rejects()
        taker = Taking(servers, rejects)

        def told(counts: Counts) -> None:
            if head(store) >= position:
                raise _Enough

        with pytest.raises(_Enough):
            Bus(broker.url(), **NAMES).follow(nova.read, taker, rejects, SECONDS, told)
    return taker.counts


def test_a_follower_that_is_killed_goes_on_where_it_was(
    broker: Broker, whole: Path, tmp_path: Path
) -> None:
    publish(broker, MESSAGES)
    store = tmp_path / "cloud.db"
    dice = Random(SEED)
    for _ in range(3):
        reached = head(store) + dice.randrange(300, 1_500)
        with follower(broker, store) as process:
            wait(lambda reached=reached: head(store) >= reached)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        # The broker hands out again what was not acknowledged, once it knows.
        wait(lambda: consumers(broker) == 0)
    assert 0 < head(store) < head(whole)
    follow_until(broker, store, head(whole))
    assert digest_of(store) == digest_of(whole)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_a_broker_that_is_started_again_is_followed_again(
    broker: Broker, whole: Path, tmp_path: Path, how: signal.Signals
) -> None:
    half = len(MESSAGES) // 2
    store = tmp_path / "cloud.db"
    publish(broker, MESSAGES[:half])
    with follower(broker, store) as process:
        try:
            wait(lambda: head(store) >= head(whole) // 4)
            broker.stop(how)
            broker.start()
            publish(broker, MESSAGES[half:])
            wait(lambda: head(store) >= head(whole))
            assert process.poll() is None
        finally:
            process.kill()
    assert digest_of(store) == digest_of(whole)


def test_an_exchange_that_is_kept_is_bound_to_as_it_is(broker: Broker, tmp_path: Path) -> None:
    publish(broker, MESSAGES[:4], durable=True)
    counts = follow_until(broker, tmp_path / "cloud.db", 7)
    assert counts.imported == 4


def test_who_may_not_come_in_is_told_without_the_password(broker: Broker) -> None:
    publish(broker, [])
    bus, rejects = Bus(broker.url("s3cret"), **NAMES), Rejects()
    with Servers.open("memory:") as servers, pytest.raises(StoreError) as refused:
        bus.follow(nova.read, Taking(servers, rejects), rejects, SECONDS)
    assert "ACCESS_REFUSED" in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_a_dry_run_takes_nothing_from_the_others(broker: Broker, tmp_path: Path) -> None:
    publish(broker, MESSAGES[:4])
    own = Bus(broker.url(), **NAMES, own=True)
    with Servers.open("memory:") as servers:
        rejects = Rejects()
        taker = Taking(servers, rejects)
        own.follow(nova.read, taker, rejects, 0.5)
    assert taker.counts.read == 0
    assert follow_until(broker, tmp_path / "cloud.db", 7).imported == 4
