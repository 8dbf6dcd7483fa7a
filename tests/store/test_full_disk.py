"""A disk that is full in the middle of a batch: what was acknowledged is there, the rest told so.

Sent again under the same request ids once there is room, each command has one outcome.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from serverdomain import Accepted, OutcomeUnknown, Servers, StoreError
from serverdomain.testing.store_contract import OTHER, SERVER, adopted, under
from tests.house.imports import ROOT
from tests.linear.points import Points
from tests.store.small_disk import run, small_disk
from tests.store.together import together

CALLERS = 32
ROOM = 400 * 1024
"""Bytes: for some of what they write, and not for all."""


def much(number: int) -> Mapping[str, str]:
    """What a caller writes: 32 KB."""
    return {f"{number} {key}": "x" * 250 for key in range(127)}


def works(servers: Servers) -> list[Callable[[], Accepted]]:
    def write(number: int) -> Accepted:
        server_id = (SERVER, OTHER)[number % 2]
        return servers.replace_metadata(server_id, much(number), under(f"req-{number}"))

    return [lambda number=number: write(number) for number in range(CALLERS)]  # type: ignore[misc]


def begun(path: Path) -> Servers:
    servers = Servers.open(f"sqlite:///{path}")
    servers.register(adopted(), under("req-register"))
    servers.register(adopted(OTHER), under("req-other"))
    return servers


def told(one: object) -> str:
    assert isinstance(one, Accepted | StoreError), one
    if isinstance(one, Accepted):
        return "replayed" if one.replayed else "new"
    assert "\n" not in str(one)
    return "unknown" if isinstance(one, OutcomeUnknown) else str(one)


def whole(servers: Servers, first: list[str], again: list[str]) -> None:
    """Of each command one outcome, that fits to what was told first and when it was repeated."""
    points = Points.of(servers)
    assert points.wrong == []
    assert servers.check() == []
    assert set(again) <= {"new", "replayed"}, again
    for was, now in zip(first, again, strict=True):
        if was != "unknown":
            assert (was == "new") == (now == "replayed"), (was, now)
    assert Counter(points.recorded.keys()) == Counter(
        ["req-register", "req-other", *(f"req-{number}" for number in range(CALLERS))]
    )
    for server_id in (SERVER, OTHER):
        assert servers.get(server_id) == points.at(server_id, len(points.written)).server
    assert servers.list() == list(points.there(len(points.written)))


def limit_pages(servers: Servers, more: int) -> None:
    with servers._log.connections.writing() as writer:
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages + more}")


def test_a_database_that_can_grow_no_more_takes_what_there_is_room_for(tmp_path: Path) -> None:
    path = tmp_path / "cloud.db"
    with begun(path) as servers:
        limit_pages(servers, ROOM // 4096)
        first = [told(one) for one in together(path, works(servers))]
        there = set(Points.of(servers).recorded)

        assert {f"req-{number}" for number, was in enumerate(first) if was == "new"} == {
            *(there - {"req-register", "req-other"})
        }
        assert 0 < first.count("new") < CALLERS
        assert all("cannot grow: the disk is full" in was for was in first if was != "new")
        limit_pages(servers, 100_000)
        whole(servers, first, [told(one) for one in together(path, works(servers))])


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, 32, block=4096) as disk:
        yield disk


def on_a_full_disk(disk: str) -> None:
    """In a process of its own: it prints what callers were told on a full disk, and then again."""
    path, fill = Path(disk, "cloud.db"), Path(disk, "fill")
    with begun(path) as servers:
        with fill.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                os.truncate(fill, fill.stat().st_size - ROOM)
        first = [told(one) for one in together(path, works(servers))]
        head = servers.get(SERVER).version + servers.get(OTHER).version
        fill.unlink()
        again = [told(one) for one in together(path, works(servers))]
        whole(servers, first, again)
    print(json.dumps([first, head]))


@pytest.mark.slow
def test_a_disk_that_is_full_in_the_middle_of_a_batch_loses_nothing_and_doubles_nothing(
    disk: Path,
) -> None:
    script = f"from {__name__} import on_a_full_disk; import sys; on_a_full_disk(sys.argv[1])"
    ran = run(sys.executable, "-c", script, str(disk), cwd=ROOT)
    assert ran.returncode == 0, ran.stderr

    said: tuple[list[str], int] = json.loads(ran.stdout)
    first, head = said
    failed = [was for was in first if was != "new"]
    assert failed
    assert all(
        was == "unknown" or "the disk is full" in was or "I/O error" in was for was in failed
    )
    assert first.count("new") <= head - 2
