"""Writes the files beside it with release 0.1.0 (commit 96d3239), and runs on no other.

Later releases read what it wrote and never write it again. From the root of the project, with the
`serverdomain` of that commit:

    PYTHONPATH=. python tests/data/release-0.1.0/write.py

The clock is fixed; the log's id, one generated server id and the key are new each time.
"""

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import NAMESPACE_DNS, uuid5

import pytest

from serverdomain import Actor, AsOf, Context, Fleet, Refused, Servers
from serverdomain.audit.keyframes import Keyframes, fingerprint
from serverdomain.domain.commands import COMMANDS
from serverdomain.domain.events import (
    Address,
    ImageChanged,
    MetadataReplaced,
    RebuildCompleted,
    RebuildRequested,
    ServerObserved,
    ServerRenamed,
    ServerStarted,
)
from serverdomain.testing import ADMIN, OWNER, READER, ManualClock
from tests.releases.asking import answer, as_asked, command, outcome_json

HERE = Path(__file__).parent
FOLD_OF_0_1_0 = "2e8ba75b7fb38923"
"""By which 0.1.0, and no other release, names its keyframes."""

SPACING = 16
"""Positions from one keyframe to the next: few, so that a small log has some."""

STATUSES = ("ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF")
PASSWORD = "seekr3t"
IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
OTHER_IMAGE = "155d900f-4e14-4e4c-a73d-069cbf4541e6"
BEYOND_ASCII = Actor("größe", "проект", ("reader", "member"))

DOCUMENTED = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
FAILED, REBUILDING, STOPPED, GONE, OBSERVED, ELSEWHERE = (
    str(uuid5(NAMESPACE_DNS, name))
    for name in ("failed", "rebuilding", "stopped", "gone", "observed", "elsewhere")
)


class Story:
    """A store, a clock that moves with each command, and the first outcome of each."""

    def __init__(self, path: Path) -> None:
        self.clock = ManualClock()
        self.servers = Servers.open(f"sqlite:///{path}", clock=self.clock)
        self.commands = []
        self.refused = 0

    def at(self, seconds):
        """So many seconds from where the clock stands; the next command comes after a minute."""
        return self.clock.now + timedelta(seconds=seconds)

    def ask(
        self,
        kind,
        server_id=None,
        members=None,
        actor=OWNER,
        *,
        occurred_at=None,
        project_id=None,
        admin_pass=None,
    ):
        self.clock.advance(timedelta(minutes=1, microseconds=7))
        number = len(self.commands) + self.refused + 1
        asked = as_asked(
            kind,
            server_id,
            members or {},
            Context(actor, f"req-{number:02}-{kind}", "req-global"),
            occurred_at,
            project_id,
        )
        secret = {} if admin_pass is None else {"admin_pass": admin_pass}
        return self.keep(asked, command(self.servers, asked, **secret))

    def keep(self, asked, outcome):
        assert not outcome.replayed
        assert outcome.position is not None, "what changes nothing is not recorded"
        self.commands.append({"asked": asked, "outcome": outcome_json(outcome)})
        return outcome.server

    def refuse(self, rule, *asked):
        with pytest.raises(Refused) as refused:
            self.ask(*asked)
        assert refused.value.rule == rule
        self.refused += 1

    def register(self, server_id, **members):
        now = int(self.clock.now.timestamp()) * 1_000_000
        documented = {
            "server_id": server_id,
            "name": "unfoobar",
            "project_id": "openstack",
            "user_id": "fake",
            "image_id": IMAGE,
            "flavor_id": "1",
            "created": now - 86_400_000_000,
            "updated": now,
            "metadata": {"meta var": "meta val"},
            "addresses": {"private": (Address("192.168.0.3", 4), Address("fe80::3", 6))},
            "host_id": "1e3da81662354c25560b7e5ea6d8123031f67168b6992f20bb84df69",
        }
        self.ask("register", server_id, documented | members)


def first_half(story):
    """What the view, the timeline, the reactions and the checkpoint have seen."""
    ask = story.ask
    story.register(DOCUMENTED)
    story.early = story.at(30)
    everything = {
        "image_id": OTHER_IMAGE,
        "name": "foobar",
        "metadata": {"meta var": "meta val", "Größe": "ξ 東京 🛰", "a/b~c": ""},
        "access_ipv4": "1.2.3.4",
        "access_ipv6": "fe80::100",
        "disk_config": "AUTO",
    }
    rebuilding = ask("rebuild", DOCUMENTED, everything, admin_pass=PASSWORD)
    progress = {"percent": 40, "rebuild_id": rebuilding.rebuild.id}
    ask("report_progress", DOCUMENTED, progress, occurred_at=story.at(30.5))
    story.refuse("state", "stop", DOCUMENTED)
    ask("complete_rebuild", DOCUMENTED)

    beyond_ascii = {
        "server_id": FAILED,
        "name": "größer · 東京 🛰",
        "image_id": IMAGE,
        "flavor_id": "2",
        "metadata": {"ключ": "значение", "\u200f": "e\u0301 is not \u00e9"},
    }
    ask("create", FAILED, beyond_ascii, BEYOND_ASCII, admin_pass=PASSWORD)
    ask("report_built", FAILED, None, BEYOND_ASCII, project_id="проект")
    ask("rebuild", FAILED, {"image_id": OTHER_IMAGE}, BEYOND_ASCII)
    ask("fail_rebuild", FAILED, {"reason": "no space: «диск»"}, BEYOND_ASCII)
    ask("reset_state", FAILED, {"state": "ACTIVE"}, ADMIN)
    ask("rebuild", FAILED, {"image_id": IMAGE, "metadata": {}}, BEYOND_ASCII)
    ask("reset_state", FAILED, {"state": "ERROR"}, ADMIN)

    # Without an id: it is generated.
    ask("create", None, {"name": "building", "image_id": IMAGE, "flavor_id": "1"})

    story.register(STOPPED, name="stopped", metadata={})
    ask("rename", STOPPED, {"name": "stopped at last"})
    ask("change", STOPPED, {"access_ipv4": "10.0.0.9", "disk_config": "AUTO"})
    ask("update_metadata", STOPPED, {"metadata": {"one": "1", "two": "2", "three": "3"}})
    ask("delete_metadata", STOPPED, {"keys": ["one", "three"]})
    ask("replace_metadata", STOPPED, {"metadata": {"four": "4"}})
    ask("stop", STOPPED)
    ask("start", STOPPED, occurred_at=story.at(30.5))
    ask("lock", STOPPED)
    story.refuse("lock", "stop", STOPPED)
    ask("unlock", STOPPED)
    story.refuse("role", "rename", STOPPED, {"name": "a reader's"}, READER)


def second_half(story):
    """What they have not seen, and late facts among it."""
    ask = story.ask
    ask("rebuild", STOPPED, {"image_id": OTHER_IMAGE})
    ask("fail_rebuild", STOPPED, {"reason": "no host", "stage": "scheduling"})
    ask("stop", STOPPED)
    ask("lock", STOPPED, None, ADMIN)

    story.register(GONE, name="gone", status="ERROR", project_id="elsewhere")
    ask("rebuild", GONE, {"image_id": OTHER_IMAGE, "name": "going"})
    ask("report_progress", GONE, {"percent": 70})
    ask("delete", GONE)
    ask("record", GONE, {"events": [ServerRenamed("gone: late")]}, occurred_at=story.at(-120))

    # Facts from before their server began, and a rebuild that another one replaced.
    ask(
        "record",
        OBSERVED,
        {"events": [RebuildRequested("r1", IMAGE, "given")]},
        occurred_at=story.at(-540),
    )
    replacing = [RebuildRequested("r2", OTHER_IMAGE, "generated"), ImageChanged(OTHER_IMAGE)]
    ask("record", OBSERVED, {"events": replacing}, READER, occurred_at=story.at(-420))
    observed = ServerObserved(
        server_id=OBSERVED,
        name="observed",
        project_id="openstack",
        image_id=IMAGE,
        flavor_id="3",
        metadata={"seen": "by a source"},
    )
    ask("record", OBSERVED, {"events": [observed]}, occurred_at=story.at(-1200))
    ask("record", OBSERVED, {"events": [RebuildCompleted("r2", 100)]})

    # For a server of the first half: between its beginning and its rebuild.
    late = [ServerRenamed("late"), MetadataReplaced({"late": "so"}), ServerStarted()]
    ask("record", DOCUMENTED, {"events": late}, occurred_at=story.early)

    story.register(ELSEWHERE, project_id="elsewhere", name="a%_b")
    story.register(REBUILDING, name="rebuilding")
    unknown = {"image_id": OTHER_IMAGE, "image_known": False}
    story.refuse("image", "rebuild", REBUILDING, unknown)
    ask("rebuild", REBUILDING, {"image_id": IMAGE, "name": "rebuilding now"})
    ask("report_progress", REBUILDING, {"percent": 30})


def react(story):
    """One reaction that is told, one that commands, one that stops; each keeps its place."""
    servers = story.servers

    def lock(happened):
        asked = as_asked("lock", happened.server_id, {}, happened.context("built"))
        story.keep(asked, command(servers, asked))

    def fail(happened):
        raise ValueError(f"no answer: {happened.position}")

    with servers.react("told", lambda happened: None, start="beginning") as told:
        assert told.caught_up(60)
    with servers.react("locks", lock, start="beginning", events=["ServerBuilt"]) as locks:
        assert locks.caught_up(60)
    failing = servers.react("fails", fail, start="beginning", attempts=1, events=["ServerLocked"])
    with failing:
        assert failing.stopped.wait(60)


def append_foreign(path):
    """Append what another `eventsourcing` application records."""
    with closing(sqlite3.connect(path)) as log, log:
        log.execute(
            "INSERT INTO stored_events (originator_id, originator_version, topic, state)"
            " VALUES (?, 1, 'dogs:Dog.TrickAdded', '{}')",
            (uuid5(NAMESPACE_DNS, "dog").hex,),
        )


def questions(servers, head):
    generated = [server.id for server in servers.list(status="BUILD")]
    everybody = [DOCUMENTED, FAILED, REBUILDING, STOPPED, GONE, OBSERVED, ELSEWHERE, *generated]
    times = sorted(entry.as_json()["recorded_at"] for entry in servers.timeline.search())[5::17]
    of_fleet = [f"recorded:{time}" for time in times]
    of_fleet += [f"position:{position}" for position in range(7, head, 13)]
    moments = [*of_fleet, *(f"occurred:{time}" for time in times), "version:2"]
    moments += [f"recorded:{times[-1]},occurred:{time}" for time in times[:-1]]
    for server_id in everybody:
        yield {"ask": "get", "server_id": server_id}
        yield {"ask": "history", "server_id": server_id}
        yield {"ask": "diff", "server_id": server_id, "before": "first", "after": "now"}
        yield from ({"ask": "get", "server_id": server_id, "as_of": moment} for moment in moments)
    half = f"position:{head // 2}"
    yield {"ask": "diff", "server_id": DOCUMENTED, "before": "version:3", "after": half}
    yield {"ask": "diff_fleet", "before": "first", "after": "now"}
    yield {"ask": "diff_fleet", "before": half, "after": "now"}
    yield from ({"ask": "fleet", "as_of": moment} for moment in [None, *of_fleet])
    yield {"ask": "list"}
    yield from ({"ask": "list", "status": status} for status in ("ACTIVE", "ERROR", "REBUILD"))
    yield from ({"ask": "list", "name": part} for part in ("東京", "%_", "late"))
    yield {"ask": "list", "project_id": "проект"}
    yield {"ask": "timeline"}
    yield {"ask": "timeline", "text": "東京"}
    yield {"ask": "timeline", "request": "req-02-rebuild"}
    yield {"ask": "timeline", "image": OTHER_IMAGE, "limit": 5}
    yield {"ask": "reactions"}


def write(folder):
    """Write the store into a folder; gives back its commands."""
    path = folder / "cloud.db"
    story = Story(path)
    with story.servers as servers:
        first_half(story)
        append_foreign(path)
        react(story)
        servers.list()
        list(servers.timeline.search())
        made = servers.ledger.checkpoint(folder / "audit.key", folder / "checkpoint")
        seen = made.checkpoint.size
        second_half(story)
        head = servers.view.status().head
        assert servers.view.status().position == servers.timeline.status().position <= seen < head
        store = servers._store
        Fleet(store, Keyframes(store, SPACING), AsOf(position=head)).close()
        proof = servers.ledger.prove(7, folder / "checkpoint")
    (folder / "position-7.proof").write_bytes(proof)
    assert {one["asked"]["kind"] for one in story.commands} == {*COMMANDS, "record"}
    # What signs stays with nobody.
    (folder / "audit.key").unlink()
    for lock in folder.glob("*.lock"):
        lock.unlink()
    return story.commands, head


def main():
    if fingerprint() != FOLD_OF_0_1_0:
        sys.exit("this is another release than 0.1.0, which alone can write its store")
    with TemporaryDirectory() as name:
        folder = Path(name) / "written"
        folder.mkdir()
        commands, head = write(folder)
        # Asked of a copy: the views are to stay behind the log, as they are.
        asked_of = shutil.copytree(folder, Path(name) / "asked")
        with Servers.open(f"sqlite:///{asked_of}/cloud.db", create=False) as servers:
            assert servers.check() == []
            assert {server.status for server in servers.list()} == set(STATUSES)
            answers = [
                {"question": one, "answer": answer(servers, one)}
                for one in questions(servers, head)
            ]
        keep(folder / "commands.json", commands)
        keep(folder / "answers.json", answers)
        left = [path for path in folder.rglob("*") if path.name.endswith(("-wal", "-shm"))]
        assert left == []
        shutil.rmtree(HERE / "cloud.keyframes", ignore_errors=True)
        shutil.copytree(folder, HERE, dirs_exist_ok=True)


def keep(path, what):
    lines = ",\n".join(json.dumps(one, ensure_ascii=False, sort_keys=True) for one in what)
    path.write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    main()
