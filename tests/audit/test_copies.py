"""What docs/backup.md says of copies that are made by other means, and of putting one back."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from serverdomain import AsOf, NotFound, Servers, StoreDamaged, StoreError, StoreMissing
from serverdomain.adapters.http import compute_app
from serverdomain.testing.store_contract import SERVER, adopted
from tests.adapters.http.client import Client, by_name, fault_of

CRASH = """
import os, sys
from serverdomain import Servers
from serverdomain.testing.store_contract import SERVER, adopted
servers = Servers.open(sys.argv[1])
servers.register(adopted())
servers.rename(SERVER, "before the crash")
os._exit(0)
"""

KILLED = """
import os, signal, sys
from serverdomain import Servers
servers = Servers.open(sys.argv[1])
servers.backup(sys.argv[2], progress=lambda done, of: os.kill(os.getpid(), signal.SIGKILL))
"""
RENAMES = """
import os, sys
from serverdomain import Servers
from serverdomain.testing.store_contract import SERVER
Servers.open(sys.argv[1]).rename(SERVER, "theirs")
os._exit(0)
"""
SECONDS = 20


def ran(script: str, *given: str) -> int:
    return subprocess.run([sys.executable, "-c", script, *given], check=False).returncode


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cloud.db"


@pytest.fixture
def servers(path: Path) -> Iterator[Servers]:
    """A log that is open, all of it in its -wal."""
    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        yield servers


def wal(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def copied(path: Path, *suffixes: str) -> Path:
    for suffix in ("", *suffixes):
        shutil.copy(f"{path}{suffix}", path.with_name(f"copy.db{suffix}"))
    return path.with_name("copy.db")


def names(path: Path) -> list[str]:
    """The server's name, and that everything holds."""
    with Servers.open(f"sqlite:///{path}", create=False) as servers:
        assert servers.check() == []
        return [servers.get(SERVER).name]


def far_on(servers: Servers) -> None:
    """So much that the -wal is begun anew at least once."""
    for number in range(260):
        servers.replace_metadata(SERVER, {f"key {key}": f"{number}" * 60 for key in range(20)})


def test_a_copy_of_the_file_alone_lacks_what_waits_in_the_wal(servers: Servers, path: Path) -> None:
    with Servers.open(f"sqlite:///{copied(path)}") as copy, pytest.raises(NotFound):
        copy.get(SERVER)


def test_so_it_does_after_a_crash_and_with_its_wal_it_is_whole(path: Path) -> None:
    subprocess.run([sys.executable, "-c", CRASH, f"sqlite:///{path}"], check=True)
    assert wal(path).stat().st_size > 0
    both = copied(path, "-wal")
    assert names(both) == ["before the crash"]
    shutil.copy(path, path.with_name("alone.db"))
    with (
        Servers.open(f"sqlite:///{path.with_name('alone.db')}") as copy,
        pytest.raises(NotFound),
    ):
        copy.get(SERVER)


def test_both_while_nobody_writes_are_whole(servers: Servers, path: Path) -> None:
    assert names(copied(path, "-wal")) == ["foobar"]


def test_both_of_different_moments_are_a_damaged_log(servers: Servers, path: Path) -> None:
    copy = copied(path)
    far_on(servers)
    shutil.copy(wal(path), wal(copy))
    with pytest.raises(StoreDamaged), Servers.open(f"sqlite:///{copy}") as torn:
        torn.list()


def test_after_everything_was_closed_the_file_is_whole(servers: Servers, path: Path) -> None:
    servers.close()
    assert not wal(path).exists()
    assert names(copied(path)) == ["foobar"]


def test_sqlites_own_backup_and_vacuum_are_whole(servers: Servers, path: Path) -> None:
    vacuumed = path.with_name("vacuumed.db")
    with (
        closing(sqlite3.connect(path)) as source,
        closing(sqlite3.connect(path.with_name("copy.db"))) as copy,
    ):
        source.backup(copy)
        source.execute("VACUUM INTO ?", (str(vacuumed),))
    assert names(path.with_name("copy.db")) == names(vacuumed) == ["foobar"]


def test_a_wal_left_beside_another_file_is_a_damaged_log(servers: Servers, path: Path) -> None:
    servers.backup(path.with_name("backup.db"))
    far_on(servers)
    shutil.copy(wal(path), wal(path.with_name("backup.db")))
    with (
        pytest.raises(StoreDamaged),
        Servers.open(f"sqlite:///{path.with_name('backup.db')}") as restored,
    ):
        restored.list()


def test_a_restore_by_moving_is_noticed_and_the_view_follows(servers: Servers, path: Path) -> None:
    backup = path.with_name("backup.db")
    servers.backup(backup)
    servers.ledger.checkpoint(path.with_name("key"), path.with_name("early"))
    servers.rename(SERVER, "later")
    servers.ledger.checkpoint(path.with_name("key"), path.with_name("late"))
    assert servers.list()[0].name == "later"
    for suffix in ("-wal", "-shm"):
        os.unlink(f"{path}{suffix}")
    backup.rename(path)
    for ask in (servers.list, lambda: servers.get(SERVER), lambda: servers.stop(SERVER)):
        with pytest.raises(StoreMissing):
            ask()
    with Servers.open(f"sqlite:///{path}") as anew:
        assert anew.list()[0].name == "foobar"
        keys = [path.with_name("key.pub")]
        assert anew.ledger.verify(path.with_name("early"), keys).problems == ()
        assert anew.ledger.verify(path.with_name("late"), keys).problems[0].what == "removed"


def test_a_copy_over_an_open_file_is_the_same_file_and_not_noticed_in_time(
    servers: Servers, path: Path
) -> None:
    servers.backup(path.with_name("backup.db"))
    before = path.stat().st_ino
    shutil.copyfile(path.with_name("backup.db"), path)
    assert path.stat().st_ino == before
    try:
        servers.get(SERVER)
    except StoreError as noticed:
        assert not isinstance(noticed, StoreMissing)  # noqa: PT017


def test_a_wal_that_is_emptied_under_a_service_is_not_noticed_in_time(
    servers: Servers, path: Path
) -> None:
    assert servers.get(SERVER).name == "foobar"
    os.truncate(wal(path), 0)
    with pytest.raises((StoreError, NotFound)) as noticed:
        servers.history(SERVER)
    assert not isinstance(noticed.value, StoreMissing)


def put_back(path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)
    path.with_name("backup.db").rename(path)


def test_all_that_a_log_is_followed_into_is_made_from_its_copy(
    servers: Servers, path: Path
) -> None:
    servers.rename(SERVER, "renamed")
    elsewhere = path.parent / "elsewhere" / "copy.db"
    elsewhere.parent.mkdir()
    servers.backup(elsewhere)

    def all_of(servers: Servers) -> list[object]:
        timeline = servers.timeline.ask(
            lambda rows: [*rows.execute("SELECT * FROM timeline ORDER BY position")]
        )
        with servers.fleet(as_of=AsOf(position=1)) as fleet:
            return [servers.list(), timeline, fleet.servers()]

    with Servers.open(f"sqlite:///{elsewhere}", create=False) as copy:
        assert all_of(copy) == all_of(servers)
        assert copy.list()[0].name == "renamed"


def test_what_a_killed_backup_left_is_hidden_and_the_next_one_removes_it(
    servers: Servers, path: Path
) -> None:
    out = path.with_name("backup.db")
    assert ran(KILLED, f"sqlite:///{path}", str(out)) == -signal.SIGKILL
    (left,) = [one for one in path.parent.iterdir() if not one.name.startswith("cloud")]
    assert left.name.startswith(".backup.db")
    servers.backup(out)
    assert out.exists()
    assert not left.exists()


def test_a_checkpoint_and_the_public_key_show_an_edit_of_the_copy(
    servers: Servers, path: Path
) -> None:
    out, key = path.with_name("backup.db"), path.with_name("key")
    servers.backup(out, key)
    with closing(sqlite3.connect(out)) as edit, edit:
        for (guard,) in edit.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            edit.execute(f"DROP TRIGGER {guard}")
        edit.execute("UPDATE commands SET user_id = 'somebody else'")
    key.unlink()
    with Servers.open(f"sqlite:///{out}", read_only=True) as copy:
        verdict = copy.ledger.verify(path.with_name("backup.db.checkpoint"), [f"{key}.pub"])
        assert verdict.problems != ()


def test_without_the_shm_processes_do_not_see_each_other(servers: Servers, path: Path) -> None:
    path.with_name(f"{path.name}-shm").unlink()
    assert ran(RENAMES, f"sqlite:///{path}") == 0
    assert servers.history(SERVER)[-1].event.name == "foobar"  # type: ignore[union-attr]


def test_a_reaction_goes_on_from_the_place_of_the_copy_and_may_be_told_twice(path: Path) -> None:
    told: list[str] = []

    def react(servers: Servers) -> None:
        with servers.react("mirror", lambda one: told.append(one.name), start="beginning") as at:
            assert at.caught_up(SECONDS)

    with Servers.open(f"sqlite:///{path}") as servers:
        servers.register(adopted())
        react(servers)
        servers.rename(SERVER, "renamed")
        servers.backup(path.with_name("backup.db"))
        react(servers)
    put_back(path)
    with Servers.open(f"sqlite:///{path}") as anew:
        react(anew)
    assert told == ["ServerRegistered", "ServerRenamed", "ServerRenamed"]


def test_over_http_a_log_that_was_exchanged_is_503(servers: Servers, path: Path) -> None:
    servers.backup(path.with_name("backup.db"))
    ask = Client(compute_app(servers, authenticate=by_name, hypervisor=None), user="member")
    put_back(path)
    assert ask.get(f"/v2.1/servers/{SERVER}").status_code == 503
    assert fault_of(ask.act({"os-stop": None})) == (503, "serviceUnavailable")
    ask.close()
