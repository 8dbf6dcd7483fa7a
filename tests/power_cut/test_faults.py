"""One write, truncate or sync fails, and later the power: every transaction keeps to its word.

An error at the commit leaves the outcome unknown: the frames may lie in the `-wal` although SQLite
said no, and the next recovery finds them. An error in a checkpoint after the commit is no business
of the transaction's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from . import Fault, Recording, judge_cuts, needs_sqlite_symbols, record
from .rows import CameBack, Outcome, Rows, judge

pytestmark = needs_sqlite_symbols

WITH_AND_WITHOUT_A_SECOND_CONNECTION = pytest.mark.parametrize("second_connection", [True, False])


def with_fault(workload: Rows, fault: Fault, *, cuts: int) -> list[Outcome]:
    """The outcomes of the workload where all of them are true after every cut."""
    recording = record(workload, fault=fault)
    outcomes = [outcome for outcome in recording.acknowledged() if isinstance(outcome, Outcome)]

    assert recording.failed, fault
    assert len(outcomes) == workload.transactions, fault
    assert sum(outcome.word != "whole" for outcome in outcomes) <= 1, fault
    assert judge_cuts(recording, judge, cuts=cuts, seed=1) == [], fault
    return outcomes


@WITH_AND_WITHOUT_A_SECOND_CONNECTION
def test_whichever_sync_fails_each_transaction_is_refused_unknown_or_whole(
    second_connection: bool,
) -> None:
    workload = Rows(second_connection=second_connection, transactions=6)
    syncs = [fault for fault in record(workload).faults() if fault.operation == "sync"]

    words = {outcome.word for fault in syncs for outcome in with_fault(workload, fault, cuts=10)}

    assert words == {"refused", "unknown", "whole"}


@pytest.mark.slow
@WITH_AND_WITHOUT_A_SECOND_CONNECTION
def test_whichever_operation_fails_each_transaction_is_refused_unknown_or_whole(
    second_connection: bool,
) -> None:
    workload = Rows(second_connection=second_connection)
    faults = record(workload).faults()
    assert len(faults) > 140

    words = {outcome.word for fault in faults for outcome in with_fault(workload, fault, cuts=20)}

    assert words == {"refused", "unknown", "whole"}


def unknown_at_a_sync() -> tuple[Recording, int]:
    """A recording in which the sync of a commit failed, and the transaction that it was to end."""
    workload = Rows(transactions=6)
    for fault in reversed(record(workload).faults()):
        recording = record(workload, fault=fault)
        for outcome in recording.acknowledged():
            if (
                fault.operation == "sync"
                and isinstance(outcome, Outcome)
                and outcome.word == "unknown"
            ):
                return recording, outcome.transaction
    raise AssertionError("no sync that fails leaves an unknown outcome")


def test_a_commit_that_sqlite_refused_may_be_there_after_the_cut() -> None:
    recording, unknown = unknown_at_a_sync()

    def takes_sqlite_at_its_word(path: Path, acknowledged: Sequence[object]) -> None:
        refused = Outcome(unknown, "refused")
        judge(
            path,
            [
                refused if outcome == Outcome(unknown, "unknown") else outcome
                for outcome in acknowledged
            ],
        )

    failures = judge_cuts(recording, takes_sqlite_at_its_word, cuts=200, seed=1)

    assert {type(failure.error) for failure in failures} == {CameBack}
    assert judge_cuts(recording, judge, cuts=200, seed=1) == []


def test_an_error_in_the_checkpoint_leaves_the_transaction_whole() -> None:
    workload = Rows(second_connection=False, transactions=6)
    everything = [Outcome(number, "whole") for number in range(1, 7)]

    # Without a second connection each closing one checkpoints: as many faults fall there as into
    # transactions.
    ignored = [
        fault
        for fault in record(workload).faults()
        if with_fault(workload, fault, cuts=4) == everything
    ]

    assert {fault.operation for fault in ignored} == {"write", "truncate", "sync"}
