"""What the pages show is what happens."""

import ast
import re
from pathlib import Path

import pytest

from serverdomain.domain import events
from tests.house.imports import ROOT
from tests.house.pages import EXTRAS, PAGES, blocks, run

EVENTS_PAGE = ROOT / "docs/events.md"


LONG = ("auditors-hour", "backup", "cli", "testing-clients", "time-travel", "what-if")
"""Pages whose commands, or tests, are many processes of their own: they run with the slow tests."""


ELSEWHERE = ("postgresql",)
"""Pages that need a server: where there is one, tests/store/postgresql follows them."""


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.stem not in (*LONG, *ELSEWHERE)],
    ids=lambda page: page.stem,
)
def test_every_snippet_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    run(page, tmp_path)


@pytest.fixture(scope="module")
def one_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("one_folder")


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem not in ELSEWHERE], ids=lambda page: page.stem
)
def test_all_pages_are_followed_in_one_folder_each_of_them_twice(
    page: Path, one_folder: Path
) -> None:
    run(page, one_folder)
    run(page, one_folder)


@pytest.mark.parametrize(
    "wrong",
    [
        "```python\n1 / 0\n```",
        "```python\nprint(1)\n```\n```text\n2\n```",
        "```console\n$ echo one\ntwo\n```",
        "```console\n$ exit 3\n```",
        "```json\n{]\n```",
        "```sh\nmake nothing-of-the-kind\n```",
        "```sh\npip install './serverdomain[nothing]'\n```",
        "```sh\npip install 'serverdomain[cli]'\n```",
        "```fortran\nEND\n```",
    ],
)
def test_a_snippet_that_is_wrong_fails(wrong: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{wrong}\n", "utf-8")
    with pytest.raises((AssertionError, ArithmeticError, ValueError)):
        run(page, tmp_path)


def test_what_a_shell_is_told_holds_for_the_commands_that_follow(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ mkdir new\n$ cd new; export ONE=1\n$ pwd; echo $ONE\n.../new\n1\n```\n"
        "```python\nimport os\nassert os.path.basename(os.getcwd()) == 'new'\n```\n",
        "utf-8",
    )
    run(page, tmp_path)
    assert Path.cwd() != tmp_path / "new", "where the reader stood before"


def test_a_traceback_names_the_line_of_the_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```python\nx = 1\nx.y\n```\n", "utf-8")
    with pytest.raises(AttributeError) as caught:
        run(page, tmp_path)
    assert caught.traceback[-1].lineno == 4  # Counted from zero there.


def test_commands_see_the_files_and_the_page_shows_what_varies_as_dots(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '```json a.json\n{"a": 1}\n```\n```console\n$ cat a.json; date\n{"a": 1}\n...\n```\n',
        "utf-8",
    )
    assert [block.name for block in blocks(page.read_text("utf-8"))] == ["a.json", ""]
    run(page, tmp_path)


def test_every_event_is_described_with_its_members() -> None:
    """A heading for each event, and under it a row for each member, in order."""
    sections = re.split(r"^### `(\w+)`$", EVENTS_PAGE.read_text("utf-8"), flags=re.MULTILINE)
    described = {
        name: re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
        for name, text in zip(sections[1::2], sections[2::2], strict=True)
    }
    assert described == {
        name: list(event.__struct_fields__) for name, event in events.EVENTS.items()
    }
    assert list(described) == list(events.EVENTS), "in the order of the module"


def test_what_an_event_may_leave_out_is_marked() -> None:
    sections = re.split(r"^### `(\w+)`$", EVENTS_PAGE.read_text("utf-8"), flags=re.MULTILINE)
    for name, text in zip(sections[1::2], sections[2::2], strict=True):
        event = events.EVENTS[name]
        optional = event.__struct_fields__[
            len(event.__struct_fields__) - len(event.__struct_defaults__) :
        ]
        marked = re.findall(r"^\| `(\w+)` \|[^|]*, may be absent[^|]*\|", text, re.MULTILINE)
        assert marked == list(optional), name


def test_the_readme_lists_every_page_of_the_documentation_once() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (section,) = re.findall(r"^## Documentation$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    pages = [*(ROOT / "docs").glob("*.md"), ROOT / "docs/adr/README.md"]
    pages += [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    listed = re.findall(r"^\* \[(.*?)\]\((.*?)\)", section, re.MULTILINE)
    assert all(name == target for name, target in listed)
    assert sorted(target for _, target in listed) == sorted(
        page.relative_to(ROOT).as_posix() for page in pages
    )


def test_the_teachers_page_has_a_row_for_each_notebook() -> None:
    text = (ROOT / "docs/teaching.md").read_text("utf-8")
    named = re.findall(r"^\| \[\d+\. .*\]\(\.\./(notebooks/.*)\) \|", text, re.MULTILINE)
    assert named == sorted(
        path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*.ipynb")
    )


def test_the_readme_is_short_and_has_a_row_for_each_extra() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) < 150
    (section,) = re.findall(r"^## Install$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\| `?(\w+)`? \|", section, re.MULTILINE) == ["extra", "none", *EXTRAS]


def test_every_link_between_the_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_link_into_a_page_leads_to_a_heading() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}#{anchor}"
        for page in PAGES
        for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", page.read_text("utf-8"))
        if anchor not in _anchors(page.parent / target if target else page)
    ]
    assert broken == []


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_what_the_map_of_the_house_names_is_there() -> None:
    house = (ROOT / "docs/house.md").read_text("utf-8")
    source = ROOT / "src/serverdomain"
    named = set(re.findall(r"^\| `([\w./]+)` \|", house, re.MULTILINE))
    there = {
        f"{path.name}/" if path.is_dir() else path.name
        for path in source.iterdir()
        if (path.is_dir() and path.name != "__pycache__")
        or (path.suffix == ".py" and not path.name.startswith("_"))
    }
    assert named == there


def test_the_tree_of_errors_is_described_whole() -> None:
    """docs/embedding.md says of every error what to do."""
    tree = ast.parse((ROOT / "src/serverdomain/errors.py").read_text("utf-8"))
    errors = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    page = (ROOT / "docs/embedding.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == errors
