"""An engine is a folder: nobody else knows the log's tables, and few know SQLite."""

from tests.house.engines import (
    FILES_OF_THEIR_OWN,
    at_home_with_sqlite3,
    entering_engines,
    importing_sqlite3,
    is_of_an_engine,
    naming_tables,
    sql_of,
)


def test_sql_over_the_logs_tables_stands_in_an_engines_folder_alone():
    assert [one for one in naming_tables() if not is_of_an_engine(one)] == []


def test_sqlite3_is_imported_by_engines_and_by_those_who_keep_files_of_their_own():
    assert [one for one in importing_sqlite3() if not at_home_with_sqlite3(one)] == []


def test_an_engine_is_entered_where_a_url_is_opened_and_by_those_who_keep_files_of_their_own():
    assert {*entering_engines()} - FILES_OF_THEIR_OWN.keys() == {"serverdomain.store.opening"}


def test_those_who_may_import_sqlite3_do_so():
    assert FILES_OF_THEIR_OWN.keys() <= set(importing_sqlite3())
    assert any(is_of_an_engine(one) for one in naming_tables()), "an engine lies where it should"


def test_an_engine_is_a_folder_and_not_what_begins_with_its_name():
    assert is_of_an_engine("serverdomain.store.sqlite")
    assert is_of_an_engine("serverdomain.store.sqlite.schema")
    assert not is_of_an_engine("serverdomain.store.sqlite_rows")
    assert not is_of_an_engine("serverdomain.store")


def test_sql_is_seen_in_any_string_but_not_in_prose(tmp_path):
    path = tmp_path / "one.py"
    path.write_text(
        '"""Reads FROM stored_events."""\n'
        'A = f"SELECT {1} FROM stored_events e JOIN commands USING (command_id)"\n'
        'B = "UPDATE\\n reactions SET position = 1", "stored_events"\n'
        '"""UPDATE commands is refused."""\n'
        'C = "FROM commands_of", "the commands", "log"\n',
        "utf-8",
    )
    assert list(sql_of(path)) == [
        "FROM stored_events",
        "JOIN commands",
        "UPDATE\n reactions",
        "stored_events",
    ]
