"""What the tests on PostgreSQL share: a server, and a place for a log of their own in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest

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
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
