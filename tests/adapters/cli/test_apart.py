"""No command writes what it makes to a file of the store, nor to one that is to come."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adapters.cli.conftest import Command

WRITING = {
    "FILE": "export {}",
    "OUT": "backup {}",
    "--html": "history --html {}",
    "--out": "ledger checkpoint --key key --out {}",
    "--key": "ledger checkpoint --out point --key {}",
    "--rejects": "import nova server.json --rejects {}",
}


@pytest.mark.parametrize("part", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("field", WRITING)
def test_it_names_another_file(registered: Command, folder: Path, field: str, part: str) -> None:
    Path("link").symlink_to(f"cloud.db{part}")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.exists()}
    for name in (f"cloud.db{part}", str(folder / f"cloud.db{part}"), "link"):
        ran = registered(*WRITING[field].format(name).split())
        assert ran.code == 2
        assert ran.err == (
            f"serverdomain: {field}: '{name}' is a file of the store, another is allowed\n"
        )
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.exists()}


def test_reports_too(registered: Command) -> None:
    ran = registered("report", "rebuilds", "--html", "cloud.db-wal")
    assert "--html: 'cloud.db-wal' is a file of the store" in ran.complaint
