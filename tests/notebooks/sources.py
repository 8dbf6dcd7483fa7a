"""A notebook's source, and the parts of it that the tests ask for.

A source is a Python file in which ``# %%`` begins a cell, as jupytext reads it. Its last part is
exercises, whose answers are Python in a ``<details>``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.house.imports import ROOT

if TYPE_CHECKING:
    from nbformat import NotebookNode

SOURCES = sorted((ROOT / "notebooks/sources").glob("*.py"))
EXERCISES = "## Exercises"

_ANSWER = re.compile(r"<details><summary>Answer</summary>\n(.*?)</details>", re.DOTALL)
_CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def notebook_of(source: Path) -> Path:
    """Where a source's notebook lies."""
    return ROOT / "notebooks" / f"{source.stem}.ipynb"


def read(source: Path) -> NotebookNode:
    """The notebook of a source, without outputs."""
    import jupytext
    from nbformat.v4 import new_notebook

    cells = jupytext.reads(source.read_text("utf-8"), fmt="py:percent").cells
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:02}"
        cell.metadata = {}
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(
        cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}}
    )


def answers(notebook: NotebookNode) -> list[str]:
    """Of each exercise, the Python of its answer."""
    told = notebook.cells[-1].source.partition(EXERCISES)[2]
    return ["\n".join(_CODE.findall(answer)) for answer in _ANSWER.findall(told)]


def lines(notebook: NotebookNode) -> int:
    """The lines that are read before the exercises: text and code, without empty ones."""
    told = [cell.source.partition(EXERCISES)[0] for cell in notebook.cells]
    return sum(bool(line.strip()) for cell in told for line in cell.splitlines())
