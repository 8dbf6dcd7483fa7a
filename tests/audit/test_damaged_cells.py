"""Whatever one cell of the log holds, every question is answered or told an error of ours."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from serverdomain import (
    AsOf,
    Context,
    CreateServer,
    RebuildServer,
    ServerdomainError,
    Servers,
    StoreDamaged,
)
from serverdomain.testing.store_contract import IMAGE, NEW_IMAGE

COLUMNS = {
    "stored_events": "position originator_id originator_version topic state command_id",
    "commands": "command_id kind server_id members user_id project_id roles request_id"
    " correlation_id caused_by occurred_at recorded_at refused",
    "reactions": "name position stopped_at why",
    "log": "log_id",
    "sqlite_sequence": "seq",
}
CELLS = [(table, column) for table, columns in COLUMNS.items() for column in columns.split()]

REBUILD = RebuildServer(image_id=NEW_IMAGE)

NONSENSE = ["x", "CAST(x'ff' AS TEXT)", "x'ff'", 2**63 - 1, -(2**63), 1e300]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    with Servers.open(f"sqlite:///{folder / 'cloud.db'}") as servers:
        for name in "abc":
            server = servers.create(CreateServer(name=name, image_id=IMAGE, flavor_id="1"))
        servers.report_built(server.id)
        servers.rebuild(server.id, REBUILD, Context(request_id="req-1"))
        servers.ledger.checkpoint(folder / "key", folder / "monday")
        with servers.react("billing", lambda told: None):
            pass
    return folder


def questions(servers: Servers, server_id: str, folder: Path) -> dict[str, Callable[[], Any]]:
    ledger, monday = servers.ledger, folder / "monday"
    return {
        "get": lambda: servers.get(server_id),
        "list": servers.list,
        "history": lambda: servers.history(server_id),
        "actions": lambda: servers.actions(server_id),
        "length": lambda: len(servers) + len(servers.timeline) + len(servers.ledger),
        "tables": lambda: servers.timeline._repr_html_() + servers.get(server_id)._repr_html_(),
        "timeline": lambda: list(servers.timeline.search()),
        "diff": lambda: servers.diff(server_id),
        "what if": lambda: servers.what_if(server_id, drop=[4]),
        "fleet": lambda: servers.fleet(as_of=AsOf(position=4)),
        "check": servers.check,
        "verify": lambda: ledger.verify(monday, [folder / "key.pub"]),
        "prove": lambda: ledger.prove(4, monday),
        "checkpoint": lambda: ledger.checkpoint(folder / "key", monday),
        "reactions": servers.reactions,
        "skip": lambda: servers.skip_reaction("billing"),
        "retry": lambda: servers.rebuild(server_id, REBUILD, Context(request_id="req-1")),
        "rename": lambda: servers.rename(server_id, "after"),
    }


def damage(path: Path, table: str, column: str, value: object) -> bool:
    """Whether the database took the value, with all guards away."""
    with closing(sqlite3.connect(path)) as log, log:
        for (name,) in log.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            log.execute(f"DROP TRIGGER {name}")
        log.execute("PRAGMA ignore_check_constraints = ON")
        literal = value if isinstance(value, str) and "x'" in value else repr(value)
        (row,) = log.execute(f"SELECT MAX(rowid) FROM {table}").fetchone()
        try:
            log.execute(f"UPDATE {table} SET {column} = {literal} WHERE rowid = ?", (row,))
        except sqlite3.Error:
            return False
    return True


@pytest.mark.parametrize("value", NONSENSE)
@pytest.mark.parametrize(("table", "column"), CELLS)
def test_no_question_ends_in_an_error_that_is_not_ours(
    sound: Path, tmp_path: Path, table: str, column: str, value: object
) -> None:
    for file in sound.iterdir():
        shutil.copy(file, tmp_path)
    with Servers.open(f"sqlite:///{sound / 'cloud.db'}") as servers:
        server_id = servers.list(name="c")[0].id
    if not damage(tmp_path / "cloud.db", table, column, value):
        return
    raw = {}
    try:
        with Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers:
            for name, ask in questions(servers, server_id, tmp_path).items():
                try:
                    ask()
                except ServerdomainError:
                    pass
                except Exception as error:
                    raw[name] = repr(error)
    except ServerdomainError:
        pass
    assert raw == {}


@pytest.mark.parametrize("value", ["x", "CAST(x'ff' AS TEXT)"])
@pytest.mark.parametrize("question", ["get", "history", "diff", "what if", "timeline", "list"])
def test_who_cannot_read_an_event_says_where_it_stands(
    sound: Path, tmp_path: Path, question: str, value: str
) -> None:
    for file in sound.iterdir():
        if file.name.startswith("cloud.db"):
            shutil.copy(file, tmp_path)
    with Servers.open(f"sqlite:///{sound / 'cloud.db'}") as servers:
        server_id = servers.list(name="c")[0].id
    assert damage(tmp_path / "cloud.db", "stored_events", "state", value)

    with (
        Servers.open(f"sqlite:///{tmp_path / 'cloud.db'}") as servers,
        pytest.raises(StoreDamaged, match="position 6"),
    ):
        questions(servers, server_id, tmp_path)[question]()
