"""Every notebook runs anywhere, leaves nothing behind, and shows what it gives."""

from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.notebooks.execution import NOTEBOOKS, execute, outputs

# It makes a fleet, and asks of it every month of three years.
LONG = {"02-the-time-machine"}


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=[pytest.mark.slow] if path.stem in LONG else [], id=path.stem)
        for path in NOTEBOOKS
    ],
)
def test_a_notebook_gives_what_it_shows_and_leaves_no_file(path: Path, tmp_path: Path) -> None:
    shown = nbformat.read(path, as_version=4)
    came = execute(shown, tmp_path)
    assert outputs(came) == outputs(shown), "make notebooks keeps what they give now"
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_no_warning_and_tells_nothing_of_a_machine(path: Path) -> None:
    shown = nbformat.read(path, as_version=4)
    nbformat.validate(shown)
    assert set(shown.metadata.language_info) == {"name"}
    streams = {output.get("name") for cell in shown.cells for output in cell.get("outputs", ())}
    assert "stderr" not in streams


def test_a_cell_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path)


def test_what_is_out_of_date_is_seen_and_a_picture_counts_as_one() -> None:
    def gave(*given: NotebookNode) -> NotebookNode:
        return new_notebook(cells=[new_code_cell("x", outputs=[*given])])

    def picture(data: str) -> NotebookNode:
        return new_output("display_data", {"image/png": data, "text/plain": "<Figure>"})

    def text(value: str) -> NotebookNode:
        return new_output("execute_result", {"text/plain": value})

    assert outputs(gave(picture("a"))) == outputs(gave(picture("b")))
    assert outputs(gave(picture("a"))) != outputs(gave())
    assert outputs(gave(text("1"))) != outputs(gave(text("2")))
    assert outputs(gave(new_output("stream", name="stdout", text="1"))) != outputs(gave(text("1")))
