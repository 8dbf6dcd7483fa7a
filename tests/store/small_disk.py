"""A small file system of its own, to be filled."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def run(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        command, capture_output=True, text=True, check=False, **options
    )


@contextmanager
def small_disk(folder: Path, mebibytes: int, block: int) -> Iterator[Path]:
    """An ext4 in blocks of so many bytes; the test is skipped where none can be mounted."""
    image, mounted = folder / "image", folder / "disk"
    mounted.mkdir()
    with image.open("wb") as file:
        file.truncate(mebibytes * 1024 * 1024)
    try:
        made = run("mkfs.ext4", "-q", "-b", str(block), str(image))
        made = made if made.returncode else run("mount", "-o", "loop", str(image), str(mounted))
    except FileNotFoundError as missing:
        pytest.skip(f"no file system can be made here: {missing}")
    if made.returncode:
        pytest.skip(f"no file system can be mounted here: {made.stderr.strip()}")
    try:
        yield mounted
    finally:
        run("umount", str(mounted))
