"""The pages that people read, and their snippets, run as a reader would run them.

A page's blocks run in order in one new folder:

* ``python`` blocks share one namespace; a ``text`` block behind one is what it prints;
* ``console`` blocks are commands (``$ …``), each with its output where that is shown;
* ``yaml`` is loaded, and what it has others run is a test of its own;
* ``json NAME`` and ``python NAME`` are the file NAME;
* ``sh`` names targets of the Makefile, which are too long to run here;
* a block of no language is a drawing.

In what is shown ``...`` stands for what varies, also over many lines.
"""

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, Example, OutputChecker
from pathlib import Path
from typing import NamedTuple

import yaml
from markdown_it import MarkdownIt

from tests.house.imports import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
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


def run(page: Path, folder: Path) -> None:
    """Run all of a page's blocks; raises what a snippet raises."""
    namespace: dict[str, object] = {"__name__": page.stem}
    printed = ""
    with contextlib.chdir(folder):
        for block in blocks(page.read_text("utf-8")):
            match block.language:
                case "python" if block.name:
                    Path(block.name).write_text(block.text, "utf-8")
                case "python":
                    printed = _python(block, page, namespace)
                case "text":
                    _compare(block, "the block before", block.text, printed)
                case "console":
                    _console(block)
                case "json":
                    json.loads(block.text)
                    if block.name:
                        Path(block.name).write_text(block.text, "utf-8")
                case "yaml":
                    yaml.safe_load(block.text)
                case "":
                    pass
                case "sh":
                    _targets(block)
                case other:
                    raise AssertionError(f"line {block.line}: nothing runs {other!r}")


def _python(block: Block, page: Path, namespace: dict[str, object]) -> str:
    # As many empty lines in front as the page has, so that a traceback names the page's line.
    code = compile("\n" * block.line + block.text, str(page), "exec")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, namespace)
    return printed.getvalue()


def _console(block: Block) -> None:
    for command, shown in re.findall(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
        done = subprocess.run(
            command,
            shell=True,
            env=_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"line {block.line}: $ {command}{done.stdout}"
        if shown:
            _compare(block, f"$ {command}", shown, done.stdout)


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if "SERVERDOMAIN" not in name}
    path = f"{Path(sys.executable).parent}{os.pathsep}{ours['PATH']}"
    return {**ours, "PATH": path, "LOGNAME": "fake", "NO_COLOR": "1", "COLUMNS": "100"}


def _targets(block: Block) -> None:
    known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    for line in block.text.splitlines():
        command, *targets = line.partition("#")[0].split()
        assert command == "make", line
        assert set(targets) <= set(known), line


def _compare(block: Block, what: str, shown: str, came: str) -> None:
    checker = OutputChecker()
    if not checker.check_output(shown, came, _OPTIONS):
        difference = checker.output_difference(Example("", shown), came, _OPTIONS)
        raise AssertionError(f"line {block.line}, {what}\n{difference}")
