"""What the pages say of speed is what was measured, and stands nowhere else."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from benchmarks.growth import FILE as GROWN
from benchmarks.growth import Growth, main, sizes_up_to
from benchmarks.results import FILE, Results
from benchmarks.rows import rows
from benchmarks.scale import FULL
from benchmarks.told import MARKED, PAGES, Told, kept

SPEED = re.compile(
    r"\d[\d,.]*( to [\d,.]+)? ?(times\b|µs|us\b|ms\b|s\b|%|seconds|(\w+ )?a second|\w*/s\b)"
)
"""A number that a measurement may have given."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_what_the_kept_runs_have_found(page: Path) -> None:
    text = page.read_text("utf-8")
    assert kept().page(text) == text, "make bench-docs writes it anew"
    assert MARKED.search(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_page_says_a_speed_of_its_own(page: Path) -> None:
    text = MARKED.sub("", page.read_text("utf-8"))
    assert [found[0] for found in SPEED.finditer(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "1,986 a second",
        "2.5 times as fast",
        "takes 560 µs",
        "0.61 ms",
        "55 % of it",
        "1.2 s",
        "9/s",
    ],
)
def test_a_speed_is_found(text: str) -> None:
    assert SPEED.search(text)


def test_every_row_has_a_place_on_the_page() -> None:
    tables = re.findall(r"<!-- bench: table (.*?) -->", PAGES[1].read_text("utf-8"))
    names = [name for table in tables for name in table.split()]
    assert sorted(names) == sorted(row.name for row in rows(FULL))


def test_a_page_changes_with_what_is_found() -> None:
    run = Results.read(FILE)
    faster = replace(run, rows=[replace(one, ratio=77.0, met=False) for one in run.rows])
    told = Told(faster, Growth.read(GROWN))
    page = "Sixteen: <!-- bench: ratio pairs-16 eventsourcing -->1<!-- /bench -->."
    assert told.page(page).endswith("-->77.0<!-- /bench -->.")
    assert "**no**" in told.page("<!-- bench: goals --><!-- /bench -->")
    with pytest.raises(SystemExit, match="no row of-mine in the run"):
        told.page("<!-- bench: ours of-mine --><!-- /bench -->")


def test_growth_ends_at_what_is_asked_for() -> None:
    assert sizes_up_to(100_000) == [10_000, 50_000, 100_000]
    assert sizes_up_to(20_000) == [10_000, 20_000]


@pytest.mark.slow
@pytest.mark.heavy
def test_growth_is_measured_and_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: make test-all")
    figures, picture = tmp_path / "growth.json", tmp_path / "growth.svg"
    main(["--most", "200", "--json", str(figures), "--picture", str(picture)])
    found = Growth.read(figures)
    assert [*found.points] == [200]
    assert min(found.points[200].values()) > 0
    svg = picture.read_text("utf-8")
    # It needs nothing from elsewhere, and its words are words.
    assert "rename a server, ms" in svg
    assert "@" not in svg.split("</style>")[1]
