"""A problem says in a line what happened where, and neighbours of one kind are told as one."""

from __future__ import annotations

from serverdomain.audit.ledger.problem import Problem, merged


def test_a_problem_is_a_line() -> None:
    for problem, line in (
        (Problem("altered"), "- altered"),
        (Problem("altered", note="why"), "- altered: why"),
        (Problem("altered", 3, 3, 1), "3 altered"),
        (Problem("altered", 3, 5, 3), "3-5 altered"),
        (Problem("altered", 3, 5, None), "3-5 altered"),
        (Problem("removed", 3, 5, 2), "3-5 removed: 2 of these positions"),
        (Problem("re-ordered", 3, 3, 1, 9), "3 re-ordered: now at 9"),
        (Problem("re-ordered", 3, 5, 3, 9), "3-5 re-ordered: now at 9-11"),
        (
            Problem("re-ordered", 3, 5, 2, 9, "why"),
            "3-5 re-ordered: now at 9-11, 2 of these positions, why",
        ),
    ):
        assert str(problem) == line


def lines(*problems: Problem) -> list[str]:
    return [str(problem) for problem in merged([*problems])]


def test_neighbours_of_one_kind_are_one_problem() -> None:
    one, two, three = (Problem("altered", at, at, 1) for at in (3, 4, 5))
    assert lines(three, one, two) == ["3-5 altered"]
    assert lines(one, three) == ["3 altered", "5 altered"]
    assert lines(one, Problem("removed", 4, 4, 1)) == ["3 altered", "4 removed"]
    assert lines(Problem("removed", 4, 6, 3), three, one) == [
        "3 altered",
        "4-6 removed",
        "5 altered",
    ]


def test_where_only_a_range_is_known_it_stays_as_it_was_told() -> None:
    whole, part = Problem("removed", 1, 2, 2), Problem("removed", 3, 6, 2)
    assert lines(whole, part) == ["1-2 removed", "3-6 removed: 2 of these positions"]
    assert lines(part, Problem("removed", 7, 7, 1)) == [
        "3-6 removed: 2 of these positions",
        "7 removed",
    ]


def test_what_was_moved_is_told_as_one_where_it_moved_together() -> None:
    assert lines(Problem("re-ordered", 3, 3, 1, 8), Problem("re-ordered", 4, 4, 1, 9)) == [
        "3-4 re-ordered: now at 8-9"
    ]
    assert lines(Problem("re-ordered", 3, 3, 1, 8), Problem("re-ordered", 4, 4, 1, 8)) == [
        "3 re-ordered: now at 8",
        "4 re-ordered: now at 8",
    ]
