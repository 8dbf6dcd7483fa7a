"""SQLite in WAL mode under power cuts: FULL keeps every promise, weaker modes are seen to break it.

The weaker modes are here to show that the cuts can tell: a simulation in which nothing is ever lost
proves nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest

from . import Failure, judge_cut, judge_cuts, needs_sqlite_symbols, record
from .rows import Half, Lost, Outcome, Rows, judge

pytestmark = needs_sqlite_symbols

WITH_AND_WITHOUT_A_SECOND_CONNECTION = pytest.mark.parametrize("second_connection", [True, False])


def full_keeps_every_promise(second_connection: bool, *, cuts: int, seed: int) -> None:
    recording = record(Rows("FULL", second_connection))

    assert recording.acknowledged() == [Outcome(number, "whole") for number in range(1, 13)]
    assert judge_cuts(recording, judge, cuts=cuts, seed=seed) == []


@WITH_AND_WITHOUT_A_SECOND_CONNECTION
def test_full_loses_nothing_acknowledged_and_leaves_nothing_half(second_connection: bool) -> None:
    full_keeps_every_promise(second_connection, cuts=60, seed=1)


@pytest.mark.slow
@WITH_AND_WITHOUT_A_SECOND_CONNECTION
@pytest.mark.parametrize("seed", [2, 3, 4])
def test_full_loses_nothing_in_hundreds_of_cuts(second_connection: bool, seed: int) -> None:
    full_keeps_every_promise(second_connection, cuts=500, seed=seed)


@WITH_AND_WITHOUT_A_SECOND_CONNECTION
def test_normal_loses_what_was_acknowledged_and_leaves_nothing_half(
    second_connection: bool,
) -> None:
    failures = judge_cuts(record(Rows("NORMAL", second_connection)), judge, cuts=60, seed=1)

    assert {type(failure.error) for failure in failures} == {Lost}


@WITH_AND_WITHOUT_A_SECOND_CONNECTION
def test_off_loses_what_was_acknowledged_and_leaves_halves_and_wrecks(
    second_connection: bool,
) -> None:
    failures = judge_cuts(record(Rows("OFF", second_connection)), judge, cuts=150, seed=1)

    kinds = {type(failure.error) for failure in failures}
    assert Lost in kinds
    assert kinds & {Half, sqlite3.DatabaseError}


@pytest.mark.slow
def test_full_loses_nothing_that_several_threads_acknowledged() -> None:
    def workload(path: Path, acknowledge: Callable[[object], None]) -> None:
        def work(own: int) -> None:
            with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous=FULL")
                for number in range(own, own + 15):
                    connection.execute("BEGIN IMMEDIATE")
                    connection.execute("INSERT INTO numbers VALUES (?)", (number,))
                    connection.execute("INSERT INTO numbers VALUES (?)", (-number,))
                    connection.execute("COMMIT")
                    acknowledge(number)

        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE numbers (number INTEGER)")
            threads = [Thread(target=work, args=(100 * n,)) for n in range(1, 4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    def both_or_none(path: Path, acknowledged: Sequence[object]) -> None:
        with closing(sqlite3.connect(path)) as connection:
            if acknowledged or connection.execute("SELECT name FROM sqlite_master").fetchall():
                there = {number for (number,) in connection.execute("SELECT number FROM numbers")}
                assert there == {-number for number in there}
                assert set(acknowledged) <= there

    recording = record(workload)

    assert len(recording.acknowledged()) == 45
    assert judge_cuts(recording, both_or_none, cuts=400, seed=1) == []


def test_the_judge_is_told_what_was_acknowledged_before_the_cut_and_no_more() -> None:
    told: list[Sequence[object]] = []
    recording = record(Rows(transactions=3))

    assert (
        judge_cuts(
            recording, lambda path, acknowledged: told.append(acknowledged), cuts=100, seed=1
        )
        == []
    )

    everything = [Outcome(number, "whole") for number in (1, 2, 3)]
    assert set(map(tuple, told)) == {tuple(everything[:n]) for n in range(4)}


def test_half_of_the_cuts_fall_exactly_at_an_acknowledgement() -> None:
    def object_to_all(path: Path, acknowledged: Sequence[object]) -> None:
        raise AssertionError

    recording = record(Rows())
    failures = judge_cuts(recording, object_to_all, cuts=100, seed=1)
    at_acknowledgement = [
        one
        for one in failures
        if one.index and type(recording.log[one.index - 1]).__name__ == "Acknowledged"
    ]

    assert len(failures) == 100
    assert 50 <= len(at_acknowledgement) < 70
    assert len({one.index for one in failures}) > 40


def test_a_failure_names_the_seed_and_index_that_repeat_it() -> None:
    recording = record(Rows("NORMAL"))
    first = judge_cuts(recording, judge, cuts=20, seed=7)[0]
    again = judge_cut(record(Rows("NORMAL")), judge, index=first.index, seed=first.seed)

    assert again is not None
    assert (again.seed, again.index, str(again.error)) == (
        first.seed,
        first.index,
        str(first.error),
    )
    assert f"seed='{first.seed}', index={first.index}" in repr(
        Failure(first.seed, first.index, first.error)
    )
