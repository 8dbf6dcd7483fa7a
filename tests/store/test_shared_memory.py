"""On a full disk of small blocks opening a store is refused, where SQLite would end in SIGBUS."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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


def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, capture_output=True, text=True, check=False, **options
    )


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small file system of blocks of 1 KiB."""
    image, mounted = tmp_path / "image", tmp_path / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    try:
        made = run("mkfs.ext4", "-q", "-b", "1024", str(image))
        made = made if made.returncode else run("mount", "-o", "loop", str(image), str(mounted))
    except FileNotFoundError as missing:
        pytest.skip(f"no file system can be made here: {missing}")
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    yield mounted
    run("umount", str(mounted))


def test_with_little_room_it_opens_or_says_that_the_disk_is_full(disk: Path) -> None:
    assert run(sys.executable, "-c", MAKE, cwd=disk).returncode == 0
    for more in (0, 7, 3, 3, 3, 150):
        opened = run(sys.executable, "-c", OPEN, str(more), cwd=disk)
        assert (opened.returncode, opened.stdout) == (0, "True\n"), opened.stderr
