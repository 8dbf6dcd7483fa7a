"""Rows put into a table together."""

import sqlite3
from contextlib import closing

from serverdomain.projections.server_rows import put_rows


def test_what_is_none_is_null_and_all_else_is_kept_as_it_is() -> None:
    row = ("a", None, "", 0, None, "NULL", b"\0", -1)
    with closing(sqlite3.connect(":memory:")) as connection:
        columns = [f"c{number}" for number in range(len(row))]
        connection.execute(f"CREATE TABLE t ({', '.join(columns)})")
        put_rows(connection, "t", len(row), [row, row])
        types = ", ".join(f"typeof({column})" for column in columns)
        assert connection.execute("SELECT * FROM t").fetchall() == [row, row]
        assert connection.execute(f"SELECT {types} FROM t").fetchone() == (
            *("text", "null", "text", "integer", "null", "text", "blob", "integer"),
        )


def test_a_row_takes_the_place_of_the_one_with_its_key() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (id TEXT PRIMARY KEY, name TEXT)")
        put_rows(connection, "t", 2, [("a", "one"), ("b", None)])
        put_rows(connection, "t", 2, iter([("a", None), ("c", "two")]))
        found = connection.execute("SELECT * FROM t ORDER BY id").fetchall()
    assert found == [("a", None), ("b", None), ("c", "two")]
