"""The pages that people read, and their snippets, run as a reader would run them.

A page's blocks run in order in one new folder:

* ``python`` blocks share one namespace; a ``text`` block behind one is what it prints;
* ``console`` blocks are commands (``$ …``), each with its output where that is shown; they share
  the folder and the environment, as in one shell, so ``cd`` and ``export`` hold for what follows;
* ``yaml`` is loaded, and what it has others run is a test of its own;
* ``json NAME`` and ``python NAME`` are the file NAME;
* ``sh`` makes targets and installs extras, which takes too long to run here: they must be there;
* ``sql`` is run by a test of its own;
* a block of no language is a drawing.

In what is shown ``...`` stands for what varies, also over many lines.
"""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, Example, OutputChecker
from pathlib import Path
from typing import NamedTuple

import yaml
from markdown_it import MarkdownIt

from tests.house.imports import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = [extra for extra in PROJECT["optional-dependencies"] if extra not in ("dev", "all")]
"""What users install; ``dev`` and ``all`` are environments of the Makefile."""

_OPTIONS = ELLIPSIS | NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """A fenced block: its language, a file name if one follows, its text, and where it begins."""

    language: str
    name: str
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    found = []
    for token in MarkdownIt().parse(page):
        if token.type == "fence":
            assert token.map is not None
            language, _, name = token.info.partition(" ")
            found.append(Block(language, name, token.content, token.map[0] + 1))
    return found


def run(page: Path, folder: Path, **variables: str) -> None:
    """Run all of a page's blocks; raises what a snippet raises.

    Its commands see ``variables`` beside what a reader's shell has, whose login name is ``reader``.
    """
    namespace: dict[str, object] = {"__name__": page.stem}
    printed = ""
    with contextlib.chdir(folder):
        environment = _environment() | variables
        for block in blocks(page.read_text("utf-8")):
            match block.language:
                case "python" if block.name:
                    Path(block.name).write_text(block.text, "utf-8")
                case "python":
                    printed = _python(block, page, namespace)
                case "text":
                    _compare(block, "the block before", block.text, printed)
                case "console":
                    _console(block, environment)
                case "json":
                    json.loads(block.text)
                    if block.name:
                        Path(block.name).write_text(block.text, "utf-8")
                case "yaml":
                    yaml.safe_load(block.text)
                case "" | "sql":
                    pass
                case "sh":
                    _installs(block)
                case other:
                    raise AssertionError(f"line {block.line}: nothing runs {other!r}")


def _python(block: Block, page: Path, namespace: dict[str, object]) -> str:
    # As many empty lines in front as the page has, so that a traceback names the page's line.
    code = compile("\n" * block.line + block.text, str(page), "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue()


def commands(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, and of each what it prints."""
    return re.findall(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE)


def _console(block: Block, environment: dict[str, str]) -> None:
    for command, shown in commands(block):
        with tempfile.NamedTemporaryFile() as left:
            done = subprocess.run(
                # What the shell leaves behind, the next one begins with.
                f"{command}code=$?; {{ pwd; env -0; }} > {shlex.quote(left.name)}; exit $code",
                shell=True,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            folder, _, exported = left.read().decode().partition("\n")
        assert done.returncode == 0, f"line {block.line}: $ {command}{done.stdout}"
        os.chdir(folder)
        environment |= dict(one.split("=", 1) for one in exported.split("\0") if one)
        if shown:
            _compare(block, f"$ {command}", shown, done.stdout)


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if "SERVERDOMAIN" not in name}
    path = f"{Path(sys.executable).parent}{os.pathsep}{ours['PATH']}"
    # What is made in a new temporary folder goes where the test's own files go.
    new = {"PATH": path, "LOGNAME": "reader", "NO_COLOR": "1", "COLUMNS": "100"}
    return ours | new | {"TMPDIR": str(Path.cwd())}


def _installs(block: Block) -> None:
    for line in block.text.splitlines():
        match shlex.split(line, comments=True):
            case ["make", *targets]:
                assert set(targets) <= set(TARGETS), line
            case ["pip", "install", extra] if extra.startswith("./serverdomain["):
                assert extra in [f"./serverdomain[{name}]" for name in EXTRAS], line
            case _:
                raise AssertionError(f"line {block.line}: nothing runs {line!r}")


def _compare(block: Block, what: str, shown: str, came: str) -> None:
    checker = OutputChecker()
    if not checker.check_output(shown, came, _OPTIONS):
        difference = checker.output_difference(Example("", shown), came, _OPTIONS)
        raise AssertionError(f"line {block.line}, {what}\n{difference}")
