"""Build the site: ``python docs/site/build.py FOLDER``, as ``make docs`` does.

The pages are laid out as they lie in the repository, so that their links lead to each other; the
README is the first. Notebooks become pages with what they gave, and the reference is made from the
docstrings of the public names. A warning of Sphinx is an error.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html import escape
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[2]

TUTORIAL = ("docs/tour", "docs/teaching", "notebooks/*")
REFERENCE_PAGES = (
    *("reference", "docs/cli", "docs/events", "docs/routes"),
    *("docs/ledger-spec", "docs/bounds"),
)
EXPLANATION = ("docs/event-sourcing", "docs/house", "docs/limits", "docs/benchmarks")
"""Pages that have a part of their own; the others stand by their readers, as in the README."""

PUBLIC = (
    "serverdomain",
    "serverdomain.testing",
    *(f"serverdomain.adapters.{name}" for name in ("compute_json", "http", "charts")),
)
"""The packages whose names are the reference."""

_REACHABLE = {
    # What scrolls by itself is scrolled with keys.
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    # Landmarks have names, headings a level; the corner of a table heads nothing.
    '<aside class="sidebar-drawer"': '<aside aria-label="All pages" class="sidebar-drawer"',
    '<aside class="toc-drawer"': '<aside aria-label="This page" class="toc-drawer"',
    'role="heading"><span class="caption-text"': (
        'role="heading" aria-level="2"><span class="caption-text"'
    ),
    '<th class="head"><p></p></th>': "<td></td>",
    '<div id="search-results"': '<h1>Search</h1><div id="search-results"',
}
"""What is changed in the pages that the theme makes."""


def build(out: Path) -> None:
    """Build the site into a folder; raises `SystemExit` where Sphinx warns."""
    with TemporaryDirectory() as folder:
        staged = Path(folder)
        stage(staged)
        command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
        command += ["--fresh-env", "-b", "html", "-c", str(Path(__file__).parent)]
        done = subprocess.run([*command, str(staged), str(out)], check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    # The README shows one of them by HTML of its own, which Sphinx does not follow.
    shutil.copytree(ROOT / "docs/pictures", out / "docs/pictures", dirs_exist_ok=True)
    shutil.rmtree(out / ".doctrees", ignore_errors=True)
    for page in out.rglob("*.html"):
        page.write_text(_reachable(page.read_text("utf-8")), "utf-8")


def _reachable(page: str) -> str:
    """A page of the theme's, for who has no pointer and for who does not see it."""
    for before, after in _REACHABLE.items():
        page = page.replace(before, after)
    return page


def stage(folder: Path) -> None:
    """Lay the pages out in a folder, for Sphinx to read."""
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    for page in pages:
        _write(folder / page.relative_to(ROOT), _linked(page.read_text("utf-8")))
    beside = [ROOT / "docs/datasette/metadata.json"]
    for kind in ("*.svg", "*.png"):
        beside += (ROOT / "docs").rglob(kind)
    for file in beside:
        to = folder / file.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_bytes(file.read_bytes())
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        _write(folder / f"notebooks/{notebook.stem}.md", _page_of(notebook, folder))
    _write(folder / "reference.md", "".join(_reference()))
    readme = _linked((ROOT / "README.md").read_text("utf-8"))
    _write(folder / "index.md", readme + "".join(_contents()))
    # The decisions are listed by their own page.
    records = sorted(path.stem for path in (ROOT / "docs/adr").glob("0*.md"))
    decisions = folder / "docs/adr/README.md"
    _write(decisions, decisions.read_text("utf-8") + _toctree(records))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _linked(text: str) -> str:
    """The same, its links to pages of the site, and a line empty where doctest needs a word."""
    text = text.replace("](../README.md", "](../index.md").replace("](README.md", "](index.md")
    return (
        text.replace(".ipynb)", ".md)")
        .replace("<BLANKLINE>\n", "\n")
        .replace("](LICENSE)", "](https://opensource.org/license/mit)")
    )


def _contents() -> Iterator[str]:
    """The parts of the site with their pages, in order."""
    yield _toctree(TUTORIAL, ":caption: Tutorial\n")
    yield from (_toctree(pages, f":caption: {readers}\n") for readers, pages in _by_readers())
    yield _toctree(REFERENCE_PAGES, ":caption: Reference\n")
    yield _toctree(EXPLANATION, ":caption: Explanation\n")


def _by_readers() -> Iterator[tuple[str, list[str]]]:
    """Who reads, and the pages that the README lists for them and that no other part has."""
    placed = {*TUTORIAL, *REFERENCE_PAGES, *EXPLANATION}
    listed = (ROOT / "README.md").read_text("utf-8").partition("## Documentation\n")[2]
    lists = re.compile(r"^(For [\w ]+)[^\n]*:\n\n((?:\* .*\n)+)", re.MULTILINE)
    for readers, links in lists.findall(listed):
        pages = re.findall(r"\]\((.*?)\.md\)", links)
        if some := [page for page in pages if page not in placed]:
            yield readers.strip(), some


def _toctree(pages: Sequence[str], options: str = "") -> str:
    return "\n\n```{toctree}\n:hidden:\n:glob:\n" + options + "\n" + "\n".join(pages) + "\n```\n"


def _reference() -> Iterator[str]:
    yield "# Reference of the public names\n\nMade from the docstrings.\n"
    for package in PUBLIC:
        module: Any = import_module(package)
        yield f"\n## `{package}`\n\n{(module.__doc__ or '').strip().splitlines()[0]}\n"
        for name in sorted(module.__all__):
            yield f"\n### `{name}`\n\n```{{eval-rst}}\n{_directive(package, name)}\n```\n"


def _directive(package: str, name: str) -> str:
    thing = getattr(import_module(package), name)
    kind = "autodata"
    if isinstance(thing, type):
        kind = "autoexception" if issubclass(thing, BaseException) else "autoclass"
    elif callable(thing):
        kind = "autofunction"
    whole = "\n   :members:\n   :inherited-members: Struct, Exception, dict, list, tuple"
    return f".. {kind}:: {package}.{name}" + (whole if kind == "autoclass" else "")


def _page_of(notebook: Path, folder: Path) -> str:
    """A notebook as a page: its text, its code, and what that gave."""
    told: list[str] = []
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            told.append(_linked(source))
            continue
        told.append(f"```python\n{source}\n```")
        told += [_given(one, notebook.stem, folder) for one in cell["outputs"]]
    return "\n\n".join(told) + "\n"


def _given(output: dict[str, Any], name: str, folder: Path) -> str:
    if output["output_type"] == "stream":
        return f"```text\n{''.join(output['text'])}```"
    data = {kind: "".join(lines) for kind, lines in output["data"].items()}
    if "image/png" in data:
        number = len([*folder.glob(f"notebooks/{name}-*.png")]) + 1
        picture = folder / f"notebooks/{name}-{number}.png"
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(base64.b64decode(data["image/png"]))
        alt = escape(output["metadata"]["image/png"]["alt"]).replace("\n", " ")
        return f"```{{image}} {picture.name}\n:alt: {alt}\n```"
    if "text/html" in data:
        table = data["text/html"].replace("<table>", '<table class="docutils">')
        return f'```{{raw}} html\n<div class="table-wrapper given">{table}</div>\n```'
    return f"```text\n{data['text/plain']}\n```"


if __name__ == "__main__":
    build(Path(sys.argv[1]))
