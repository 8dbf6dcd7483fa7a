"""Who waits is woken by a hint of another node, and finds out without one, if later."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import psycopg
import pytest

from serverdomain import Servers
from serverdomain.domain import commands as c
from serverdomain.store.postgresql import hints
from serverdomain.store.postgresql import log as engine
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.testing.contract import SERVER, adopted, ask
from tests.store.postgresql.proxy import Proxy

SECONDS = 20


@contextmanager
def opened(url: str) -> Iterator[PostgreSQLLog]:
    with closing(PostgreSQLLog(Address(url))) as log:
        yield log


def test_a_hint_wakes_who_waits_at_another_node(
    log_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_LOOK_SELDOM", 10 * SECONDS)
    with opened(log_url) as one, opened(log_url) as other, ThreadPoolExecutor() as threads:
        one.wait_past(0, 0)
        assert one._hints.listening.wait(SECONDS)
        # More often than psycopg needs to prepare a statement.
        for head in range(8):
            waiting = threads.submit(one.wait_past, head, 10 * SECONDS)
            ask(other, c.RenameServer(name=f"{head}") if head else adopted(), f"req-{head}")
            waiting.result(SECONDS)
        with one.reading() as reading:
            assert reading.head() == 8


def test_a_hint_that_is_lost_delays_and_loses_nothing(log_url: str) -> None:
    with opened(log_url) as one, opened(log_url) as other, ThreadPoolExecutor() as threads:
        one.wait_past(0, 0)
        assert one._hints.listening.wait(SECONDS)
        other._hints.close()
        waiting = threads.submit(one.wait_past, 0, 10 * SECONDS)
        ask(other, adopted(), "req-1")
        waiting.result(SECONDS)


def test_where_nobody_can_listen_the_log_is_asked(log_url: str) -> None:
    proxy = Proxy(log_url)
    proxy.cut_at(b"LISTEN", "before")
    with (
        closing(proxy),
        opened(proxy.url) as one,
        opened(log_url) as other,
        ThreadPoolExecutor() as threads,
    ):
        waiting = threads.submit(one.wait_past, 0, 10 * SECONDS)
        assert proxy.has_cut.wait(SECONDS)
        ask(other, adopted(), "req-1")
        waiting.result(SECONDS)


def test_somebody_listens_again_once_the_connection_went(
    log_url: str, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "_TRY_AGAIN", 0.01)
    monkeypatch.setattr(engine, "_LOOK_SELDOM", 10 * SECONDS)
    with opened(log_url) as one, opened(log_url) as other, ThreadPoolExecutor() as threads:
        one.wait_past(0, 0)
        assert one._hints.listening.wait(SECONDS)
        waiting = threads.submit(one.wait_past, 0, 10 * SECONDS)
        with psycopg.connect(server_url, autocommit=True) as owner:
            ended = owner.execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE query = %s",
                (f'LISTEN "serverdomain_{one.address.schema}"',),
            ).fetchall()
        assert ended == [(True,)]
        ask(other, adopted(), "req-1")
        waiting.result(SECONDS)


def test_who_follows_a_server_at_another_node_sees_what_happens(log_url: str) -> None:
    with Servers.open(log_url) as one, Servers.open(log_url) as other:
        other.register(adopted())
        following = one.follow(SERVER, 10 * SECONDS)
        assert next(following).status == "ACTIVE"
        other.stop(SERVER)
        assert next(following).status == "SHUTOFF"


def test_a_node_waits_for_the_position_that_another_wrote(log_url: str) -> None:
    with (
        Servers.open(log_url) as one,
        Servers.open(log_url) as other,
        ThreadPoolExecutor() as threads,
    ):
        assert len(one.list()) == 0
        waiting = threads.submit(one.wait_for, 1, SECONDS)
        assert other.register(adopted()).position == 1
        waiting.result(SECONDS)
        assert [server.id for server in one.view.servers()] == [SERVER]
