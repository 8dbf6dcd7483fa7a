"""A log in Parquet, for tests that need what reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log


@pytest.fixture(scope="session")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of a made-up fleet."""
    path = tmp_path_factory.mktemp("fleet") / "cloud.db"
    log = open_log(path)
    generate(log, 60, 1)
    log.close()
    return path


@pytest.fixture(scope="session")
def folder(path: Path) -> Path:
    """The same in Parquet."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed: make test-all")
    from serverdomain.analysis import write

    folder = path.with_name("fleet")
    write(path, folder, servers="now")
    return folder
