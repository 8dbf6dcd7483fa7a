"""Check finds what somebody changed in the file, and nothing where nobody did."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from serverdomain import (
    Context,
    Refused,
    ServerdomainError,
    Servers,
    StoreDamaged,
    StoreForeign,
    StoreMissing,
    StoreNewer,
)
from serverdomain.audit.check import check, findings
from serverdomain.audit.check_times import Times
from serverdomain.domain import events as e
from serverdomain.domain.moment import EARLIEST, LATEST, to_micros
from serverdomain.projections.generations import live
from serverdomain.projections.timeline_rows import COLUMNS as TIMELINE_COLUMNS
from serverdomain.projections.timeline_rows import TIMELINE
from serverdomain.store.accept import MOST_AHEAD
from serverdomain.store.finding import Finding
from serverdomain.store.opening import open_log
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.examination import examine
from serverdomain.testing import OWNER, ManualClock, strategies
from serverdomain.testing.store_contract import NEW_IMAGE, OTHER, SERVER, adopted
from tests.adapters.exchange.logs import rows as rows_of
from tests.projections.cloud import NEWER, Cloud, change
from tests.store.owner import spoil

HEX, OTHER_HEX = SERVER.replace("-", ""), OTHER.replace("-", "")

# Positions:           1 registered  2 registered  3 renamed  4 refused  5 stopped  6 renamed twice


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store and its view, whose files every test gets for itself."""
    path = tmp_path_factory.mktemp("made") / "cloud.db"
    clock = ManualClock()
    with Servers.open(f"sqlite:///{path}", clock=clock) as servers:
        servers.register(adopted(), Context(OWNER, "req-1"))
        servers.register(adopted(OTHER, name="other"), Context(OWNER, "req-2"))
        clock.advance(60)
        servers.rename(SERVER, "third", Context(OWNER, "req-3"))
        with pytest.raises(Refused):
            servers.start(SERVER, Context(OWNER, "req-4"))
        clock.advance(60)
        servers.stop(SERVER, Context(OWNER, "req-5"))
        servers.record(
            OTHER, [e.ServerRenamed("six"), e.ServerRenamed("seven")], Context(OWNER, "req-6")
        )
        servers.list()
    return path.parent


@pytest.fixture
def path(made: Path, tmp_path: Path) -> Path:
    for file in made.iterdir():
        shutil.copy(file, tmp_path)
    return tmp_path / "cloud.db"


@pytest.fixture
def servers(kept_url: str, made: Path) -> Iterator[Servers]:
    """The same on each engine, open."""
    with closing(open_log(f"sqlite:///{made / 'cloud.db'}")) as log:
        rows = rows_of(log)
    with Servers.open(kept_url) as servers:
        with servers._log.bulk() as log:
            log.append_rows(rows)
        servers.list()
        yield servers


def told(servers: Servers) -> list[tuple[str, int | None]]:
    return [(finding.what, finding.position) for finding in servers.check()]


def tamper(path: Path, *statements: str) -> None:
    """Change rows as somebody does who takes the guards away and puts them back."""
    with closing(sqlite3.connect(path)) as connection, connection:
        guards = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        for _, sql in guards:
            connection.execute(sql)


def checked(path: Path, view: Path | None = None) -> list[Finding]:
    return list(check(examine(places.from_path(path, "store")), path, view, now=now()))


def now() -> int:
    return to_micros(datetime.now(UTC))


def found(path: Path) -> list[tuple[str, int | None]]:
    return [(finding.what, finding.position) for finding in checked(path)]


def test_of_a_sound_store_there_is_nothing_to_say_and_nothing_is_written(path: Path) -> None:
    before = path.read_bytes()

    assert checked(path) == []
    assert path.read_bytes() == before


# Rows

EVENT = "UPDATE stored_events SET"
COMMAND = "UPDATE commands SET"

TAMPERED = [
    ("DELETE FROM stored_events WHERE position = 3", 5, "version 3 of .* follows version 1"),
    ("DELETE FROM stored_events WHERE position = 3", None, "command 3 .rename .* has no event"),
    ("DELETE FROM stored_events WHERE position = 2", 6, "begins with version 2"),
    ("DELETE FROM stored_events WHERE position = 7", None, "ends at position 6, .* given was 7"),
    (f"{EVENT} originator_version = 9 WHERE position = 5", 5, "version 9 .* follows version 2"),
    (f"{EVENT} state = '{{}}' WHERE position = 3", 3, "cannot be read"),
    (f"{EVENT} state = x'ff' WHERE position = 3", 3, "cannot be read"),
    (f"{EVENT} state = 7 WHERE position = 3", 3, "cannot be read"),
    (
        f"{EVENT} state = CAST(x'7b226e616d65223a22ff227d' AS TEXT) WHERE position = 3",
        3,
        "its event cannot be read",
    ),
    (f"{EVENT} topic = CAST(x'ff' AS TEXT) WHERE position = 3", 3, "no event of a server"),
    (f"{EVENT} topic = '{NEWER}' WHERE position = 3", 3, "an event of a newer release"),
    (f'{EVENT} state = \'{{"name":"x"}}\' WHERE position = 3', None, "is not the fold in name"),
    (
        f"{EVENT} originator_id = '{OTHER_HEX}', originator_version = 9 WHERE position = 3",
        3,
        f"a ServerRenamed stands in {OTHER_HEX}, its command is of server {SERVER}",
    ),
    (
        f"{EVENT} state = replace(state, '{OTHER}', '{SERVER}') WHERE position = 2",
        2,
        f"names server {SERVER}, its command {OTHER}",
    ),
    (
        f"{EVENT} state = replace(state, 'start', 'stop') WHERE position = 4",
        4,
        "a refused stop, its command is a start",
    ),
    (f"{EVENT} command_id = 99 WHERE position = 3", 3, "its command 99 is not there"),
    (f"{EVENT} command_id = 2 WHERE position = 5", 5, "its command 2 is older than 4"),
    ("DELETE FROM commands WHERE command_id = 3", 3, "its command 3 is not there"),
    ("DELETE FROM commands WHERE command_id = 6", None, "ends at command_id 5, .* given was 6"),
    (
        f"{COMMAND} recorded_at = 5 WHERE command_id = 5",
        5,
        "recorded at 1970-.*, the one before it",
    ),
    (
        f"{COMMAND} recorded_at = 4611686018427387904 WHERE command_id = 6",
        6,
        "no time in recorded_at",
    ),
    (f"{COMMAND} occurred_at = 'noon' WHERE command_id = 3", 3, "no time in occurred_at: 'noon'"),
    (f"{COMMAND} occurred_at = 5 WHERE command_id = 5", None, "is not the fold in"),
    (
        f"{COMMAND} occurred_at = occurred_at - 200000000 WHERE command_id = 5",
        5,
        "command 5 occurred at .*, its server had a fact at .* then",
    ),
    (
        f"{COMMAND} occurred_at = occurred_at + 300000001 WHERE command_id = 6",
        6,
        "command 6 occurred at .*, more than five minutes after it was recorded",
    ),
    (f"{COMMAND} kind = 'paint' WHERE command_id = 3", 3, "of no known kind: 'paint'"),
    (f"{COMMAND} members = '[]' WHERE command_id = 3", 3, "members of command 3 .* read: Expected"),
    (f"{COMMAND} roles = '{{' WHERE command_id = 3", 3, "of command 3 cannot be read: roles"),
    (
        f"{COMMAND} members = CAST(x'7bff7d' AS TEXT) WHERE command_id = 3",
        3,
        "members of command 3 cannot be read",
    ),
    (
        f"{COMMAND} roles = '[\"\"]' WHERE command_id = 3",
        3,
        "command 3 .*: roles: 0 characters came",
    ),
    (
        f"{COMMAND} user_id = '' WHERE command_id = 3",
        3,
        "envelope of command 3 .*: user_id: 0 characters came",
    ),
    (f"{COMMAND} request_id = 'a b' WHERE command_id = 3", 3, "request_id: 'a b' came"),
    (f"{COMMAND} correlation_id = CAST(x'ff' AS TEXT) WHERE command_id = 3", 3, "correlation_id"),
    (f"{COMMAND} caused_by = x'ff' WHERE command_id = 3", 3, "caused_by"),
    (f"{COMMAND} server_id = 'x' WHERE command_id = 3", 3, "of no server: 'x'"),
    (f"{COMMAND} server_id = '{OTHER}' WHERE command_id = 3", 3, "its command is of server"),
    (f"{COMMAND} refused = 0 WHERE command_id = 4", 4, "its command was not refused"),
    (f"{COMMAND} refused = 1 WHERE command_id = 3", 3, "its command was refused"),
    ("UPDATE reactions SET position = 99", None, "billing stands at position 99, the log ends"),
    ("UPDATE reactions SET position = -1", None, "billing stands at position -1, the log ends"),
    ("UPDATE reactions SET stopped_at = 99", None, "billing stopped at position 99, the log ends"),
    (
        "UPDATE reactions SET name = CAST(x'ff' AS TEXT)",
        None,
        "'.udcff' is no name that a reaction",
    ),
    ("UPDATE reactions SET why = CAST(x'ff' AS TEXT)", None, "why billing stopped cannot be read"),
    ("DELETE FROM log", None, "the one id"),
    ("UPDATE log SET log_id = 'x'", None, "the view is another log's"),
]


@pytest.mark.parametrize(("statement", "position", "what"), TAMPERED)
def test_an_edit_in_the_file_is_found_and_named(
    servers: Servers, statement: str, position: int | None, what: str
) -> None:
    spoil(servers._log, "INSERT INTO reactions VALUES ('billing', 7, NULL, NULL)")
    assert servers.check() == []

    spoil(servers._log, statement)

    assert [one for one in told(servers) if one[1] == position and re.search(what, one[0])]


def test_a_time_that_stands_out_is_said_once(servers: Servers) -> None:
    spoil(
        servers._log,
        "UPDATE commands SET recorded_at = recorded_at + 3600000000 WHERE command_id = 3",
    )

    ((what, position),) = told(servers)
    assert position == 4
    assert what.startswith("command 4 was recorded at ")


def test_what_is_wrong_with_one_row_hides_nothing_behind_it(servers: Servers) -> None:
    spoil(
        servers._log,
        f"{EVENT} topic = 'nonsense' WHERE position = 1",
        "DELETE FROM commands WHERE command_id = 2",
        f"{EVENT} originator_version = 9 WHERE position = 5",
        f"{COMMAND} kind = 'paint' WHERE command_id = 3",
        f"{COMMAND} kind = 'paint' WHERE command_id = 5",
    )

    there = set(told(servers))
    assert there >= {
        ("its command 2 is not there", 2),
        ("command 3 is of no known kind: 'paint'", 3),
        (f"version 9 of {HEX} follows version 2", 5),
        ("command 5 is of no known kind: 'paint'", 5),
    }
    assert 1 in {position for _, position in there}


@pytest.mark.parametrize("position", [3, 4, 8])
def test_an_event_that_cannot_be_read_is_a_finding_on_the_log_alone(
    path: Path, timeline: Path, position: int
) -> None:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted(NEW_IMAGE))
        servers.rename(SERVER, "last")
        servers.list()
        list(servers.timeline.search())
    tamper(path, f"{EVENT} state = x'ff' WHERE position = {position}")

    ((what, at),) = found(path)
    assert what.startswith("its event cannot be read: ")
    assert at == position


def test_a_topic_that_is_no_text_stops_no_part_of_the_check(path: Path, timeline: Path) -> None:
    tamper(path, f"{EVENT} topic = x'ff' WHERE position = 3")

    there = found(path)
    assert ("b'\\xff' is no event of a server, and has a command", 3) in there
    assert not [one for one, _ in there if "is not checked" in one]


def test_a_refused_command_is_no_fact_of_its_server(path: Path) -> None:
    soon = ManualClock().now + timedelta(minutes=6)
    with Servers.open(f"sqlite:///{path}", clock=ManualClock(soon)) as servers:
        with pytest.raises(Refused):
            servers.start(OTHER, occurred_at=soon + timedelta(minutes=5))
        servers.rename(OTHER, "earlier", occurred_at=soon)

    assert checked(path) == []


def test_rows_that_change_places_are_found(servers: Servers) -> None:
    spoil(
        servers._log,
        "UPDATE stored_events SET position = 100 WHERE position = 3",
        "UPDATE stored_events SET position = 3 WHERE position = 5",
        "UPDATE stored_events SET position = 5 WHERE position = 100",
    )

    assert ("its command 3 is older than 5", 5) in told(servers)


# What was made


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("DROP TRIGGER commands_append", "the guard commands_append is missing"),
        ("DROP INDEX commands_by_time", "the index commands_by_time is missing"),
        ("DROP TABLE reactions", "the table reactions is missing"),
        (
            "CREATE TRIGGER also AFTER INSERT ON commands BEGIN SELECT 1; END",
            "the trigger also is none of the store's own",
        ),
        (
            "CREATE TRIGGER sqlitex_also AFTER INSERT ON commands BEGIN SELECT 1; END",
            "the trigger sqlitex_also is none of the store's own",
        ),
        ("CREATE TABLE sqliteY (x)", "the table sqliteY is none of the store's own"),
        ("CREATE VIEW also AS SELECT 1", "the view also is none of the store's own"),
        (
            "CREATE INDEX also ON commands (user_id)",
            "the index also is none of the store's own",
        ),
        (
            "INSERT INTO sqlite_sequence VALUES ('commands', 1)",
            "commands ends at command_id 6, the last one given was 6 and 1",
        ),
        ("PRAGMA user_version = 2", "the index"),
    ],
)
def test_what_a_store_is_made_with_must_be_there(path: Path, statement: str, what: str) -> None:
    change(path, statement)

    if "user_version" in statement:  # An older file has what its steps have made.
        assert found(path) == []
    else:
        assert found(path) == [(what, None)]


def test_a_guard_that_guards_nothing_is_found(path: Path) -> None:
    change(
        path,
        "DROP TRIGGER log_append",
        "CREATE TRIGGER log_append BEFORE INSERT ON log BEGIN SELECT 1; END",
    )

    assert found(path) == [("the guard log_append is not as it was made", None)]


def change_behind_index(path: Path, index: str, statement: str) -> None:
    """Change a row so that an index of its table does not follow."""

    def schema(do: Callable[[sqlite3.Connection], Any]) -> Any:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("PRAGMA writable_schema = ON")
            return do(connection)

    where = f"FROM sqlite_master WHERE name = '{index}'"
    row = schema(lambda log: log.execute(f"SELECT * {where}").fetchone())
    schema(lambda log: log.execute(f"DELETE {where}"))
    tamper(path, statement)
    schema(lambda log: log.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row))


def test_an_index_that_does_not_match_its_table_is_found(path: Path) -> None:
    change_behind_index(
        path, "commands_by_server", f"{COMMAND} server_id = 'x' WHERE command_id = 3"
    )

    assert any("missing from index commands_by_server" in what for what, _ in found(path))


@pytest.mark.parametrize(
    ("what", "index", "statement"),
    [
        ("view", "idx_server_1_status", "UPDATE server_1 SET status = 'x'"),
        ("timeline", "idx_timeline_1_request_id", "UPDATE timeline_1 SET request_id = 'x'"),
    ],
)
def test_so_is_one_of_a_view(
    path: Path, timeline: Path, what: str, index: str, statement: str
) -> None:
    change_behind_index(path.with_name(f"cloud.{what}.db"), index, statement)

    incoherent = [one for one, _ in found(path) if f"missing from index {index}" in one]
    assert incoherent
    assert incoherent[0].startswith(f"the {what}'s file is incoherent: ")


def test_a_name_that_sqlite_keeps_for_itself_hides_nothing(path: Path) -> None:
    change(path, "CREATE TRIGGER also AFTER INSERT ON commands BEGIN SELECT 1; END")
    change(
        path,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET name = 'sqlite_also', sql = replace(sql, 'also', 'sqlite_also')"
        " WHERE name = 'also'",
    )

    assert found(path) == [("the trigger sqlite_also is none of the store's own", None)]


def test_what_sqlite_counts_and_what_eventsourcing_keeps_beside_is_no_finding(path: Path) -> None:
    change(
        path,
        "ANALYZE",
        "CREATE TABLE tracking (application_name TEXT, notification_id BIGINT PRIMARY KEY)",
        "CREATE TABLE snapshots (originator_id TEXT PRIMARY KEY)",
    )

    assert found(path) == []


# The clock


def test_a_log_that_lies_ahead_of_the_clock_is_found(path: Path) -> None:
    clock = ManualClock(datetime.now(UTC) + timedelta(minutes=6))
    with Servers.open(f"sqlite:///{path}", clock=clock) as servers:
        servers.rename(SERVER, "from the future")
        assert servers.check() == []

    ((what, position),) = found(path)
    assert what.startswith("the log lies ahead of the clock: it is ")
    assert position == 8


def test_a_log_lies_ahead_once_it_is_more_than_five_minutes(path: Path) -> None:
    with closing(sqlite3.connect(path)) as log:
        (latest,) = log.execute("SELECT MAX(recorded_at) FROM commands").fetchone()

    def at(now: int) -> list[Finding]:
        return list(check(examine(places.from_path(path, "store")), path, now=now))

    assert at(latest - MOST_AHEAD) == []
    (ahead,) = at(latest - MOST_AHEAD - 1)
    assert (ahead.kind, ahead.position) == ("time", 7)


def test_a_command_may_have_occurred_five_minutes_after_it_was_recorded_and_no_later() -> None:
    def wrong(occurred_at: int, recorded_at: int) -> list[str]:
        return list(Times().wrong(SERVER, occurred_at, recorded_at, False, False))

    assert wrong(7 + MOST_AHEAD, 7) == []
    assert len(wrong(8 + MOST_AHEAD, 7)) == 1
    for end in (EARLIEST, LATEST):
        assert wrong(end, end) == []
    assert len(wrong(EARLIEST - 1, LATEST + 1)) == 2


# The view


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        (
            "UPDATE server_1 SET name = 'x', status = 'y'",
            f"server {SERVER} is not the fold in name, status",
        ),
        ("UPDATE server_1 SET server = '{}'", f"server {SERVER} is not the fold in server"),
        ("UPDATE server_1 SET version = 77", f"server {SERVER} is not the fold in version"),
        (f"DELETE FROM server_1 WHERE id = '{SERVER}'", f"server {SERVER} is not in the view"),
        (
            f"UPDATE server_1 SET id = '{NEW_IMAGE}' WHERE id = '{OTHER}'",
            f"server {NEW_IMAGE} is in the view, and not in the log",
        ),
        ("UPDATE server_1 SET id = '0' WHERE id = '" + OTHER + "'", "server 0 is in the view"),
        ("UPDATE follows SET log_id = 'x'", "the view is another log's"),
        ("UPDATE generations SET row_hash = 'x'", "has another row where the view stands"),
        ("UPDATE generations SET live = 0", "no generation is live"),
        ("DROP TABLE generations", "no such table: generations"),
    ],
)
def test_a_view_that_is_not_the_fold_is_found(path: Path, statement: str, what: str) -> None:
    change(path.with_name("cloud.view.db"), statement)

    findings = checked(path)
    assert any(what in finding.what for finding in findings)
    assert {finding.kind for finding in findings} <= {"view", "file"}


def test_a_deleted_server_may_not_be_in_the_view(path: Path) -> None:
    with Servers.open(f"sqlite:///{path}") as servers:
        row = _row(path)
        servers.delete(SERVER)
        servers.list()
        with servers.view._file.writing() as rows:
            rows.execute(f"INSERT INTO server_1 VALUES ({', '.join('?' * len(row))})", row)

    assert [what for what, _ in found(path)] == [
        f"server {SERVER} is in the view, and not there any more"
    ]


def _row(path: Path) -> tuple[Any, ...]:
    with closing(sqlite3.connect(path.with_name("cloud.view.db"))) as view:
        row: tuple[Any, ...] = view.execute(
            "SELECT * FROM server WHERE id = ?", (SERVER,)
        ).fetchone()
        return row


def test_a_view_that_is_behind_or_older_or_missing_is_no_finding(path: Path) -> None:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.start(SERVER)
        servers.delete(OTHER)
    assert checked(path) == []

    change(path.with_name("cloud.view.db"), "PRAGMA user_version = 77", "DELETE FROM server_1")
    assert checked(path) == []

    path.with_name("cloud.view.db").unlink()
    assert checked(path) == []


def test_a_view_that_is_something_else_is_found_and_the_log_checked(path: Path) -> None:
    view = path.with_name("elsewhere.db")
    change(view, "CREATE TABLE notes (x)")
    tamper(path, "DELETE FROM stored_events WHERE position = 3")
    (foreign, *others) = checked(path, view)

    assert (foreign.kind, "no serverdomain view" in foreign.what) == ("view", True)
    assert "version" in {finding.kind for finding in others}


# Files


def test_a_damaged_store_is_read_as_far_as_it_can_be(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'commands'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    findings = checked(path)
    assert {"file"} <= {finding.kind for finding in findings}
    assert any("is not checked" in finding.what for finding in findings)


NOBODY = """
import os, sys
import urllib.parse  # Which nobody could not load any more.
from pathlib import Path
from serverdomain import StoreError
from serverdomain.audit.check import check
from serverdomain.store.sqlite import place as places
from serverdomain.store.sqlite.examination import examine

path = Path(sys.argv[1])
path.parent.chmod(0o555)
if os.geteuid() == 0:  # Who may do everything takes the place of somebody who may not.
    path.chmod(0o444)
    os.setuid(65534)
store = places.from_path(path, "store")
try:
    view = path.with_name("no view")
    print([str(finding) for finding in check(examine(store), path, view, now=2**52)])
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize("beside", [b"", b"x"], ids=["nothing", "what is no commit"])
def test_where_nothing_may_be_written_a_file_is_read_whatever_lies_beside_it(
    path: Path, beside: bytes
) -> None:
    # Not in pytest's own folder, into which nobody else may go.
    with TemporaryDirectory() as folder:
        there = Path(shutil.copy(path, folder))
        there.with_name("cloud.db-wal").write_bytes(beside)
        try:
            ran = subprocess.run(
                [sys.executable, "-c", NOBODY, str(there)],
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            Path(folder).chmod(0o755)

    assert ran.stdout == "[]\n", ran.stderr


def test_what_is_no_store_raises(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreMissing):
        checked(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreMissing):
        checked(tmp_path / "empty.db")
    with pytest.raises(StoreForeign):
        checked(tmp_path / "cloud.view.db")
    change(path, "PRAGMA user_version = 77")
    with pytest.raises(StoreNewer):
        checked(path)
    path.write_bytes(b"x" * 10_000)
    with pytest.raises(StoreDamaged):
        checked(path)


def test_while_others_write_nothing_is_found(path: Path) -> None:
    store = places.from_path(path, "store")
    with Servers.open(f"sqlite:///{path}") as servers:
        findings = check(examine(store), path, now=now())
        for number in range(5):
            servers.rename(SERVER, f"while {number}")
            servers.list()
        assert list(findings) == []


def test_of_another_applications_events_only_versions_are_asked(new_log: Callable[[], str]) -> None:
    with Cloud(new_log()) as cloud:
        cloud.create("web")
        cloud.append_foreign(UUID(int=0), range(7, 12))
        cloud.servers.list()
        cloud.servers.timeline.catch_up()
        assert findings_in(cloud) == []

        spoil(cloud.store, "DELETE FROM stored_events WHERE position = 4")
        assert ("version", 5) in [(one.kind, one.position) for one in findings_in(cloud)]


def test_servers_check_themselves_and_tell_how_far_they_are(path: Path) -> None:
    told: list[tuple[int, int]] = []
    with Servers.open(f"sqlite:///{path}") as servers:
        assert servers.check(lambda done, of: told.append((done, of))) == []
        assert told == [(14, 14)]
        tamper(path, "UPDATE commands SET roles = '' WHERE command_id = 3")
        (finding,) = servers.check()

    assert finding.kind == "command"
    assert str(finding).startswith("position 3: the envelope of command 3 cannot be read: roles")


def test_who_waits_is_told_of_every_pass_over_the_log_and_of_an_empty_one(
    path: Path, timeline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serverdomain.audit.check._EVERY", 10)
    told: list[tuple[int, int]] = []
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.check(lambda done, of: told.append((done, of)))
    assert told == [(10, 28), (20, 28), (28, 28)]

    told.clear()
    with Servers.open("memory:") as servers:
        servers.check(lambda done, of: told.append((done, of)))
    assert told == [(1, 1)]


def test_a_view_that_was_named_is_the_one_that_is_checked(path: Path, tmp_path: Path) -> None:
    named = tmp_path / "named.db"
    with Servers.open(f"sqlite:///{path}", view=named) as servers:
        servers.list()
        change(named, "UPDATE server_1 SET name = 'x'")
        assert {finding.kind for finding in servers.check()} == {"view"}


# Any history

DEEDS = st.lists(
    st.tuples(
        st.sampled_from((SERVER, OTHER)),
        st.lists(strategies.events(), min_size=1, max_size=3) | strategies.commands(),
        st.integers(-3, 3),
    ),
    max_size=6,
)
COLUMNS = [
    *(("stored_events", column) for column in ("originator_id", "originator_version")),
    *(("stored_events", column) for column in ("topic", "state", "command_id")),
    *(("commands", column) for column in ("kind", "server_id", "members", "roles")),
    *(("commands", column) for column in ("occurred_at", "recorded_at", "refused")),
]


def played(cloud: Cloud, deeds: Any) -> None:
    start = cloud.clock.now
    for server_id in (SERVER, OTHER):
        cloud.servers.register(adopted(server_id))
    for number, (server_id, what, seconds) in enumerate(deeds):
        cloud.clock.advance(1)
        context = Context(OWNER, f"req-{number}")
        with suppress(ServerdomainError):
            if isinstance(what, list):
                facts = [
                    replace(one, server_id=server_id) if hasattr(one, "server_id") else one
                    for one in what
                ]
                at = start + timedelta(seconds=seconds)
                cloud.servers.record(server_id, facts, context, occurred_at=at)
            else:
                cloud.servers.command(server_id, what, context)
        if number % 2:
            cloud.servers.timeline.catch_up()
    cloud.servers.list()
    cloud.servers.timeline.catch_up()


def findings_in(cloud: Cloud) -> list[Finding]:
    with (
        cloud.servers.view._file.reading() as rows,
        cloud.servers.timeline._file.reading() as events,
        cloud.store.examining() as log,
    ):
        return list(findings(log, rows, events, now=now()))


@settings(max_examples=settings().max_examples // 4)
@for_any(DEEDS, st.data())
def test_of_any_history_a_forged_row_of_the_timeline_is_found(
    new_log: Callable[[], str], deeds: Any, data: Any
) -> None:
    with Cloud(new_log()) as cloud:
        played(cloud, deeds)
        # As it was followed, page by page, and as it is made anew.
        for made in ("followed", "replayed"):
            if made == "replayed":
                cloud.servers.timeline.replay()
            assert findings_in(cloud) == []
        there = {one.position: one for one in cloud.servers.timeline.search()}
        position = data.draw(st.sampled_from(sorted(there)))
        column = data.draw(
            st.sampled_from([name for name in TIMELINE_COLUMNS if name != "version"])
        )
        with cloud.servers.timeline._file.writing() as rows:
            generation = live(rows, TIMELINE)
            rows.execute(
                f"UPDATE {generation.table} SET {column} = 9999 WHERE position = ?", (position,)
            )
        found = findings_in(cloud)
        assert {finding.kind for finding in found} == {"timeline"}
        assert position in {finding.position for finding in found}


@pytest.fixture
def timeline(path: Path) -> Path:
    """The file of the store's timeline."""
    with Servers.open(f"sqlite:///{path}") as servers:
        list(servers.timeline.search())
    return path.with_name("cloud.timeline.db")


@pytest.mark.parametrize(
    ("statement", "what", "position"),
    [
        ("UPDATE timeline_1 SET user_id = 'x' WHERE position = 3", "not the event in user_id", 3),
        ("UPDATE timeline_1 SET user_id = 'x' WHERE position = 4", "not the event in user_id", 4),
        ("UPDATE timeline_1 SET changes = '[]' WHERE position = 3", "not the event in changes", 3),
        (
            "UPDATE timeline_1 SET server_project_id = 'x', ended = 'failed' WHERE position = 4",
            "not the event in server_project_id, ended",
            4,
        ),
        ("DELETE FROM timeline_1 WHERE position = 3", "the timeline has no row of this event", 3),
        ("DELETE FROM timeline_1 WHERE position = 4", "the timeline has no row of this event", 4),
        (f"DELETE FROM timeline_1 WHERE server_id = '{OTHER}'", "has no row of this event", 6),
        (
            "UPDATE timeline_1 SET position = 99 WHERE position = 3",
            "a row of an event that is not",
            99,
        ),
        (
            "UPDATE timeline_1 SET position = 99 WHERE position = 4",
            "a row of an event that is not",
            99,
        ),
        (
            f"UPDATE timeline_1 SET server_id = '{NEW_IMAGE}' WHERE position = 3",
            "the timeline has a row of an event that is not",
            3,
        ),
        ("UPDATE timeline_1 SET version = NULL WHERE position = 3", "has no row of this event", 3),
        (
            "UPDATE timeline_1_server SET server = replace(server, 'third', 'x')",
            f"server {SERVER} is not the fold in the timeline",
            None,
        ),
        ("UPDATE timeline_1_server SET server = 'x'", "is not the fold in the timeline", None),
        ("DELETE FROM timeline_1_server", "is not the fold in the timeline", None),
        ("UPDATE follows SET log_id = 'x'", "the timeline is another log's", None),
        ("UPDATE generations SET row_hash = 'x'", "another row where the timeline stands", 7),
        ("DROP TABLE generations", "no such table: generations", None),
    ],
)
def test_a_timeline_that_is_not_as_the_log_makes_it_is_found(
    path: Path, timeline: Path, statement: str, what: str, position: int | None
) -> None:
    assert checked(path) == []
    change(timeline, statement)

    findings = checked(path)
    assert any(what in one.what and one.position == position for one in findings), findings
    assert {finding.kind for finding in findings} <= {"timeline", "file"}


def test_a_refusal_that_cannot_be_read_hides_none_behind_it(path: Path) -> None:
    with Servers.open(f"sqlite:///{path}") as servers:
        with pytest.raises(Refused):
            servers.stop(SERVER)
        list(servers.timeline.search())
    tamper(path, f"{EVENT} state = x'ff' WHERE position = 4")
    change(path.with_name("cloud.timeline.db"), "DELETE FROM timeline_1 WHERE position = 8")

    assert ("the timeline has no row of this event", 8) in found(path)


def test_a_server_that_has_not_begun_is_none_in_the_timeline(path: Path) -> None:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.record(NEW_IMAGE, [e.ServerRenamed("too early")])
        list(servers.timeline.search())
    assert checked(path) == []

    with closing(sqlite3.connect(path.with_name("cloud.timeline.db"))) as rows, rows:
        rows.execute("INSERT INTO timeline_1_server VALUES (?, 'x')", (NEW_IMAGE,))
    assert found(path) == [(f"server {NEW_IMAGE} is not the fold in the timeline", None)]


def test_a_timeline_that_is_behind_or_older_is_no_finding(path: Path, timeline: Path) -> None:
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.rename(SERVER, "later")
    assert checked(path) == []
    change(timeline, "PRAGMA user_version = 1", "DELETE FROM timeline_1")
    assert checked(path) == []
    timeline.write_bytes(b"x" * 5_000)
    (finding,) = checked(path)
    assert finding.kind == "timeline"


@settings(max_examples=settings().max_examples // 4)
@for_any(DEEDS, st.data())
def test_of_any_history_nothing_is_said_until_a_row_is_changed(deeds: Any, data: Any) -> None:
    with Cloud() as cloud:
        played(cloud, deeds)
        assert findings_in(cloud) == []
        assert cloud.servers.check() == []

        table, column = data.draw(st.sampled_from(COLUMNS))
        with cloud.store.connections.writing() as log:
            (rows,) = log.execute(f"SELECT MAX(rowid) FROM {table}").fetchone()
            row = data.draw(st.integers(1, rows))
            log.execute(f"DROP TRIGGER {table}_no_update")
            other = "1 - refused" if column == "refused" else "x'ff'"
            log.execute(f"UPDATE {table} SET {column} = {other} WHERE rowid = ?", (row,))
        assert {finding.kind for finding in findings_in(cloud)} > {"schema"}
