"""However many events a log has, what writes it as Parquet and what folds it hold a part of it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from serverdomain import Context, Servers
from serverdomain.domain import events as e
from serverdomain.testing import registered

pytestmark = pytest.mark.heavy
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed: make test-all")

from serverdomain import analysis  # noqa: E402
from serverdomain.analysis import folding, writing  # noqa: E402


def filled(path: Path, servers: int, events: int) -> Path:
    """A log of so many servers, with so many events of each."""
    with Servers.open(path, create=True) as opened, opened.bulk() as bulk:
        for server_id in (f"0b54c6a2-6f7c-4a58-9d4e-{number:012}" for number in range(servers)):
            bulk.record(server_id, [registered(server_id=server_id)])
            for number in range(events // 10):
                renamed = [e.ServerRenamed(f"{number}-{one}") for one in range(10)]
                bulk.record(server_id, renamed, Context(request_id=f"{server_id}-{number}"))
    return path


def peaks(work: Callable[[], object]) -> tuple[int, int]:
    """The most bytes that Python and Arrow held."""
    before = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(before)
    pa.set_memory_pool(pool)
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1], pool.max_memory()
    finally:
        tracemalloc.stop()
        pa.set_memory_pool(before)


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is held at once is small here, so that a small log is a long one.
    monkeypatch.setattr(writing, "EVENTS_IN_A_BUCKET", 1_000)
    monkeypatch.setattr(writing, "_ROW_GROUP", 256)
    monkeypatch.setattr(folding, "_AT_ONCE", 256)


def require_flat(few: tuple[int, int], many: tuple[int, int]) -> None:
    assert all(more < 1.4 * less for less, more in zip(few, many, strict=True)), (few, many)


def test_four_times_as_many_servers_are_written_in_no_more_memory(tmp_path: Path) -> None:
    found = []
    for servers in (100, 400):
        store = filled(tmp_path / f"{servers}.db", servers, 40)
        found.append(peaks(lambda store=store: analysis.write(store, store.with_suffix(""))))
    require_flat(*found)


def test_four_times_as_many_events_are_folded_in_no_more_memory(tmp_path: Path) -> None:
    found = []
    for events in (200, 800):
        store = filled(tmp_path / f"{events}.db", 20, events)
        analysis.write(store, store.with_suffix(""))
        found.append(peaks(lambda store=store: analysis.fold(store.with_suffix(""))))
    require_flat(*found)
