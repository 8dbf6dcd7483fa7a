"""A log is dumped and put back as docs/postgresql.md says, and shown to be whole."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest

from serverdomain import Servers
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.making import init
from tests.house.imports import ROOT
from tests.house.pages import blocks
from tests.store.moved import fill
from tests.store.postgresql import server

PAGE = ROOT / "docs/postgresql.md"


@pytest.fixture
def restored(server_url: str) -> Iterator[str]:
    """The name of an empty database."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as owner:
        try:
            owner.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("the server's user may make no databases")
        yield name
        owner.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _commands() -> list[str]:
    """What the page says is to be done."""
    text = PAGE.read_text("utf-8").partition("## Backup and restore")[2].partition("## Upgrades")[0]
    return [line for one in blocks(text) for line in one.text.splitlines()]


@pytest.mark.slow
def test_a_log_that_was_dumped_is_put_back_verified_and_viewed_anew(
    url: str, server_url: str, restored: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    init(Address(url))
    fill(url)
    dump = shutil.which("pg_dump", path=server.programs() or os.environ.get("PATH"))
    if dump is None:
        pytest.skip("no pg_dump is installed")
    schema = Address(url).schema
    there = urlsplit(server_url)._replace(path=f"/{restored}").geturl()
    variables = {
        "STORE": url,
        "DATABASE": server_url,
        "RESTORED": there,
        "RESTORED_STORE": url.replace(server_url, there),
        "PATH": f"{Path(dump).parent}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    view = tmp_path / "node.view.db"

    for command in _commands():
        done = subprocess.run(
            command.replace("--schema=log", f"--schema={schema}"),
            shell=True,
            cwd=tmp_path,
            env=os.environ | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        if command.startswith("pg_dump"):
            with Servers.open(url, view=view) as servers:
                before = [server.name for server in servers.list()]
                servers.rename(servers.list()[0].id, "lost with the server")
                assert len(servers.list()) == 2

    with Servers.open(variables["RESTORED_STORE"], view=view) as servers:
        assert [server.name for server in servers.list()] == before
        assert servers.check() == []
        assert servers.rename(servers.list()[0].id, "goes on").position == 7
    assert "replayed from zero" in caplog.text
