"""Charts show what held when, and say the same in words."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec

import pytest

from serverdomain import Context, CreateServer, Servers
from serverdomain.adapters.charts import Chart, bands, plane, steps, story, tree
from serverdomain.adapters.charts.chart import LOOKS
from serverdomain.errors import ExtraMissing, InvalidInput
from serverdomain.testing import ManualClock

drawn = pytest.mark.skipif(find_spec("matplotlib") is None, reason="matplotlib is not installed")

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
DAYS = [NOON + timedelta(days=n) for n in range(3)]


@drawn
def test_a_chart_is_the_same_bytes_each_time_and_says_the_same_in_words() -> None:
    one, other = (
        bands("a life", {"status": [(0, 2, "ACTIVE"), (2, 3, "ERROR")]}, along="hours")
        for _ in range(2)
    )
    assert one.png() == other.png()
    assert one.png().startswith(b"\x89PNG")
    words = "a life. From left to right, hours: status: ACTIVE from 0 to 2, ERROR from 2 to 3."
    assert repr(one) == words
    assert one._repr_png_() == (one.png(), {"alt": words})


@drawn
def test_a_story_tells_each_fact_and_what_held_meanwhile() -> None:
    clock = ManualClock()
    servers = Servers.open("memory:", clock=clock)
    image = "f90f6034-2570-4974-8351-6b49732ef2eb"
    web = servers.create(CreateServer(name="web", image_id=image, flavor_id="1"), Context()).id
    clock.advance(5)
    servers.report_built(web)
    chart = story("one server", servers.history(web), "/status", "/image/id")
    assert "at 0 ServerRegistered; at 5 ServerBuilt (status: BUILD → ACTIVE)" in chart.words
    assert "status: BUILD from 0 to 5, ACTIVE from 5 to 5.6" in chart.words
    assert "image: f90f6034… from 0 to 5.6" in chart.words


@drawn
def test_a_plane_says_from_when_on_another_past_was_known() -> None:
    edges = [NOON + timedelta(hours=n) for n in range(5)]

    def status(heard: datetime, about: datetime) -> str:
        return "SHUTOFF" if heard.hour >= 14 and about.hour >= 13 else "ACTIVE"

    chart = plane("two clocks", edges, status)
    assert "as known from about 12:30 on: ACTIVE from about 12:30;" in chart.words
    assert "as known from about 14:30 on: ACTIVE from about 12:30, SHUTOFF from" in chart.words


@drawn
def test_steps_say_where_each_line_begins_and_ends() -> None:
    chart = steps("a fleet", DAYS, {"old": [3, 2, 1], "new": [0, 1, 5]}, of="servers")
    assert "old: 3 at first, 3 at most, 1 at last; new: 0 at first, 5 at most" in chart.words


@drawn
def test_a_step_holds_until_the_next_and_nothing_between_is_made_up() -> None:
    chart = steps("a fleet", DAYS, {"servers": [1, 5, 5]}, of="servers", stacked=False)
    (line,) = chart.figure.axes[0].get_lines()
    assert line.get_drawstyle() == "steps-post"


def test_more_lines_than_can_be_told_apart_are_refused() -> None:
    with pytest.raises(InvalidInput, match="series: 7 came, at most 6 are allowed"):
        steps("a fleet", DAYS, {str(n): [1, 2, 3] for n in range(7)}, of="servers")


@drawn
@pytest.mark.parametrize(("leaves", "touched"), [(1, 1), (2, 2), (5, 2), (7, 3), (8, 4)])
def test_a_tree_counts_the_hashes_from_the_last_leaf_to_the_root(leaves: int, touched: int) -> None:
    chart = tree("a tree", [str(n) for n in range(1, leaves + 1)], marked=[leaves - 1])
    assert f"up to the root, {touched} hashes are others now" in chart.words


def test_each_status_differs_from_the_others_by_more_than_its_hue() -> None:
    """In grey, or by its hatching: what a printer and the colour-blind see."""

    def grey(colour: str) -> float:
        if colour == "white":
            return 255
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        return 0.299 * red + 0.587 * green + 0.114 * blue

    looks = list(LOOKS.items())
    for number, (name, look) in enumerate(looks):
        for other_name, other in looks[number + 1 :]:
            apart = abs(grey(look.ground) - grey(other.ground)) > 40 or look.hatch != other.hatch
            assert apart, (name, other_name)


def test_without_its_extra_a_chart_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ExtraMissing, match="notebooks"):
        steps("a fleet", DAYS, {"servers": [1, 2, 3]}, of="servers")


@drawn
def test_a_chart_is_what_a_notebook_shows() -> None:
    assert isinstance(tree("a tree", ["1", "2"]), Chart)
