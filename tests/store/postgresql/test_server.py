"""The tests' own server runs for as long as one of its users does, however that ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.house.imports import ROOT
from tests.store.postgresql import keeper, server

_USER = """\
import sys
from pathlib import Path
from tests.store.postgresql import server
used = server.SharedServer(Path(sys.argv[1]), server.programs())
print(used.folder, flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(server.programs() is None, reason="no PostgreSQL is installed")

User = subprocess.Popen[str]


@pytest.fixture
def use(tmp_path: Path) -> Iterator[Callable[[], tuple[User, Path]]]:
    """Starts a process that uses a server, which all share; gives its folder."""
    users: list[User] = []

    def use() -> tuple[User, Path]:
        user = subprocess.Popen(
            [sys.executable, "-c", _USER, tmp_path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        users.append(user)
        assert user.stdout is not None
        return user, Path(user.stdout.readline().strip())

    yield use
    for user in users:
        user.kill()
        user.communicate()


def gone(folder: Path) -> bool:
    end = time.monotonic() + keeper.SECONDS
    while folder.exists() and time.monotonic() < end:
        time.sleep(0.01)
    return not folder.exists()


def answers(folder: Path) -> bool:
    with psycopg.connect(server.url_of(folder)) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.slow
def test_a_server_ends_with_the_last_of_those_who_use_it(
    use: Callable[[], tuple[User, Path]],
) -> None:
    first, folder = use()
    second, same = use()
    assert same == folder
    first.kill()
    first.wait()
    time.sleep(3 * keeper.LOOK_AGAIN)
    assert answers(folder)

    second.kill()

    assert gone(folder)
    _, another = use()
    assert another != folder
    assert answers(another)
