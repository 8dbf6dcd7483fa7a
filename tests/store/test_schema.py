"""The database itself refuses to rewrite the log, whoever asks and in whatever words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from serverdomain import Context, Refused, Servers, StoreNewer
from serverdomain.store.sqlite import schema
from serverdomain.testing.store_contract import SERVER, adopted

TABLES = ("stored_events", "commands", "log")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "cloud.db"
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted(), Context(request_id="req-1"))
        servers.rename(SERVER, "second", Context(request_id="req-2"))
        servers.rename(SERVER, "third", Context(request_id="req-3"))
    return path


@pytest.fixture
def database(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def everything(database: sqlite3.Connection) -> list[object]:
    return [database.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES]


EVENT = "(position, originator_id, originator_version, topic, state, command_id)"
HEX = SERVER.replace("-", "")
REWRITES = [
    *(f"UPDATE {table} SET rowid = rowid" for table in TABLES),
    *(f"UPDATE OR IGNORE {table} SET rowid = 99" for table in TABLES),
    *(f"DELETE FROM {table}" for table in TABLES),
    "UPDATE stored_events SET state = '{}' WHERE position = 2",
    "DELETE FROM stored_events WHERE position = 3",
    f"INSERT OR REPLACE INTO stored_events {EVENT} VALUES (2, '{HEX}', 2, 't', '{{}}', 2)",
    f"REPLACE INTO stored_events {EVENT} VALUES (2, 'other', 1, 't', '{{}}', 2)",
    f"REPLACE INTO stored_events {EVENT} VALUES (NULL, '{HEX}', 2, 't', '{{}}', 2)",
    f"INSERT OR IGNORE INTO stored_events {EVENT} VALUES (NULL, '{HEX}', 2, 't', '{{}}', 2)",
    f"INSERT INTO stored_events {EVENT} VALUES (2, 'x', 1, 't', '{{}}', 2)"
    " ON CONFLICT (position) DO UPDATE SET state = '{}'",
    f"INSERT INTO stored_events {EVENT} VALUES (NULL, '{HEX}', 5, 'serverdomain:X:1', '{{}}', 2)",
    f"INSERT INTO stored_events {EVENT} VALUES (NULL, '{HEX}', 4, 't', '{{}}', NULL)",
    f"INSERT INTO stored_events {EVENT} VALUES (NULL, 'new', 2, 'serverdomain:X:1', '{{}}', 2)",
    f"INSERT INTO stored_events {EVENT} VALUES (1, 'new', 1, 't', '{{}}', 2)",
    f"INSERT INTO stored_events {EVENT} VALUES (0, 'new', 1, 't', '{{}}', 2)",
    f"INSERT INTO stored_events {EVENT} VALUES (-1, 'new', 1, 't', '{{}}', 2)",
    f"INSERT INTO stored_events {EVENT} VALUES (-7, 'new', 1, 't', '{{}}', 2)",
    f"INSERT INTO stored_events {EVENT} VALUES (NULL, 'new', 1, 'serverdomain:X:1', '{{}}', NULL)",
    *(
        f"{insert} INTO commands SELECT {command_id}, kind, server_id, members, user_id,"
        f" project_id, roles, {request_id}, correlation_id, caused_by, occurred_at,"
        f" recorded_at - {earlier}, {refused} FROM commands WHERE command_id = 3"
        for insert, command_id, request_id, earlier, refused in [
            ("REPLACE", 2, "'req-new'", 0, 0),
            ("REPLACE", 3, "'req-new'", 0, 0),
            ("INSERT OR REPLACE", "NULL", "'req-2'", 0, 0),
            ("INSERT OR IGNORE", "NULL", "'req-2'", 0, 0),
            ("INSERT", "NULL", "'req-2'", 0, 0),
            ("INSERT", -1, "'req-new'", 0, 0),
            ("INSERT", 0, "'req-new'", 0, 0),
            ("INSERT OR REPLACE", "NULL", "'req-2'", 0, "NULL"),
            ("INSERT", "NULL", "'req-new'", 1, 0),
            ("INSERT", "NULL", "'req-new'", 0, 2),
        ]
    ),
    "UPDATE log SET log_id = 'another'",
    f"REPLACE INTO stored_events {EVENT} VALUES (3, 'other', 1, 't', '{{}}', 2)",
    "INSERT INTO log VALUES ('another')",
    "REPLACE INTO log (rowid, log_id) VALUES (1, 'another')",
]


@pytest.mark.parametrize("statement", REWRITES)
def test_the_database_refuses_to_rewrite_what_is_there(
    database: sqlite3.Connection, statement: str
) -> None:
    before = everything(database)

    with pytest.raises(sqlite3.IntegrityError):
        database.execute(statement)

    assert everything(database) == before


def test_a_refused_command_claims_no_request_id(database: sqlite3.Connection) -> None:
    again = (
        "INSERT INTO commands SELECT NULL, kind, server_id, members, user_id, project_id, roles,"
        " request_id, correlation_id, caused_by, occurred_at, recorded_at, 1 FROM commands"
        " WHERE command_id = 3"
    )
    database.execute(again)
    database.execute(again)

    assert database.execute("SELECT COUNT(*) FROM commands").fetchone() == (5,)


def test_each_log_has_an_id_of_its_own() -> None:
    with Servers.open("memory:") as one, Servers.open("memory:") as other:
        ids = set()
        for servers in (one, other):
            with servers._log.reading() as log:
                ids.add(UUID(log.log_id()))
        assert len(ids) == 2


COMMAND = {
    "kind": "'stop'",
    "server_id": "'x'",
    "members": "'{}'",
    "user_id": "'fake'",
    "project_id": "'openstack'",
    "roles": "'[]'",
    "request_id": "'req-new'",
    "occurred_at": "9000000000000000",
    "recorded_at": "9000000000000000",
    "refused": "0",
}
STORED = {"originator_id": "'new'", "originator_version": "1", "topic": "'t'", "state": "'{}'"}
BOOKMARK = {"name": "'billing'", "position": "1"}


@pytest.mark.parametrize(
    ("table", "columns", "absent"),
    [
        (table, columns, column)
        for table, columns in [
            ("commands", COMMAND),
            ("stored_events", STORED),
            ("reactions", BOOKMARK),
        ]
        for column in columns
        if column != "name"
    ],
)
def test_no_row_lacks_what_every_row_says(
    database: sqlite3.Connection, table: str, columns: dict[str, str], absent: str
) -> None:
    def insert(values: dict[str, str]) -> None:
        given = ", ".join(values.values())
        database.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({given})")

    with pytest.raises(sqlite3.IntegrityError):
        insert(columns | {absent: "NULL"})
    insert(columns)


def test_an_id_that_a_refused_command_bore_is_free(database: sqlite3.Connection) -> None:
    for refused in ("1", "0"):
        values = COMMAND | {"refused": refused}
        database.execute(
            f"INSERT INTO commands ({', '.join(values)}) VALUES ({', '.join(values.values())})"
        )

    assert database.execute("SELECT COUNT(*) FROM commands").fetchone() == (5,)


def test_a_command_may_bring_its_id_where_a_log_is_put_back(database: sqlite3.Connection) -> None:
    values = {"command_id": "90"} | COMMAND
    database.execute(
        f"INSERT INTO commands ({', '.join(values)}) VALUES ({', '.join(values.values())})"
    )

    assert database.execute("SELECT MAX(command_id) FROM commands").fetchone() == (90,)


def test_a_request_id_is_unique_by_an_index_too(database: sqlite3.Connection) -> None:
    indexes = database.execute("PRAGMA index_list (commands)").fetchall()

    assert [unique for _, name, unique, *_ in indexes if name == "commands_by_request"] == [1]


def test_a_dump_put_back_keeps_every_position(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as source:
        script = "\n".join(source.iterdump())
        before = everything(source)
    with closing(sqlite3.connect(tmp_path / "restored.db")) as restored:
        restored.executescript(script)
        assert everything(restored) == before


def test_a_position_is_never_used_again(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO stored_events VALUES (90, 'new', 1, 't', '{}', NULL)")
    database.execute(
        "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
        " VALUES ('new', 2, 't', '{}')"
    )

    assert database.execute("SELECT MAX(position) FROM stored_events").fetchone() == (91,)


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("SELECT * FROM stored_events WHERE originator_id = 'x'", "sqlite_autoindex_stored_events"),
        ("SELECT * FROM stored_events WHERE command_id = 1", "stored_events_by_command"),
        ("SELECT * FROM commands WHERE request_id = 'x' AND refused = 0", "commands_by_request"),
        ("SELECT * FROM commands WHERE server_id = 'x'", "commands_by_server"),
        ("SELECT * FROM commands WHERE recorded_at > 5", "commands_by_time"),
        (
            "SELECT * FROM commands WHERE refused = 1 AND user_id = 'x' AND project_id = 'y'"
            " AND recorded_at > 5",
            "commands_refused",
        ),
    ],
)
def test_server_time_and_request_are_looked_up_by_an_index(
    database: sqlite3.Connection, question: str, index: str
) -> None:
    plan = database.execute(f"EXPLAIN QUERY PLAN {question}").fetchall()

    assert index in str(plan)
    assert "SCAN" not in str(plan)


def test_no_question_of_ours_reads_a_whole_table(path: Path) -> None:
    asked: list[str] = []
    with Servers.open(f"sqlite:///{path}") as servers, servers._log.connections.reading() as idle:
        # The connections that will be used are told to say what they are asked.
        with (
            servers._log.connections.reading() as reader,
            servers._log.connections.writing() as writer,
        ):
            for connection in (idle, reader, writer):
                connection.set_trace_callback(asked.append)
        servers.rename(SERVER, "third", Context(request_id="req-3"))
        servers.stop(SERVER)
        with pytest.raises(Refused):
            servers.stop(SERVER)
        servers.get(SERVER)
        servers.history(SERVER)
        servers.list()
        servers.view.status()
    questions = {statement for statement in asked if statement.startswith("SELECT")}
    with closing(sqlite3.connect(path)) as database:
        plans = {
            question: str(database.execute(f"EXPLAIN QUERY PLAN {question}").fetchall())
            for question in questions
        }

    assert len(questions) > 10
    # Of log there is one row; the latest command is the first that is met from the end; and the
    # values that a question is given in JSON are no table of ours.
    assert [
        question
        for question, plan in plans.items()
        if "SCAN" in plan.replace("SCAN json_each", "")
        and "FROM log" not in question
        and "LIMIT 1" not in question
    ] == []


def test_every_table_keeps_its_rowid_and_positions_count_up(database: sqlite3.Connection) -> None:
    made = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type='table'"))

    assert set(made) == {*TABLES, "reactions", "sqlite_sequence"}
    assert not [name for name, sql in made.items() if "WITHOUT ROWID" in sql]
    assert "position INTEGER PRIMARY KEY AUTOINCREMENT" in made["stored_events"]
    assert "command_id INTEGER PRIMARY KEY AUTOINCREMENT" in made["commands"]


def test_an_older_file_takes_the_steps_it_lacks(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = (*schema.STEPS, ("CREATE TABLE newer (a)", "CREATE INDEX newer_a ON newer (a)"))
    monkeypatch.setattr(schema, "STEPS", newer)

    with Servers.open(f"sqlite:///{path}", create=False) as servers:
        assert servers.get(SERVER).name == "third"

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT COUNT(*) FROM newer").fetchone() == (0,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(newer),)


def test_a_log_that_goes_elsewhere_says_where_to_and_takes_nothing_more(
    database: sqlite3.Connection,
) -> None:
    assert schema.moved_to(database) is None
    taken = schema.version(database, "it")
    schema.move(database, "elsewhere.db")
    assert schema.moved_to(database) == "elsewhere.db"
    assert schema.version(database, "it") == taken
    with pytest.raises(sqlite3.IntegrityError, match="moved"):
        database.execute(f"INSERT INTO stored_events {EVENT} VALUES (4, 'x', 1, 't', '{{}}', 2)")
    for rewrite in ("UPDATE moved SET place = 'nowhere'", "DELETE FROM moved"):
        with pytest.raises(sqlite3.IntegrityError):
            database.execute(rewrite)
    assert schema.moved_to(database) == "elsewhere.db"


def test_one_that_went_as_soon_as_it_was_made_says_so_too() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE moved (place)")
        connection.execute("INSERT INTO moved VALUES ('there')")
        connection.execute(f"PRAGMA user_version = {schema.MOVED}")
        assert schema.moved_to(connection) == "there"
        assert schema.version(connection, "it") == 0


def test_a_newer_file_is_refused_with_words_and_untouched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 77")
    before = path.read_bytes()

    with pytest.raises(StoreNewer, match=r"schema version 77.*upgrade"):
        Servers.open(f"sqlite:///{path}")

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "guard",
    [
        "stored_events_append",
        "commands_append",
        "log_append",
        *(f"{table}_no_{what}" for table in TABLES for what in ("update", "delete")),
    ],
)
def test_each_guard_is_needed(database: sqlite3.Connection, guard: str) -> None:
    database.execute(f"DROP TRIGGER {guard}")
    before = everything(database)
    broken = []
    for statement in REWRITES:
        database.execute("BEGIN")
        try:
            database.execute(statement)
            broken += [statement] if everything(database) != before else []
        except sqlite3.IntegrityError:
            pass
        database.execute("ROLLBACK")

    assert broken
