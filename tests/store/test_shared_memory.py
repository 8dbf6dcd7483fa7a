"""On a full disk of small blocks opening a store is refused, where SQLite would end in SIGBUS."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.small_disk import run, small_disk

MAKE = """
import os, sys
from serverdomain import Servers
from serverdomain.testing.store_contract import SERVER, adopted
with Servers.open("sqlite:///cloud.db") as servers:
    servers.register(adopted())
with open("fill", "wb", buffering=0) as file:
    try:
        while True:
            file.write(bytes(1024))
    except OSError:
        pass
"""
OPEN = """
import os, sys
from serverdomain import Servers, StoreError
os.truncate("fill", os.path.getsize("fill") - 1024 * int(sys.argv[1]))
try:
    with Servers.open("sqlite:///cloud.db") as servers:
        print(servers.latest() is not None)
except StoreError as error:
    print("the disk is full" in str(error) or "I/O error" in str(error))
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path, 8, block=1024) as disk:
        yield disk


def test_with_little_room_it_opens_or_says_that_the_disk_is_full(disk: Path) -> None:
    assert run(sys.executable, "-c", MAKE, cwd=disk).returncode == 0
    for more in (0, 7, 3, 3, 3, 150):
        opened = run(sys.executable, "-c", OPEN, str(more), cwd=disk)
        assert (opened.returncode, opened.stdout) == (0, "True\n"), opened.stderr
