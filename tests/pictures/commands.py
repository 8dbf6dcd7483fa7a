"""What the pictures show: a command line for each, on logs that are the same every time.

To add a picture, add a line to `PICTURES` and run ``make pictures``.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from serverdomain.adapters.cli import demo
from tests.pictures.drawing import LIGHT, drawn
from tests.pictures.screen import typed

COLUMNS = (80, 120)

SERVER = "7cc251aa-05ee-4c39-9d0c-d9e4795972a8"
REQUEST = "req-01931b58-2db5-7505-a938-bcb96836d155"
ONE = demo.SERVER_ID
AT = "--at 2012-09-12T17:20:40Z"


class Picture(NamedTuple):
    """A command line, and the log that it is asked of: of a fleet, of one server, or none yet.

    What the command makes has a name that begins with ``made``.
    """

    line: str
    log: str = "fleet"


PICTURES = {
    "help": Picture("--help"),
    "report-help": Picture("report --help"),
    "ledger-help": Picture("ledger --help"),
    "misspelt": Picture("lsit"),
    "rebuild": Picture(f"rebuild {ONE} --request request.json {AT}", "one"),
    "metadata": Picture(f"metadata {ONE} --replace", "one"),
    "show": Picture(f"show {ONE}", "one"),
    "list": Picture("list --limit 12"),
    "list-long": Picture("list --limit 2 --long"),
    "list-csv": Picture("list --limit 4 --sort name -o name,status,lock,updated --csv"),
    "history": Picture(f"history {SERVER} --limit 6"),
    "history-images": Picture("history build-9960 --event ImageChanged --limit 3"),
    "diff": Picture(f"diff {SERVER} version:20 version:30"),
    "what-if": Picture(f"what-if {SERVER} --drop {REQUEST}"),
    "report-rebuilds": Picture("report rebuilds --limit 5"),
    "report-images": Picture("report images --limit 6"),
    "report-metadata": Picture("report metadata --limit 5"),
    "view-status": Picture("view status --json"),
    "reactions-list": Picture("reactions list"),
    "env": Picture("env"),
    "check": Picture("check"),
    "backup": Picture("backup made.backup"),
    "ledger-checkpoint": Picture("ledger checkpoint --key ledger.key --out made"),
    "ledger-verify": Picture("ledger verify --checkpoint monday --key ledger.key.pub"),
    "ledger-check-proof": Picture("ledger check-proof one.tlog-proof --key ledger.key.pub"),
    "generate": Picture("generate --servers 3", "none"),
}

FIRST = ("history-images", COLUMNS[0])
"""The picture on the README's first screen, which is on a light ground, too."""

UNSEEN = {
    **dict.fromkeys(
        (
            "register",
            "create",
            "built",
            "progress",
            "complete",
            "fail",
            "rename",
            "lock",
            "unlock",
            "stop",
        ),
        "prints a server, as show does",
    ),
    **dict.fromkeys(("start", "reset-state", "wait"), "prints a server, as show does"),
    **dict.fromkeys(
        ("delete", "view replay", "reactions resume", "reactions skip"), "prints nothing"
    ),
    **dict.fromkeys(("ledger prove", "ledger consistency"), "prints a file for a program"),
    "serve": "runs until it is ended",
    "store init": "prints one line, and needs a PostgreSQL",
    "store copy": "prints one line",
    "import log": "prints one line",
    "import nova": "prints a few lines of counts",
    "import actions": "prints a few lines of counts",
    "import cadf": "prints a few lines of counts",
    "follow nova": "prints nothing until it ends",
    "export": "prints lines for a program",
    "digest": "prints one line",
    "demo": "tells a story of its own time",
}
"""Commands without a picture, and why."""


@contextmanager
def standing_in(folder: Path) -> Iterator[None]:
    """Stand in a folder with the logs, keys and requests that the pictures need."""
    before, environment = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    for name in [name for name in environment if "SERVERDOMAIN" in name or name == "NO_COLOR"]:
        del os.environ[name]
    os.environ |= {"LOGNAME": "fake", "TERM": "xterm-256color"}
    try:
        _prepare()
        yield
    finally:
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environment)


def _prepare() -> None:
    Path("server.json").write_text(demo.BEFORE, "utf-8")
    Path("request.json").write_text(demo.REQUEST, "utf-8")
    for words in (
        "generate --servers 40 --store cloud.db",
        "ledger checkpoint --key ledger.key --out monday --store cloud.db",
        "register --from server.json --store one.db",
    ):
        code, printed = typed(words.split())
        assert code == 0, printed
    proof = "ledger prove 20 --checkpoint monday --store cloud.db"
    Path("one.tlog-proof").write_bytes(typed(proof.split())[1])


def printed(folder: Path) -> Iterator[tuple[str, int, str]]:
    """What each command prints on a screen of each width, asked in an empty folder."""
    with standing_in(folder):
        for columns in COLUMNS:
            for name, picture in PICTURES.items():
                for left in folder.glob("made*"):
                    left.unlink()
                if picture.log == "one":
                    shutil.copy("one.db", "made.db")
                store = "cloud.db" if picture.log == "fleet" else "made.db"
                os.environ["SERVERDOMAIN_STORE"] = store
                _, text = typed(picture.line.split(), columns)
                yield name, columns, _settled(text.decode())


def pictures(printed: Iterable[tuple[str, int, str]]) -> Iterator[tuple[str, str]]:
    """Each picture by the name of its file."""
    for name, columns, text in printed:
        line = f"serverdomain {PICTURES[name].line}"
        yield f"{name}-{columns}.svg", drawn(line, text, columns)
        if (name, columns) == FIRST:
            yield f"{name}-{columns}-light.svg", drawn(line, text, columns, LIGHT)


def _settled(text: str) -> str:
    """The same with another id in place of the log's, which is made anew each time."""
    with closing(sqlite3.connect("cloud.db")) as log:
        ((log_id,),) = log.execute("SELECT log_id FROM log")
    return text.replace(log_id, ONE)
