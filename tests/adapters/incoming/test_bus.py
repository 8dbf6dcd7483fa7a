"""The bus, followed: what comes is in the log before it is acknowledged."""

import os
from io import FileIO
from pathlib import Path

import pytest

from serverdomain import Servers
from serverdomain.adapters.incoming import nova
from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.adapters.incoming.taking import Taking
from serverdomain.errors import InvalidInput, StoreError
from tests.adapters.incoming.cloud import SERVER, encoded, enveloped, message
from tests.adapters.incoming.test_taking import STORY

kombu = pytest.importorskip("kombu")
memory = pytest.importorskip("kombu.transport.memory")
from serverdomain.adapters.incoming import bus  # noqa: E402
from serverdomain.adapters.incoming.bus import Bus, take_one  # noqa: E402

NAMES = {"exchange": "nova", "topic": "versioned_notifications", "queue": "serverdomain"}


def publish(url, bodies):
    with kombu.Connection(url) as connection:
        exchange = kombu.Exchange("nova", type="topic", durable=False)
        key = "versioned_notifications.*"
        queue = kombu.Queue("serverdomain", exchange, routing_key=key, durable=True)
        producer = connection.Producer()
        for body in bodies:
            producer.publish(
                body,
                exchange=exchange,
                routing_key="versioned_notifications.info",
                declare=[queue],
                content_type="application/json",
                content_encoding="utf-8",
            )


@pytest.fixture
def url(request):
    memory.Transport.global_state.clear()
    memory.Channel.queues.clear()
    return f"memory://{request.node.name}"


def follow(url, servers, seconds=0.7, rejects=None):
    rejects = rejects or Rejects()
    taker = Taking(servers, rejects)
    written = []
    Bus(url, **NAMES).follow(
        nova.read, taker, rejects, seconds, lambda counts: written.append(counts.imported)
    )
    return taker.counts, written


def test_what_comes_is_taken_in_once_and_what_cannot_be_read_is_told(url):
    bodies = [encoded(enveloped(one)) for one in STORY]
    publish(url, [*bodies, bodies[0], b"{half", encoded(message("a.b"))])
    with Servers.open("memory:") as servers:
        counts, written = follow(url, servers)
        assert counts.as_json() == {
            "read": len(STORY) + 3,
            "imported": len(STORY),
            "repeated": 1,
            "passed_over": {"a.b": 1},
            "rejected": 1,
        }
        assert written == [len(STORY)]
        assert servers.get(SERVER).status == "ERROR"
        # All of it was acknowledged: nothing comes again.
        assert follow(url, servers, 0.1)[0].read == 0


def test_what_cannot_be_read_is_on_the_disk_before_it_is_acknowledged(url, tmp_path, monkeypatch):
    did = []
    monkeypatch.setattr(kombu.message.Message, "ack", lambda _: did.append("acknowledged"))
    monkeypatch.setattr(os, "fsync", lambda _: did.append("synced"))
    publish(url, [b"{half"])
    with FileIO(tmp_path / "rejects", "w") as file, Servers.open("memory:") as servers:
        assert follow(url, servers, 0.7, Rejects(file))[0].rejected == 1
    assert did == ["synced", "synced", "acknowledged"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_no_lost_connection(url):
    publish(url, [b"{half"])
    with (
        FileIO("/dev/full", "w") as file,
        Servers.open("memory:") as servers,
        pytest.raises(StoreError, match="'/dev/full' cannot be written: No space left"),
    ):
        follow(url, servers, 5, Rejects(file))


def test_no_more_waits_to_be_acknowledged_than_so_many(url, monkeypatch):
    monkeypatch.setattr(bus, "MOST_AHEAD", 2)
    publish(url, [encoded(one) for one in STORY[:5]])
    with Servers.open("memory:") as servers:
        _, written = follow(url, servers)
    assert written == [2, 4, 5]


def test_what_waits_to_be_acknowledged_holds_few_bytes(url, monkeypatch):
    monkeypatch.setattr(bus, "MOST_BYTES", 2 * len(encoded(STORY[0])))
    publish(url, [encoded(STORY[0] | {"message_id": str(number)}) for number in range(5)])
    with Servers.open("memory:") as servers:
        _, written = follow(url, servers)
    assert written == [2, 4, 5]


@pytest.mark.parametrize("at", ["http://{}host/", "amqp://{}host:port/", "amqp://{}[::1", "{}"])
def test_a_url_of_another_kind_is_refused_without_being_said(at):
    with pytest.raises(InvalidInput, match=r"^URL: amqp://user") as wrong:
        Bus(at.format("me:s3cret@"), **NAMES)
    assert "s3cret" not in str(wrong.value)


def test_a_bus_that_is_not_there_is_told():
    with Servers.open("memory:") as servers, pytest.raises(StoreError, match="cannot be reached"):
        follow("amqp://127.0.0.1:1/", servers, 5)


def test_what_is_too_large_is_rejected():
    with Servers.open("memory:") as servers:
        rejects = Rejects()
        taker = Taking(servers, rejects)
        take_one(nova.read, taker, rejects, b" " * (16 * 1024 * 1024 + 1))
        assert taker.counts.rejected == 1
