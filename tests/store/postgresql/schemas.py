"""Places for logs in the server of the tests: schemas of their own, and one that is emptied."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.schema import TABLES
from tests.store.postgresql import server


@contextmanager
def fresh_schema(server_url: str) -> Iterator[str]:
    """The URL of a schema that is not there yet, and goes again."""
    schema = f"test_{uuid4().hex}"
    sign = "&" if "?" in server_url else "?"
    yield f"{server_url}{sign}schema={schema}"
    if server.SETTING not in os.environ:
        return  # The server goes with all that is in it.
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


def empty(server_url: str, log_url: str) -> None:
    """Make a log an empty one with an id of its own, past the guards, as who owns the server."""
    schema = Address(log_url).schema
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            "SET session_replication_role = replica;"
            + "".join(f"DELETE FROM {schema}.{table};" for table in TABLES[:-1])
            + f"INSERT INTO {schema}.head VALUES (0, 0, 0, 0);"
            f"INSERT INTO {schema}.log VALUES ('{uuid4()}')"
        )
