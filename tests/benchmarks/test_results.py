"""What is told of a run: ratios of paired rounds, limits, and which goals are met."""

from pathlib import Path

import pytest

from benchmarks.measure import Figures, LeftOut, Limit, Measured, Round, Row, measure, rate_of
from benchmarks.results import Results, results_of


def figures(name: str, *values: float) -> Figures:
    return Figures(name, [*values], 0.1, 0.1)


ROW = Row("row", "a row", "call", (), 3)
OURS = figures("ours", 10.0, 100.0, 30.0)


def told(row: Row, *others: Figures):
    return [*results_of(Measured(row, [OURS, *others], []))]


def test_rounds_are_compared_pair_by_pair() -> None:
    (one,) = told(ROW, figures("theirs", 5.0, 50.0, 10.0))
    assert (one.ratio, one.ours, one.theirs) == (2.0, 30.0, 10.0)
    assert one.spread == (20.0, 65.0)
    assert one.met is None


def test_where_less_is_better_the_ratio_is_turned_round() -> None:
    (one,) = told(ROW._replace(less=True), figures("theirs", 5.0, 50.0, 10.0))
    assert one.ratio == 0.5


@pytest.mark.parametrize(("times", "most_possible"), [(2, 400.0), (3, 40.0)])
def test_a_goal_is_met_by_itself_or_by_three_quarters_of_the_limit(
    times: float, most_possible: float
) -> None:
    row = ROW._replace(times={"theirs": times}, limit=rate_of("raw"))
    raw = figures("raw", most_possible / 3, most_possible * 10 / 3, most_possible)
    first, second = told(row, figures("theirs", 5.0, 50.0, 15.0), raw)
    assert (first.goal, first.met, first.limit) == (times, True, most_possible)
    assert first.share == pytest.approx(30 / most_possible)
    assert (second.goal, second.met) == (None, None)


def test_a_goal_that_is_missed_on_both_ways_is_told_as_missed() -> None:
    row = ROW._replace(times={"theirs": 3}, limit=rate_of("raw"))
    first, _ = told(row, figures("theirs", 5.0, 50.0, 15.0), figures("raw", 20.0, 200.0, 60.0))
    assert first.met is False
    assert first.share == 0.5


def test_a_row_of_nothing_but_a_limit_is_to_reach_a_share_of_it() -> None:
    row = ROW._replace(limit=Limit("both", lambda values: [20.0, 200.0, 60.0]))
    alone, beside = told(row, figures("theirs", 5.0, 50.0, 15.0))
    assert (alone.goal, alone.share, alone.met) == (0.75, 0.5, False)
    assert beside.goal is None


@pytest.mark.parametrize(("most", "met"), [(30, True), (29, False)])
def test_a_row_may_use_so_much_at_most(most: float, met: bool) -> None:
    (one,) = told(ROW._replace(most=most, less=True))
    assert (one.goal, one.rival, one.met) == (most, None, met)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = Results({"cpu": "one"}, told(ROW, figures("theirs", 1.0, 2.0, 3.0)), ["left out"], [])
    run.write(tmp_path / "run.json")
    assert Results.read(tmp_path / "run.json") == run


class Counting:
    name = "counting"

    def __init__(self, folder: Path) -> None:
        self.asked: list[int] = []

    def ask(self, number: int) -> Round:
        self.asked.append(number)
        return Round(float(number), [0.1])

    def close(self) -> None:
        self.asked.append(-1)


def test_the_first_round_warms_up_and_who_cannot_be_had_is_left_out_visibly() -> None:
    def missing(folder: Path) -> Counting:
        raise LeftOut("no wheel for this machine")

    made: list[Counting] = []

    def counting(folder: Path) -> Counting:
        made.append(Counting(folder))
        return made[-1]

    found = measure(ROW._replace(asked=[counting, missing], rounds=2))
    assert [one.values for one in found.figures] == [[1.0, 2.0]]
    assert found.left_out == ["a row: no wheel for this machine"]
    assert made[0].asked == [0, 1, 2, -1]
