"""The SQLite store keeps what every store promises, in a file and in memory."""

from __future__ import annotations

from pathlib import Path

from serverdomain.testing import StoreContract


class TestInAFile(StoreContract):
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path / 'cloud.db'}"


class TestInMemory(StoreContract):
    def url(self, tmp_path: Path) -> str:
        return "memory:"
