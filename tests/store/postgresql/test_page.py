"""docs/postgresql.md, followed; and its roles, who can do what it says and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from serverdomain import Servers, StoreReadOnly
from serverdomain.domain import commands as c
from serverdomain.domain import events as e
from serverdomain.store.bookmarks import Bookmark
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.log import PostgreSQLLog
from serverdomain.store.postgresql.making import init
from serverdomain.store.postgresql.schema import TABLES
from serverdomain.testing.contract import SERVER, adopted, ask
from serverdomain.testing.writing_contract import recorded
from tests.house.imports import ROOT
from tests.house.pages import blocks, run

PAGE = ROOT / "docs/postgresql.md"


def test_the_page_is_followed(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE", url)
    run(PAGE, tmp_path)


@pytest.fixture
def roles(url: str, server_url: str) -> Iterator[dict[str, str]]:
    """The URL of a log without guards for the role that appends, and for the one that reads."""
    address = Address(url)
    init(address, guarded=False)
    (sql,) = (block.text for block in blocks(PAGE.read_text("utf-8")) if block.language == "sql")
    names = {kind: f"test_{kind}_{uuid4().hex}" for kind in ("append", "read")}
    for kind, name in names.items():
        sql = sql.replace(f"serverdomain_{kind}", name)
    sql = re.sub(r"\blog(?=\.| TO| FROM)", address.schema, sql)
    with psycopg.connect(server_url, autocommit=True) as owner:
        if owner.execute("SELECT rolcreaterole FROM pg_roles WHERE rolname = user") is None:
            pytest.skip("the server's user may make no roles")
        owner.execute(sql)
        yield {kind: f"{url}&user={name}" for kind, name in names.items()}
        for name in names.values():
            owner.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_the_role_that_appends_may_do_all_that_a_log_does_and_change_nothing(
    roles: dict[str, str],
) -> None:
    address = Address(roles["append"])
    with closing(PostgreSQLLog(address)) as log:
        ask(log, adopted(), "req-1")
        ask(log, c.StopServer(), "req-2", at=60)
        with log.bulk() as writing:
            writing.append(recorded("req-3", at=70), 2, (e.ServerStarted(),))
        with log.alone("billing") as mine:
            assert mine
            assert log.keep_bookmark(Bookmark("billing", 1), None)
        with log.examining() as examination:
            assert list(examination.findings()) == []
    with psycopg.connect(**address.parameters(), autocommit=True) as connection:
        for table in ("stored_events", "commands", "log", "schema_steps"):
            for what in ("DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(what.format(f"{address.schema}.{table}"))
        for change in (
            "UPDATE {}.stored_events SET state = ''",
            "UPDATE {}.commands SET user_id = ''",
            "UPDATE {}.log SET log_id = ''",
            "DELETE FROM {}.head",
            "INSERT INTO {}.head VALUES (0, 0, 0, 0)",
            "CREATE TABLE {}.more (one text)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(change.format(address.schema))


def test_the_role_that_reads_answers_every_question_and_writes_nothing(
    roles: dict[str, str], url: str
) -> None:
    with Servers.open(url) as servers:
        servers.register(adopted())
    address = Address(roles["read"])
    with Servers.open(roles["read"], read_only=True) as servers:
        assert [server.id for server in servers.list()] == [SERVER]
        assert servers.check() == []
        with pytest.raises(StoreReadOnly, match="opened to be read alone"):
            servers.stop(SERVER)
    with Servers.open(roles["read"]) as servers, pytest.raises(StoreReadOnly, match="this role"):
        servers.stop(SERVER)
    with psycopg.connect(**address.parameters(), autocommit=True) as connection:
        for table in TABLES:
            for what in ("INSERT INTO {0} SELECT * FROM {0}", "DELETE FROM {}", "TRUNCATE {}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(what.format(f"{address.schema}.{table}"))
