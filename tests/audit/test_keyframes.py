"""Keyframes: a cache that is made on the way, and never believed where it could be wrong."""

import errno
import logging
import os
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from serverdomain import AsOf, Fleet
from serverdomain.audit import keyframes as module
from serverdomain.audit.keyframes import LEAST, MOST, WHOLE, Frame, Keyframes, fingerprint
from serverdomain.domain import events as e
from tests.adapters.exchange.logs import rows
from tests.projections.cloud import Cloud, Process, change
from tests.store.nobody import nobody
from tests.store.owner import backup_of

EVENTS = 60
SPACING = 2


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """The rows of a cloud of a few servers, some deleted, in `EVENTS` events."""
    with Cloud() as cloud:
        fill(cloud)
        return rows(cloud.store)


@pytest.fixture
def cloud(kept_url, filled):
    with Cloud(kept_url) as cloud:
        with cloud.store.bulk() as log:
            log.append_rows(filled)
        cloud.clock.advance(1_000)
        yield cloud


def fill(cloud):
    chance = random.Random(7)
    servers = [cloud.create(f"server {number}") for number in range(6)]
    for number in range(6, EVENTS):
        cloud.clock.advance(1)
        if number % 10 == 0:
            cloud.servers.delete(servers.pop())
        else:
            cloud.rename(chance.choice(servers), f"name {number}")


def ask(cloud, position=EVENTS, least=SPACING):
    """Ask for the fleet at a position, and see that it is right."""
    with Fleet(cloud.store, Keyframes(cloud.store, least), AsOf(position=position)) as fleet:
        assert fleet.servers() == cloud.folded(position)


def frames(cloud, least=SPACING):
    return Keyframes(cloud.store, least)._frames()


def files(cloud):
    return sorted(Keyframes(cloud.store).folder.iterdir())


# Where they lie


def test_they_are_made_as_questions_pass_them_and_used_by_the_next(cloud):
    assert not Keyframes(cloud.store).folder.exists()
    ask(cloud, 7)
    assert frames(cloud) == {(0, 2), (2, 4), (4, 6)}
    before = {path: path.stat().st_mtime_ns for path in files(cloud)}
    ask(cloud, 6)
    ask(cloud, 3)
    assert {path: path.stat().st_mtime_ns for path in files(cloud)} == before
    ask(cloud, 40)
    assert {path: path.stat().st_mtime_ns for path in files(cloud)}.items() >= before.items()
    assert Keyframes(cloud.store, SPACING).chain(40) == [
        (0, 32),
        (32, 34),
        (34, 36),
        (36, 38),
        (38, 40),
    ]


def test_every_sixteenth_is_whole_and_has_all_rows(cloud):
    ask(cloud)
    for number in range(1, EVENTS // SPACING + 1):
        position = number * SPACING
        since = 0 if number % WHOLE == 0 else position - SPACING
        assert (since, position) in frames(cloud)
    keyframes = Keyframes(cloud.store, SPACING)
    with closing(sqlite3.connect(keyframes._path(Frame(0, WHOLE * SPACING)))) as rows:
        found = rows.execute("SELECT id FROM server ORDER BY id").fetchall()
    assert found == sorted((server.id,) for server in cloud.folded(WHOLE * SPACING))


def test_a_small_log_keeps_none(cloud):
    with cloud.servers.fleet() as fleet:
        assert fleet.position == EVENTS < LEAST
    assert not Keyframes(cloud.store).folder.exists()


def test_of_a_log_in_memory_they_are_in_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Cloud() as cloud:
        fill(cloud)
        keyframes = Keyframes(cloud.store, SPACING)
        assert keyframes.folder is None
        for position in (EVENTS, 33, 40, 7, EVENTS):
            with Fleet(cloud.store, keyframes, AsOf(position=position)) as fleet:
                assert fleet.servers() == cloud.folded(position)
        assert len(keyframes.chain(40)) == 5
    assert list(tmp_path.iterdir()) == []


def test_where_there_would_be_too_many_they_lie_further_apart(kept_url, monkeypatch):
    monkeypatch.setattr(module, "MOST", 8)
    with Cloud(kept_url) as cloud:
        server_id = cloud.create("web")
        for position in range(2, 81):
            cloud.rename(server_id, f"name {position}")
            if position % 3 and position != 80:
                continue
            ask(cloud, position, least=1)
            assert len(frames(cloud)) <= 8
        assert Keyframes(cloud.store, 1).spacing() == 16
        ask(cloud, 80, least=1)
        assert frames(cloud) == {(number * 16, number * 16 + 16) for number in range(5)}


def test_they_lie_further_apart_only_once_there_would_be_one_too_many(cloud, monkeypatch):
    keyframes = Keyframes(cloud.store, 1)
    monkeypatch.setattr(module, "MOST", EVENTS // 4)
    assert keyframes.spacing() == 4
    cloud.create("one more")
    assert keyframes.spacing() == 8


def test_one_that_would_lack_what_lies_before_it_is_not_kept(kept_url, monkeypatch):
    monkeypatch.setattr(module, "MOST", 8)
    with Cloud(kept_url) as cloud:
        one, other = cloud.create("one"), cloud.create("other")
        cloud.rename(other, *"cdef")
        cloud.rename(one, "seventh")
        ask(cloud, 7, least=1)
        cloud.rename(other, "eighth", "ninth")
        # Now they lie two apart: the one at 8 begins at 6, but this question begins at 7.
        ask(cloud, 9, least=1)
        for position in (6, 8, 9):
            ask(cloud, position, least=1)


def test_a_real_log_has_a_bounded_number_of_them():
    assert (LEAST, MOST, WHOLE) == (4_096, 256, 16)


# Whose they are


def test_when_the_fold_changes_they_are_thrown_away(cloud, monkeypatch):
    ask(cloud)
    old = files(cloud)
    monkeypatch.setattr(module, "fingerprint", lambda: "0123456789abcdef")
    assert frames(cloud) == set()
    ask(cloud)
    assert len(files(cloud)) == len(old)
    assert not set(old) & set(files(cloud))


def test_the_fold_has_changed_when_any_of_its_sources_has(tmp_path):
    def loaded(text):
        path = tmp_path / "fold.py"
        path.write_text(text, "utf-8")
        spec = spec_from_file_location("fold", path)
        return module_from_spec(spec)

    one, other = fingerprint((loaded("x = 1\n"),)), fingerprint((loaded("x = 2\n"),))
    assert one != other
    assert one == fingerprint((loaded("x = 1\n"),))
    named = {one.__name__.removeprefix("serverdomain.") for one in module._FOLD}
    assert named >= {"domain.server", "domain.events", "store.codec", "projections.server_rows"}


def test_those_of_another_log_are_not_believed(cloud, tmp_path, caplog):
    ask(cloud)
    (tmp_path / "other").mkdir()
    with Cloud(tmp_path / "other") as other:
        for number in range(EVENTS):
            other.create(f"other {number}")
        shutil.copytree(Keyframes(cloud.store).folder, tmp_path / "other/cloud.keyframes")
        ask(other)
        ask(other, 33)
        assert "stands on a row that is not in this log" in caplog.text
        caplog.clear()
        ask(other)
        assert caplog.messages == []


def test_after_a_backup_was_put_back_those_of_lost_rows_are_made_anew(kept_url, caplog):
    with Cloud(kept_url) as cloud:
        server_id = cloud.create("web")
        cloud.rename(server_id, *(f"before {number}" for number in range(9)))
    put_back = backup_of(kept_url)
    with Cloud(kept_url) as cloud:
        cloud.rename(server_id, *(f"lost {number}" for number in range(9)))
        ask(cloud, 19)
    put_back()
    with Cloud(kept_url) as cloud:
        ask(cloud, 10)
        assert caplog.messages == []
        cloud.rename(server_id, *(f"after {number}" for number in range(9)))
        ask(cloud, 19)
        ask(cloud, 12)
        assert "12-" in caplog.text
        assert "stands on a row" in caplog.text


def test_one_in_a_gap_of_the_log_stands_on_the_row_before_it(kept_url):
    with Cloud(kept_url) as cloud:
        server_id = cloud.create("web")
    put_back = backup_of(kept_url)
    for name in ("lost", "kept"):
        put_back()
        with Cloud(kept_url) as cloud:
            cloud.rename(server_id, name)
            cloud.leave_a_gap(40)
            ask(cloud, 40)
            ask(cloud, 33)


# What may happen to them


def spoilt(how, path, chance):
    content = bytearray(path.read_bytes())
    match how:
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(content[: chance.randrange(1, len(content))])
        case "zeroes":
            at = chance.randrange(0, len(content), 4096)
            content[at : at + 4096] = bytes(4096)
            path.write_bytes(content)
        case "noise":
            path.write_bytes(chance.randbytes(len(content)))
        case "text":
            path.write_text("something else\n" * 400)
        case "a database":
            path.unlink()
            change(path, "CREATE TABLE server (id, name)")
        case "gone":
            path.unlink()
        case "a folder":
            path.unlink()
            path.mkdir()
        case "a pipe":
            path.unlink()
            os.mkfifo(path)
        case "a link to nothing" | "a link to itself":
            path.unlink()
            path.symlink_to(path.name if how == "a link to itself" else "nothing.db")


@pytest.mark.parametrize(
    "how",
    [
        "empty",
        "cut",
        "zeroes",
        "noise",
        "text",
        "a database",
        "gone",
        "a folder",
        "a pipe",
    ],
)
def test_one_that_is_damaged_foreign_or_gone_is_made_anew(cloud, how, caplog):
    chance = random.Random(how)
    ask(cloud)
    for _ in range(3):
        path = chance.choice(files(cloud))
        spoilt(how, path, chance)
        for position in (EVENTS, 31, 39):
            ask(cloud, position)
        if how == "gone":
            assert path.exists()
            assert caplog.messages == []
        elif how == "a folder":
            shutil.rmtree(path)
        else:
            assert path.is_file()


@pytest.mark.parametrize("how", ["a pipe", "a link to nothing", "a link to itself"])
def test_what_is_no_file_is_dropped_and_made_anew(cloud, how, caplog):
    ask(cloud, 2)
    (path,) = files(cloud)
    spoilt(how, path, random.Random(1))
    ask(cloud, 2)
    assert caplog.messages == [f"{path} is no file: dropped, and made anew"]
    assert path.is_file()
    assert not path.is_symlink()
    ask(cloud, 2)
    assert len(caplog.messages) == 1


def test_those_of_a_folder_in_which_nothing_can_be_opened_are_not_used():
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        with nobody(), Cloud(Path(name)) as cloud:
            fill(cloud)
            ask(cloud)
            folder = files(cloud)[0].parent
            folder.chmod(0o444)
            ask(cloud)
            folder.chmod(0o777)
            ask(cloud)


def test_another_database_in_its_place_is_said_to_be_none(cloud, caplog):
    ask(cloud, 33)
    path = Keyframes(cloud.store, SPACING)._path(Frame(0, 32))
    spoilt("a database", path, random.Random(1))
    ask(cloud, 33)
    assert caplog.messages == [f"{path} is no keyframe: dropped, and made anew"]


@pytest.mark.parametrize("removable", [True, False])
def test_damage_that_a_question_meets_first_is_survived_as_well(
    cloud, removable, monkeypatch, caplog
):
    ask(cloud, 33)
    if not removable:

        def refused(path, missing_ok=False):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        monkeypatch.setattr(Path, "unlink", refused)
    keyframes = Keyframes(cloud.store, SPACING)
    path = keyframes._path(Frame(0, 32))
    with Fleet(cloud.store, keyframes, AsOf(position=33)) as fleet:
        before = path.read_bytes()
        with closing(sqlite3.connect(path)) as rows:
            (page,) = rows.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'server'"
            ).fetchone()
        content = bytearray(before)
        content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
        path.write_bytes(content)
        # As where memory is short: what it held of the file's pages goes, and they are read again.
        fleet.connection.set_authorizer(None)
        fleet.connection.execute("PRAGMA shrink_memory")
        fleet.connection.execute("SELECT COUNT(*) FROM stands_on").fetchall()
        assert fleet.servers() == cloud.folded(33)
        damaged = f"{path} is damaged (database disk image is malformed): dropped, and made anew"
        assert caplog.messages == [damaged]
        assert len(fleet.query("SELECT id FROM server")) == len(cloud.folded(33))


def attached(keyframes, frame):
    """Whether a keyframe can be attached, and what is then."""
    with closing(sqlite3.connect(":memory:", uri=True)) as rows:
        is_attached = keyframes.attach(rows, frame, "keyframe")
        return is_attached, [name for _, name, _ in rows.execute("PRAGMA database_list")]


@pytest.mark.parametrize("is_in_memory", [True, False])
def test_one_that_somebody_dropped_meanwhile_is_not_attached(tmp_path, is_in_memory, caplog):
    with Cloud("memory:" if is_in_memory else tmp_path) as cloud:
        fill(cloud)
        keyframes = Keyframes(cloud.store, SPACING)
        with Fleet(cloud.store, keyframes):
            (frame,) = keyframes.chain(2)
        assert attached(keyframes, frame) == (True, ["main", "keyframe"])
        for _ in range(2):
            keyframes.drop(frame)
            assert attached(keyframes, frame) == (False, ["main"])
        assert keyframes.chain(2) == []
        with Fleet(cloud.store, keyframes, AsOf(position=3)) as fleet:
            assert fleet.servers() == cloud.folded(3)
        assert keyframes.chain(2) == [frame], "made anew"
    assert caplog.messages == []


def test_one_that_is_damaged_is_not_attached_but_dropped(cloud, caplog):
    ask(cloud, 2)
    keyframes = Keyframes(cloud.store, SPACING)
    (frame,) = keyframes.chain(2)
    spoilt("noise", keyframes._path(frame), random.Random(1))
    assert attached(keyframes, frame) == (False, ["main"])
    told = f"{keyframes._path(frame)} is damaged (file is not a database): dropped, and made anew"
    assert caplog.messages == [told]
    assert keyframes.chain(2) == []


def test_one_that_leads_nowhere_is_not_followed(cloud):
    ask(cloud, 2)
    (path,) = files(cloud)
    shutil.copy(path, path.with_name(path.name.replace("0-2-", "0-0-")))
    shutil.copy(path, path.with_name(path.name.replace("0-2-", "2-2-")))
    assert Keyframes(cloud.store, SPACING).chain(1) == []
    assert Keyframes(cloud.store, SPACING).chain(EVENTS) == [(0, 2)]
    ask(cloud)


def test_a_folder_that_cannot_be_made_or_written_costs_time_and_no_answer(cloud, caplog):
    folder = Keyframes(cloud.store).folder
    folder.write_text("a file of somebody's", "utf-8")
    ask(cloud)
    assert folder.read_text("utf-8") == "a file of somebody's"
    assert caplog.messages == [f"{folder} cannot hold keyframes: File exists"]


def test_so_does_one_in_which_nobody_can_be_alone(cloud, caplog):
    caches, folder = cloud.store.caches, Keyframes(cloud.store).folder
    lock = caches.with_name(f"{caches.name}._keyframes.lock")
    lock.mkdir()
    ask(cloud)
    (message,) = caplog.messages
    assert message.startswith(f"{folder} cannot hold keyframes: {lock} cannot be locked: ")
    assert frames(cloud) == set()


def test_a_full_disk_costs_time_and_no_answer(cloud, monkeypatch, caplog):
    ask(cloud, 10)
    kept = frames(cloud)

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        ask(cloud)
    assert frames(cloud) == kept
    assert len(files(cloud)) == len(kept)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    path = Keyframes(cloud.store, SPACING)._path(Frame(10, 12))
    assert caplog.messages == [f"{path} cannot be written: No space left on device"]
    ask(cloud)
    assert len(frames(cloud)) == EVENTS // SPACING


def test_what_a_killed_process_left_unfinished_is_removed(cloud):
    ask(cloud, 10)
    part = files(cloud)[0].with_name(f"{files(cloud)[0].name}.part")
    part.write_bytes(b"half")
    note = part.with_name("README")
    note.write_text("not ours", "utf-8")
    ask(cloud, 10)
    assert part.exists(), "who makes none does not know whether somebody else is at work"
    ask(cloud, 20)
    assert not part.exists()
    assert note.exists()


# Many at once


ASKS = """
import random, sys
from serverdomain import AsOf, Fleet
from serverdomain.audit.keyframes import Keyframes
from serverdomain.store.opening import open_log

store = open_log(sys.argv[1])
chance = random.Random(int(sys.argv[2]))
keyframes = Keyframes(store, 2)
print(1, flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[3])):
    position = chance.randrange(61)
    with Fleet(store, keyframes, AsOf(position=position)) as fleet:
        for server in fleet.servers():
            print(f'[{position}, "{server.id}", "{server.name}"]', flush=True)
print("null", flush=True)
"""


def hear_all(process, cloud):
    found = {}
    while (line := process.hear()) is not None:
        position, *server = line
        found.setdefault(position, set()).add(tuple(server))
    for position, servers in found.items():
        assert servers == {(server.id, server.name) for server in cloud.folded(position)}
    return found


def test_two_processes_at_once_never_disagree(cloud):
    with Process(ASKS, cloud.url, 1, 4) as one, Process(ASKS, cloud.url, 2, 4) as other:
        for process in (one, other):
            process.hear()
        for process in (one, other):
            process.tell()
        assert all(hear_all(process, cloud) for process in (one, other))
    ask(cloud)


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_a_killed_process_leaves_nothing_wrong(cloud, kills):
    chance = random.Random(kills)
    for number in range(kills):
        shutil.rmtree(Keyframes(cloud.store).folder, ignore_errors=True)
        with Process(ASKS, cloud.url, number, 1_000) as process:
            process.hear()
            process.tell()
            for _ in range(chance.randrange(1, 60)):
                process.hear()
        for position in (EVENTS, 32, 33, 17):
            ask(cloud, position)


def test_late_facts_behind_a_keyframe_are_in_the_next_one(cloud):
    server_id = cloud.create("late")
    early = cloud.clock.now
    cloud.clock.advance(10)
    cloud.rename(server_id, "later")
    ask(cloud, EVENTS + 2)
    cloud.servers.record(server_id, [e.ServerStopped(), e.ServerRenamed("x")], occurred_at=early)
    ask(cloud, EVENTS + 4)
    ask(cloud, EVENTS + 4)
    ask(cloud, EVENTS + 2)
    assert (0, EVENTS + 4) in frames(cloud)
