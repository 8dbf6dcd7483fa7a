"""Every question of the library and of the command, put to a store as an ordinary process does.

``python -m tests.read_only.asking USER COPY FOLDER…`` asks them of each ``FOLDER/cloud.db``, as
that user, and prints the answers as JSON; the checkpoint and the key are beside each folder.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from serverdomain import AsOf, Servers
from serverdomain.adapters.cli.app import app
from serverdomain.adapters.cli.run import run
from serverdomain.audit import reports

SERVER = "075e40fe-9f03-4652-ba8e-5f8e2547899a"


def of_the_library(store: Path) -> Iterator[tuple[str, Any]]:
    with Servers.open(store, read_only=True) as servers:
        yield "get", servers.get(SERVER).name
        yield "get as of", servers.get(SERVER, as_of=AsOf(version=1)).name
        yield "history", [one.name for one in servers.history(SERVER)]
        yield "follow", [one.name for one in servers.follow(SERVER, 0)]
        yield "list", [one.name for one in servers.list(status="ACTIVE")]
        yield "view", servers.view.status()
        with servers.fleet(as_of=AsOf(position=1)) as fleet:
            yield "fleet", [one.name for one in fleet.servers()]
        yield "diff", [change.path for change in servers.diff(SERVER).changes]
        yield "diff of the fleet", [one.changes[0].path for one in servers.diff_fleet().servers]
        yield "timeline", [one.name for one in servers.timeline.search(text="renamed")]
        yield "rebuilds", reports.rebuilds(servers.timeline, 10).as_json()
        yield "images", reports.images(servers.timeline, None).as_json()
        yield "metadata", reports.lost_metadata(servers.timeline, 10).as_json()
        last = servers.history(SERVER)[-1].request_id
        yield "what if", servers.what_if(SERVER, drop=[last]).changes != ()
        yield "reactions", servers.reactions()
        yield "check", servers.check()
        verdict = servers.ledger.verify(
            str(store.parent.parent / "point"), [str(store.parent.parent / "key.pub")]
        )
        yield "verify", [verdict.problems, verdict.uncovered]
        with tempfile.TemporaryDirectory() as folder:
            made = servers.backup(Path(folder, "copy.db"), verify=True)
            with Servers.open(made.path, read_only=True) as copy:
                yield "backup", [made.events, copy.get(SERVER).name]


def of_the_command(store: Path, last_request: str, *options: str) -> Iterator[tuple[str, Any]]:
    point, key = store.parent.parent / "point", store.parent.parent / "key.pub"
    for line in (
        f"show {SERVER}",
        f"show {SERVER} --as-of version:1",
        "list --json",
        "list --json --as-of position:1",
        f"history {SERVER} --json",
        "history --text renamed --json",
        f"diff {SERVER} first now --json",
        "diff --fleet first now --json",
        f"what-if {SERVER} --drop {last_request} --json",
        f"wait {SERVER} --status ACTIVE",
        "report rebuilds --json",
        "report images --json",
        "report metadata --json",
        "view status --json",
        "reactions list --json",
        "check --json",
        f"ledger verify --checkpoint {point} --key {key} --json",
        f"ledger prove 1 --checkpoint {point}",
        f"ledger consistency {point} {point}",
    ):
        out = io.TextIOWrapper(io.BytesIO(), "utf-8")
        err = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(app, [*line.split(), "--store", str(store), *options])
        out.flush()
        assert (code, err.getvalue()) == (0, ""), (line, code, err.getvalue())
        asked = line.replace(last_request, "LAST").replace(str(store.parent.parent), "BESIDE")
        yield asked, out.buffer.getvalue().decode()


def every_answer(folder: Path, *options: str) -> dict[str, Any]:
    """What all of them answer, as JSON has it."""
    store = folder / "cloud.db"
    found: dict[str, Any] = dict(of_the_library(store))
    with Servers.open(store, read_only=True) as servers:
        last = servers.history(SERVER)[-1].request_id
    found |= dict(of_the_command(store, last, *options))
    answers: dict[str, Any] = json.loads(json.dumps(found))
    return answers


def become(user: int, copy: Path) -> None:
    """Ask about a copy, so that all is imported that another user may not find, then be them."""
    every_answer(copy)
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    os.environ["XDG_CACHE_HOME"] += f"/of-{user}"


if __name__ == "__main__":
    given, copy, *folders = sys.argv[1:]
    if int(given):
        become(int(given), Path(copy))
    print(json.dumps([every_answer(Path(folder)) for folder in folders]))
