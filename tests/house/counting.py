"""How long the ways through the house are, and how large it is: ``python -m tests.house.counting``.

Only our own files are counted. On a way, a file is *entered* when a frame of its code begins, or a
generator or coroutine of it goes on. What is entered in another file than the frame of ours before
it, in the same thread, is a *change of file*; so is a thread's first. The rebuild by POST is the
second of its process, with another image and the name and metadata of the first. A *code line*
holds a token of code: comments and docstrings are none, what explains a constant is one.
"""

import ast
import asyncio
import gc
import sys
import threading
import tokenize
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from statistics import median_low
from tempfile import TemporaryDirectory
from types import FrameType
from typing import NamedTuple, Self

import httpx

from serverdomain import RebuildServer, Servers
from serverdomain.adapters.http import compute_app
from serverdomain.testing import registered
from tests.house.circles import circles, imported
from tests.house.engines import at_home_with_sqlite3, importing_sqlite3
from tests.house.imports import SOURCE, python_files

OURS = f"{SOURCE}/serverdomain/"
SERVER = registered().server_id
IMAGES = ("70a599e0-31e7-49b7-b260-868f441e862b", "155d900f-4e14-4e4c-a73d-069cbf4541e6")
LONG_FILE = 200
LONG_FUNCTION = 40


class Count(NamedTuple):
    """A number, what it counts, and which these are."""

    number: int
    what: str
    which: Sequence[str] = ()


class Way(NamedTuple):
    """The files that were entered, thread by thread, and the frames that lead to the rule."""

    entered: dict[int, list[str]]
    frames: list[str]

    @property
    def files(self) -> list[str]:
        return sorted({file for files in self.entered.values() for file in files})

    @property
    def changes(self) -> int:
        return sum(len(list(groupby(files))) for files in self.entered.values())


class Watch:
    """A profiler's hook in this thread, and in all that begin while it is there."""

    def __init__(self) -> None:
        self._way: Way | None = None

    def __enter__(self) -> Self:
        threading.setprofile(self._hook)
        sys.setprofile(self._hook)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    @contextmanager
    def way(self) -> Iterator[Way]:
        """What is done meanwhile."""
        gc.disable()  # What it runs, it runs at any time.
        self._way = way = Way({}, [])
        try:
            yield way
        finally:
            self._way = None
            gc.enable()
        assert way.entered, "what runs is the code of this project"

    def _hook(self, frame: FrameType, event: str, _: object) -> None:
        way, file = self._way, _file(frame)
        if way is None or event != "call" or file is None:
            return
        way.entered.setdefault(threading.get_ident(), []).append(file)
        if (file, frame.f_code.co_name) == ("domain/decisions.py", "_rebuild"):
            way.frames.extend(_from_servers(frame))


def _file(frame: FrameType) -> str | None:
    path = frame.f_code.co_filename
    return path.removeprefix(OURS) if path.startswith(OURS) else None


def _from_servers(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        file, name = _file(frame), frame.f_code.co_name
        if file is not None:
            yield f"{file} {name}"
        frame = None if (file, name) == ("servers/commands.py", "rebuild") else frame.f_back


def ways() -> Iterator[Count]:
    """The ways of a rebuild, and of a list that is one event behind."""
    with Watch() as watch:
        with _servers() as servers, watch.way() as way:
            servers.rebuild(SERVER, RebuildServer(image_id=IMAGES[1]))
        assert way.frames, "decisions._rebuild is where a rebuild is decided"
        what = "frames from Servers.rebuild to decisions._rebuild"
        yield Count(len(way.frames), what, way.frames)

        with _servers() as servers:
            way = asyncio.run(_second_rebuild(servers, watch))
        yield Count(len(way.files), "files that a rebuild by POST enters", way.files)
        yield Count(way.changes, "changes of file in a rebuild by POST")
        long = [
            f"{file} {lines}"
            for file in way.files
            if (lines := len(_lines(Path(OURS, file)))) > LONG_FILE
            if not file.startswith("domain/")
        ]
        what = f"files of more than {LONG_FILE} lines that it enters, domain's apart"
        yield Count(len(long), what, long)

        with _servers() as servers:
            servers.list()
            servers.rename(SERVER, "one event behind")
            with watch.way() as way:
                servers.list()
        yield Count(len(way.files), "files that a list one event behind enters", way.files)
        yield Count(way.changes, "changes of file in a list one event behind")


@contextmanager
def _servers() -> Iterator[Servers]:
    with TemporaryDirectory() as folder, Servers.open(f"sqlite:///{folder}/cloud.db") as servers:
        servers.record(SERVER, [registered()])
        yield servers


async def _second_rebuild(servers: Servers, watch: Watch) -> Way:
    app = compute_app(servers, hypervisor=None, endpoint="http://openstack.example.com")
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for image in reversed(IMAGES):
            asked = {"imageRef": image, "name": "renamed", "metadata": {"a": "b"}}
            with watch.way() as way:
                answer = await client.post(
                    f"/v2/openstack/servers/{SERVER}/action", json={"rebuild": asked}
                )
            assert answer.status_code == 202, answer.text
            servers.complete_rebuild(SERVER)
    return way


def size() -> Iterator[Count]:
    """What the source says of itself."""
    found = circles(imported())
    yield Count(len(found), "circles of modules", [" <-> ".join(circle) for circle in found])
    strangers = [module for module in importing_sqlite3() if not at_home_with_sqlite3(module)]
    yield Count(len(strangers), "files that import sqlite3 and are no home of it", strangers)
    files = python_files("src")
    yield Count(sum(map(code_lines, files)), "lines of code")
    lines = [len(_lines(file)) for file in files]
    yield Count(median_low(lines), "lines of the median file")
    long = [one for file in files for one in long_functions(file)]
    yield Count(len(long), f"functions of more than {LONG_FUNCTION} lines", long)


def code_lines(path: Path) -> int:
    """How many lines hold code."""
    nothing = {
        *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
        *(tokenize.ENCODING, tokenize.ENDMARKER),
    }
    with path.open("rb") as file:
        lines = {
            line
            for token in tokenize.tokenize(file.readline)
            if token.type not in nothing
            for line in range(token.start[0], token.end[0] + 1)
        }
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case (
                ast.Module(body=[first, *_])
                | ast.ClassDef(body=[first, *_])
                | ast.FunctionDef(body=[first, *_])
                | ast.AsyncFunctionDef(body=[first, *_])
            ) if ast.get_docstring(node) is not None:
                lines -= set(range(first.lineno, (first.end_lineno or 0) + 1))
    return len(lines)


def _lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def long_functions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            if lines > LONG_FUNCTION:
                yield f"{path.name}:{node.lineno} {node.name} {lines}"


def main() -> None:
    for count in (*ways(), *size()):
        print(f"{count.number:7,}  {count.what}")
        for which in count.which:
            print(f"{'':11}{which}")


if __name__ == "__main__":
    main()
