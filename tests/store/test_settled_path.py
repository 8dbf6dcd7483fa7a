"""A relative path is settled when it is given, and refused by name where nothing can settle it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from serverdomain import Servers, StoreMissing
from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from serverdomain.store.settled_path import settled


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that is worked in was removed."""
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


def test_a_path_stays_where_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert settled("a/b.db", "out") == tmp_path / "a" / "b.db"
    assert settled("/b.db", "out") == Path("/b.db")


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize(
    ("field", "use"),
    [
        ("store", lambda: Servers.open("cloud.db")),
        ("store", lambda: Servers.open(Path("cloud.db"), read_only=True)),
        ("view", lambda: Servers.open("memory:", view="view.db").list()),
        ("out", lambda: Servers.open("memory:").backup("backup.db")),
    ],
)
def test_where_the_working_folder_is_gone_it_is_named(
    field: str, use: Callable[[], object]
) -> None:
    with pytest.raises(StoreMissing, match=rf"^{field}: '\w+\.db' came, and the working folder is"):
        use()


@pytest.mark.usefixtures("nowhere")
def test_so_it_is_at_the_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(app, ["list", "--store", "cloud.db"]) == 3
    assert capsys.readouterr().err == (
        "serverdomain: store: 'cloud.db' came, and the working folder is gone: "
        "an absolute path is allowed\n"
    )


@pytest.mark.usefixtures("nowhere")
def test_an_absolute_path_needs_no_working_folder(tmp_path: Path) -> None:
    with Servers.open(tmp_path / "cloud.db") as servers:
        servers.backup(tmp_path / "backup.db")
        assert servers.list() == []
    assert os.path.exists(tmp_path / "backup.db")
