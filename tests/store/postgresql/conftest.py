"""What the tests on PostgreSQL share: a server, and a place for a log of their own in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

from serverdomain.store.postgresql import making
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.schema import TABLES
from tests.store.postgresql import server


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The URL of a database whose owner may make schemas and roles."""
    given = os.environ.get(server.SETTING)
    if given:
        yield given
        return
    found = server.programs()
    if found is None:
        pytest.skip(f"no PostgreSQL is installed, and {server.SETTING} names none")
    base = tmp_path_factory.getbasetemp()
    shared = server.SharedServer(base if worker_id == "master" else base.parent, found)
    yield shared.url
    shared.close()


@pytest.fixture
def url(server_url: str) -> Iterator[str]:
    """The URL of a schema that is not there yet."""
    with fresh_schema(server_url) as url:
        yield url


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


@pytest.fixture(scope="session")
def one_log(server_url: str) -> Iterator[str]:
    """The URL of a log that all tests of a process use in turn: to make one takes longest."""
    with fresh_schema(server_url) as url:
        making.init(Address(url))
        yield url


@pytest.fixture
def log_url(server_url: str, one_log: str) -> str:
    """The URL of an empty log. The guards are passed by who owns the server, to empty it."""
    schema = Address(one_log).schema
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            "SET session_replication_role = replica;"
            + "".join(f"DELETE FROM {schema}.{table};" for table in TABLES[:-1])
            + f"INSERT INTO {schema}.head VALUES (0, 0, 0, 0);"
            f"INSERT INTO {schema}.log VALUES ('{uuid4()}')"
        )
    return one_log
