"""Every notebook runs anywhere, leaves nothing behind, and shows what it gives."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.house.imports import ROOT
from tests.notebooks.execution import differences, execute
from tests.notebooks.sources import EXERCISES, SOURCES, answers, lines, notebook_of, read

pytestmark = pytest.mark.skipif(
    not all(map(find_spec, ("nbclient", "jupytext", "ipykernel", "ipywidgets", "matplotlib"))),
    reason="what runs notebooks is not installed: make notebooks-test",
)

LONG = {"08-a-million-events"}
EACH = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(path, marks=[pytest.mark.slow] if path.stem in LONG else [], id=path.stem)
        for path in SOURCES
    ],
)
def test_a_notebook_gives_what_it_shows_and_leaves_no_file(source: Path, tmp_path: Path) -> None:
    import nbformat

    shown = nbformat.read(notebook_of(source), as_version=4)
    came = execute(read(source), tmp_path)
    assert differences(shown, came) == [], "make notebooks keeps what they give now"
    assert [*tmp_path.iterdir()] == []


@EACH
def test_a_notebook_shows_no_warning_and_tells_nothing_of_a_machine(source: Path) -> None:
    import nbformat

    shown = nbformat.read(notebook_of(source), as_version=4)
    nbformat.validate(shown)
    assert set(shown.metadata.language_info) == {"name"}
    streams = {output.get("name") for cell in shown.cells for output in cell.get("outputs", ())}
    assert "stderr" not in streams


@EACH
def test_a_picture_says_in_words_what_it_shows(source: Path) -> None:
    import nbformat

    for cell in nbformat.read(notebook_of(source), as_version=4).cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                alt = output.metadata["image/png"]["alt"]
                assert alt == output.data["text/plain"], "who sees no picture reads the same"
                assert len(alt) > 80, cell.id


@EACH
def test_a_notebook_asks_one_question_ends_in_what_holds_and_has_three_exercises(
    source: Path,
) -> None:
    notebook = read(source)
    number, *_ = source.stem.split("-")
    title, question, *_ = notebook.cells[0].source.split("\n\n")
    assert title.startswith(f"# {int(number)}. ")
    assert re.fullmatch(r"\*\*[^*]+\?\*\*|\*\*[^*]+\?[^*]+\?\*\*", question), "it asks in bold"
    assert lines(notebook) <= 125
    *_, remember, holds, exercises = notebook.cells
    assert "## What to remember" in remember.source
    assert holds.source.count("assert ") >= 3
    assert exercises.source.startswith(EXERCISES)
    assert re.findall(r"^\*\*(\d)\.\*\*", exercises.source, re.MULTILINE) == ["1", "2", "3"]
    assert [*map(bool, map(str.strip, answers(notebook)))] == [True] * 3


@EACH
def test_a_notebook_needs_nothing_of_the_clone_and_starts_no_program(source: Path) -> None:
    wanted = re.findall(r"^(?:from|import) ([\w.]+)", source.read_text("utf-8"), re.MULTILINE)
    assert not {"tests", "benchmarks", "subprocess", "os", "sys"} & {
        name.partition(".")[0] for name in wanted
    }


def test_there_is_no_notebook_without_a_source() -> None:
    there = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert there == {notebook_of(source).name for source in SOURCES}


def test_a_cell_that_fails_is_an_error(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError
    from nbformat.v4 import new_code_cell, new_notebook

    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(new_notebook(cells=[new_code_cell("1 / 0")]), tmp_path)


def test_an_answer_that_is_wrong_is_an_error(tmp_path: Path) -> None:
    from nbclient.exceptions import CellExecutionError
    from nbformat.v4 import new_markdown_cell, new_notebook

    told = (
        f"{EXERCISES}\n\n<details><summary>Answer</summary>\n\n"
        "```python\nassert 1 == 2\n```\n\n</details>\n"
    )
    with pytest.raises(CellExecutionError, match="AssertionError"):
        execute(new_notebook(cells=[new_markdown_cell(told)]), tmp_path)


def test_what_is_out_of_date_is_seen_in_texts_and_in_pictures() -> None:
    from nbformat import NotebookNode
    from nbformat.v4 import new_code_cell, new_notebook, new_output

    from serverdomain.adapters.charts import bands

    def gave(*given: NotebookNode) -> NotebookNode:
        return new_notebook(cells=[new_code_cell("x", id="x", outputs=[*given])])

    def picture(*turns: tuple[float, float, str]) -> NotebookNode:
        from base64 import b64encode

        png = b64encode(bands("one", {"status": turns}, along="time").png()).decode()
        return new_output("display_data", {"image/png": png, "text/plain": "words"})

    def text(value: str) -> NotebookNode:
        return new_output("execute_result", {"text/plain": value})

    one, other = picture((0, 2, "ACTIVE")), picture((0, 1, "ACTIVE"), (1, 2, "ERROR"))
    assert differences(gave(one), gave(picture((0, 2, "ACTIVE")))) == []
    assert "of a picture is another" in str(differences(gave(one), gave(other)))
    assert differences(gave(one), gave()) != []
    assert differences(gave(text("1")), gave(text("1"))) == []
    assert differences(gave(text("1")), gave(text("2"))) != []
    assert differences(gave(text("1")), gave(new_output("stream", name="stdout", text="1"))) != []
