"""Whatever is asked of a store that is only read, it is answered, and not a byte of it changes."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from serverdomain import Actor, Context, RebuildServer, Servers, StoreReadOnly
from serverdomain.adapters.cli.demo import BEFORE
from serverdomain.adapters.compute_json import read_server
from tests.read_only.asking import SERVER, every_answer

NEW_IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
NOBODY = 65534
LAST = "renamed-in-the-log-beside"

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can do this to a folder"
)


class Evidence(NamedTuple):
    """A folder with a log and what lies beside it, and what is to be answered about it."""

    folder: Path
    expected: dict[str, Any]

    @property
    def store(self) -> Path:
        return self.folder / "cloud.db"

    def beside(self, what: str) -> Path:
        return self.folder / f"cloud.db-{what}"

    def bytes(self) -> dict[str, tuple[int, bytes]]:
        """The whole folder, as it is."""
        return {
            path.name: (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(self.folder.iterdir())
        }


def make_store(folder: Path) -> None:
    folder.mkdir(parents=True)
    beside = folder.parent
    with Servers.open(folder / "cloud.db") as servers:
        actor = Actor("fake", "openstack")
        servers.register(read_server(BEFORE), Context(actor))
        rebuild = RebuildServer(image_id=NEW_IMAGE, name="second")
        servers.rebuild(SERVER, rebuild, Context(actor))
        servers.complete_rebuild(SERVER)
        servers.ledger.checkpoint(str(beside / "key"), str(beside / "point"))
    (beside / "key").unlink()
    for path in beside.iterdir():
        path.chmod(0o755 if path.is_dir() else 0o644)


def crash(folder: Path) -> None:
    """Leave a folder as a writer that crashed does, its last command in the -wal alone."""
    with Servers.open(folder / "cloud.db") as servers:
        servers.rename(SERVER, LAST)
        kept = {path: path.read_bytes() for path in folder.iterdir()}
    for path, content in kept.items():
        path.write_bytes(content)
    assert (folder / "cloud.db-wal").stat().st_size > 0


@pytest.fixture(scope="module")
def made() -> Iterator[dict[str, Evidence]]:
    """A store that was closed, one whose writer crashed, and a copy of such a one without -shm.

    What is to be answered is what a copy says that was opened to be written.
    """
    # Not in pytest's own folder, into which no other user may look.
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in ("closed", "crashed"):
            make_store(Path(folder, name, "medium"))
        crash(Path(folder, "crashed", "medium"))
        shutil.copytree(Path(folder, "crashed"), Path(folder, "copied"))
        Path(folder, "copied", "medium", "cloud.db-shm").unlink()
        made = {}
        for name in ("closed", "crashed", "copied"):
            copy = Path(folder, name, "copy")
            shutil.copytree(Path(folder, name, "medium"), copy)
            with Servers.open(copy / "cloud.db") as servers:
                servers.list()
            made[name] = Evidence(Path(folder, name, "medium"), every_answer(copy))
        yield made


Find = Callable[[str], Evidence]


@pytest.fixture
def find(made: dict[str, Evidence], monkeypatch: pytest.MonkeyPatch) -> Iterator[Find]:
    """Gives a copy of what was made, and a cache that is empty."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "cache").mkdir()
        for path in (Path(folder), Path(folder, "cache")):
            path.chmod(0o777)
        monkeypatch.setenv("XDG_CACHE_HOME", f"{folder}/cache")

        def find(name: str) -> Evidence:
            there = Path(folder, str(len(os.listdir(folder))))
            shutil.copytree(made[name].folder.parent, there)
            return Evidence(there / "medium", made[name].expected)

        yield find


def asked_elsewhere(
    evidence: list[Evidence], *within: str, user: int = 0, copy: Path = Path()
) -> list[dict[str, Any]]:
    """What a process of its own is answered about each."""
    folders = [one.folder for one in evidence]
    program = [sys.executable, "-m", "tests.read_only.asking", user, copy, *folders]
    asked = subprocess.run(
        [*within, *map(str, program)], capture_output=True, text=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    answers: list[dict[str, Any]] = json.loads(asked.stdout)
    return answers


@pytest.mark.parametrize("name", ["closed", "crashed", "copied"])
def test_of_a_store_in_a_folder_that_can_be_written(find: Find, name: str) -> None:
    evidence = find(name)
    before = evidence.bytes()

    assert every_answer(evidence.folder, "--read-only") == evidence.expected
    assert evidence.bytes() == before
    assert evidence.expected["get"] == ("second" if name == "closed" else LAST)


@pytest.mark.parametrize("name", ["crashed", "copied"])
def test_the_commands_questions_fold_no_log_in_without_being_told(find: Find, name: str) -> None:
    evidence = find(name)
    before = evidence.bytes()

    assert every_answer(evidence.folder) == evidence.expected
    after = evidence.bytes()
    assert {name: after[name] for name in before} == before
    assert {"cloud.view.db", "cloud.timeline.db"} <= after.keys(), "caches lie beside it"


@pytest.mark.parametrize("content", [b"", b"\0" * 40_000], ids=["empty", "of zeros"])
def test_beside_a_log_that_holds_no_commit(find: Find, content: bytes) -> None:
    # SQLite takes such a log away when it closes the database.
    evidence = find("closed")
    evidence.beside("wal").write_bytes(content)
    before = evidence.bytes()

    assert every_answer(evidence.folder, "--read-only") == evidence.expected
    assert evidence.bytes() == before


def test_beside_a_log_whose_only_commit_was_torn(find: Find) -> None:
    evidence = find("copied")
    content = bytearray(evidence.beside("wal").read_bytes())
    content[100] ^= 1
    evidence.beside("wal").write_bytes(content)
    before = evidence.bytes()

    with Servers.open(evidence.store, read_only=True) as servers:
        assert servers.get(SERVER).name == "second"
    assert evidence.bytes() == before


def test_of_a_schema_before_this_one(find: Find) -> None:
    evidence = find("closed")
    with closing(sqlite3.connect(evidence.store, isolation_level=None)) as connection:
        connection.execute("DROP TABLE reactions")
        connection.execute("DROP INDEX commands_refused")
        connection.execute("PRAGMA user_version = 1")
    before = evidence.bytes()

    assert every_answer(evidence.folder, "--read-only") == evidence.expected
    assert evidence.bytes() == before


def test_behind_a_symbolic_link_whose_log_lies_where_it_leads(find: Find) -> None:
    evidence = find("copied")
    link = evidence.folder.parent / "link.db"
    link.symlink_to(evidence.store)
    before = evidence.bytes()

    with Servers.open(link, read_only=True) as servers:
        assert servers.get(SERVER).name == LAST
    assert evidence.bytes() == before


@as_root
def test_as_somebody_who_may_not_write(find: Find, made: dict[str, Evidence]) -> None:
    many = [find(name) for name in ("closed", "crashed", "copied", "crashed")]
    many[-1].folder.chmod(0o777)  # The folder may be written here, the file may not.
    before = [one.bytes() for one in many]

    answers = asked_elsewhere(many, user=NOBODY, copy=made["closed"].folder.with_name("copy"))
    assert answers == [one.expected for one in many]
    assert [one.bytes() for one in many] == before


@as_root
def test_on_a_medium_that_cannot_be_written(find: Find) -> None:
    many = [find(name) for name in ("closed", "crashed", "copied")]
    before = [one.bytes() for one in many]
    mounts = [
        f"mount --bind {one.folder} {one.folder} && mount -o remount,ro,bind {one.folder}"
        for one in many
    ]
    medium = ["unshare", "-m", "sh", "-c", f'{" && ".join(mounts)} && exec "$@"', "sh"]
    if subprocess.run([*medium, "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")

    assert asked_elsewhere(many, *medium) == [one.expected for one in many]
    assert [one.bytes() for one in many] == before


@as_root
def test_of_files_that_are_immutable_to_root_too(find: Find) -> None:
    evidence = find("crashed")
    before = evidence.bytes()
    guarded = [evidence.folder, *evidence.folder.iterdir()]
    if subprocess.run(["chattr", "+i", *guarded], capture_output=True, check=False).returncode:
        pytest.skip("this file system knows no immutable files")
    try:
        assert every_answer(evidence.folder) == evidence.expected
        with pytest.raises(StoreReadOnly, match="read_only=True"):
            Servers.open(evidence.store)
    finally:
        subprocess.run(["chattr", "-i", *guarded], check=True)
    assert evidence.bytes() == before


def test_while_another_process_writes_the_answers_are_current(find: Find) -> None:
    evidence = find("closed")
    program = (
        "import sys\nfrom serverdomain import Servers\n"
        f"with Servers.open({str(evidence.store)!r}) as servers:\n"
        "    for line in sys.stdin:\n"
        f"        servers.rename({SERVER!r}, line.strip())\n"
        "        print('done', flush=True)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    with writer, Servers.open(evidence.store, read_only=True) as servers:
        for number in range(3):
            writer.stdin.write(f"written meanwhile {number}\n")
            writer.stdin.flush()
            assert writer.stdout.readline() == "done\n"
            assert servers.get(SERVER).name == f"written meanwhile {number}"
            assert [one.name for one in servers.list()] == [f"written meanwhile {number}"]
        before = evidence.bytes()
        answers = every_answer(evidence.folder, "--read-only")
        assert {name: content for name, (_, content) in evidence.bytes().items()} == {
            name: content for name, (_, content) in before.items()
        }
        writer.stdin.close()
    assert answers["get"] == "written meanwhile 2"
    assert list(evidence.bytes()) == ["cloud.db"], "whoever writes takes away what it made"
