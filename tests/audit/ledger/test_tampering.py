"""Whatever is edited straight in the database file is found, and told where it happened."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from serverdomain.audit.ledger import Verdict
from tests.audit.ledger.conftest import SERVERS, edit, opened, url_of
from tests.audit.ledger.independent import leaves_of_store
from tests.audit.ledger.tampering import happened, tamper, told
from tests.store.postgresql.went_back import go_back

HEX = SERVERS[0].replace("-", "")


def verdict_of(folder: Path, signed: str = "signed") -> Verdict:
    with opened(folder) as servers:
        return servers.ledger.verify(folder / signed, [folder / "key.pub"])


def lines(folder: Path) -> list[str]:
    return [str(problem) for problem in verdict_of(folder).problems]


def test_a_log_that_nobody_edited_holds(folder: Path) -> None:
    verdict = verdict_of(folder)
    assert verdict.problems == ()
    assert (verdict.events, verdict.uncovered) == (verdict.checkpoint.size, 0)
    assert verdict.unlocated is None


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE stored_events SET state = '{}' WHERE position = 3"], ["3 altered"]),
        (
            ["UPDATE stored_events SET originator_id = 'x' || position WHERE position IN (3,4,9)"],
            ["3-4 altered", "9 altered"],
        ),
        (["UPDATE stored_events SET originator_version = 99 WHERE position = 3"], ["3 altered"]),
        (["UPDATE stored_events SET topic = topic || ' ' WHERE position = 3"], ["3 altered"]),
        (["UPDATE stored_events SET command_id = 1 WHERE position = 3"], ["3 altered"]),
        (["UPDATE stored_events SET command_id = NULL WHERE position = 3"], ["3 altered"]),
        (
            ["UPDATE stored_events SET state = CAST(state AS BLOB) WHERE position = 3"],
            ["3 altered"],
        ),
        (["UPDATE stored_events SET state = 1 WHERE position = 3"], ["3 altered"]),
        (["UPDATE stored_events SET state = x'00' WHERE position = 3"], ["3 altered"]),
        (["UPDATE stored_events SET state = '' WHERE position = 3"], ["3 altered"]),
        (["UPDATE stored_events SET state = state || char(0) WHERE position = 3"], ["3 altered"]),
        (
            ["UPDATE stored_events SET state = CAST(x'7bfffe00' AS TEXT) WHERE position = 3"],
            ["3 altered"],
        ),
        (
            ["UPDATE stored_events SET state = CAST(zeroblob(9000000) AS TEXT) WHERE position = 3"],
            ["3 altered"],
        ),
        (["UPDATE stored_events SET originator_version = 1.5 WHERE position = 3"], ["3 altered"]),
        (["UPDATE commands SET user_id = 'nobody' WHERE command_id = 5"], ["5-7 altered"]),
        (["UPDATE commands SET user_id = x'ff' WHERE command_id = 5"], ["5-7 altered"]),
        (
            ["UPDATE commands SET caused_by = CAST(x'c3' AS TEXT) WHERE command_id = 5"],
            ["5-7 altered"],
        ),
        (["UPDATE commands SET refused = 1 WHERE command_id = 5"], ["5-7 altered"]),
        (
            ["UPDATE commands SET recorded_at = recorded_at + 1 WHERE command_id = 5"],
            ["5-7 altered"],
        ),
        (["UPDATE commands SET correlation_id = NULL WHERE command_id = 5"], ["5-7 altered"]),
        (["DELETE FROM commands WHERE command_id = 5"], ["5-7 altered"]),
        (["UPDATE commands SET command_id = 999 WHERE command_id = 5"], ["5-7 altered"]),
        (["DELETE FROM stored_events WHERE position = 3"], ["3 removed"]),
        (
            [
                "UPDATE stored_events SET state = '{}' WHERE position IN (6, 9)",
                "DELETE FROM stored_events WHERE position IN (7, 8)",
            ],
            ["6 altered", "7-8 removed", "9 altered"],
        ),
        (["DELETE FROM stored_events WHERE position = 1"], ["1 removed"]),
        (["DELETE FROM stored_events WHERE position BETWEEN 6 AND 12"], ["6-12 removed"]),
        (["DELETE FROM stored_events WHERE position > 60"], ["61-65 removed"]),
        (["DELETE FROM stored_events"], ["1-65 removed"]),
        (["DELETE FROM stored_events", "DELETE FROM commands"], ["1-65 removed"]),
        (
            [
                "DELETE FROM stored_events WHERE position > 60",
                "INSERT INTO stored_events SELECT 61, 'new', 1, topic, state, command_id"
                " FROM stored_events WHERE position = 9",
            ],
            ["61 altered", "62-65 removed"],
        ),
        (
            [
                "DELETE FROM stored_events WHERE position > 60",
                "INSERT INTO stored_events SELECT 66, 'new', 1, topic, state, command_id"
                " FROM stored_events WHERE position = 9",
            ],
            ["61-65 removed"],
        ),
        (
            [
                "UPDATE stored_events SET position = position + 1000 WHERE position > 6",
                "UPDATE stored_events SET position = position - 999 WHERE position > 1000",
                "INSERT INTO stored_events VALUES (7, 'slipped in', 1, 'theirs:X', '{}', NULL)",
            ],
            ["7 inserted", "7-65 re-ordered: now at 8-66"],
        ),
        (
            [
                "UPDATE stored_events SET position = position + 1000 WHERE position > 6",
                "UPDATE stored_events SET position = position - 998 WHERE position > 1000",
                "INSERT INTO stored_events VALUES (7, 'slipped in', 1, 'theirs:X', '{}', NULL)",
                "INSERT INTO stored_events VALUES (8, 'slipped in', 2, 'theirs:X', '{}', NULL)",
            ],
            ["7-8 inserted", "7-65 re-ordered: now at 9-67"],
        ),
        (
            ["INSERT INTO stored_events VALUES (-5, 'before all', 1, 'theirs:X', '{}', NULL)"],
            ["-5 inserted"],
        ),
        (
            [
                "UPDATE stored_events SET position = 999 WHERE position = 6",
                "UPDATE stored_events SET position = 6 WHERE position = 9",
                "UPDATE stored_events SET position = 9 WHERE position = 999",
            ],
            ["6 re-ordered: now at 9", "9 re-ordered: now at 6"],
        ),
        (
            [
                "UPDATE stored_events SET position = 999 WHERE position = 6",
                "UPDATE stored_events SET position = 6 WHERE position = 7",
                "UPDATE stored_events SET position = 7 WHERE position = 999",
            ],
            ["6 re-ordered: now at 7", "7 re-ordered: now at 6"],
        ),
        (
            ["UPDATE stored_events SET position = 900 WHERE position = 6"],
            ["6 re-ordered: now at 900"],
        ),
        (
            [
                "CREATE TEMP TABLE kept AS SELECT position, state FROM stored_events",
                "UPDATE stored_events SET state = (SELECT state FROM kept"
                " WHERE kept.position = 10 - stored_events.position) WHERE position IN (2, 8)",
            ],
            ["2 altered", "8 altered"],
        ),
        (
            [
                "DELETE FROM stored_events WHERE position = 6",
                "UPDATE stored_events SET position = position + 1000 WHERE position > 6",
                "UPDATE stored_events SET position = position - 1001 WHERE position > 1000",
            ],
            ["6 removed", "7-65 re-ordered: now at 6-64"],
        ),
        (["UPDATE commands SET project_id = 'theirs'"], ["1-16 altered"]),
        (
            [
                "INSERT INTO commands SELECT 900, kind, server_id, members, user_id, project_id,"
                " roles, 'req-new', NULL, NULL, occurred_at, recorded_at, 0"
                " FROM commands WHERE command_id = 1"
            ],
            ["- inserted: command 900 has no event"],
        ),
    ],
)
def test_an_edit_is_found_and_located(
    folder: Path, statements: list[str], expected: list[str]
) -> None:
    edit(folder, *statements)
    found = lines(folder)
    if expected == ["1-16 altered"]:
        # Another application's events have no command, and stay as they were.
        expected = [line for line in found if line.endswith(" altered")]
        assert len(expected) == 3
    assert found == expected


def test_another_id_of_the_log_is_told(folder: Path) -> None:
    edit(folder, "UPDATE log SET log_id = 'another'")
    (problem,) = verdict_of(folder).problems
    assert (problem.what, problem.first) == ("altered", None)
    assert "serverdomain/another" in str(problem)
    edit(folder, "DELETE FROM log")
    assert "without the id that every log is given" in str(*verdict_of(folder).problems)


def test_a_problem_counts_the_events_that_it_is_of(folder: Path) -> None:
    edit(
        folder,
        "DELETE FROM stored_events WHERE position IN (3, 4, 9, 64, 65)",
        "UPDATE stored_events SET state = '{}' WHERE position IN (20, 21, 22, 63)",
        "INSERT INTO stored_events VALUES (-5, 'x', 1, 'theirs:X', '{}', NULL)",
    )
    assert [(str(one), one.events) for one in verdict_of(folder).problems] == [
        ("-5 inserted", 1),
        ("3-4 removed", 2),
        ("9 removed", 1),
        ("20-22 altered", 3),
        ("63 altered", 1),
        ("64-65 removed", 2),
    ]


def test_where_positions_had_gaps_a_range_is_told(folder: Path) -> None:
    edit(
        folder,
        "UPDATE stored_events SET position = 10 * position + 1000",
        "UPDATE stored_events SET position = position - 1000",
    )
    with opened(folder) as servers:
        servers.ledger.checkpoint(folder / "key", folder / "later")
    edit(folder, "DELETE FROM stored_events WHERE position = 30")
    assert [str(one) for one in verdict_of(folder, "later").problems] == [
        "21-39 removed: 1 of these positions"
    ]
    edit(folder, "UPDATE stored_events SET state = '[]' WHERE position = 40")
    assert [(str(one), one.events) for one in verdict_of(folder, "later").problems] == [
        ("21-49 removed: 1 of these positions", 1),
        ("40 altered", 1),
    ]
    edit(folder, "INSERT INTO stored_events VALUES (35, 'x', 1, 'theirs:X', '{}', NULL)")
    for position in (52, 55):
        values = f"({position}, 'x', {position}, 'theirs:X', '{{}}', NULL)"
        edit(folder, f"INSERT INTO stored_events VALUES {values}")
    edit(folder, "UPDATE stored_events SET state = '[]' WHERE position IN (60, 650)")
    edit(folder, "INSERT INTO stored_events VALUES (75, 'x', 3, 'theirs:X', '{}', NULL)")
    edit(folder, "UPDATE stored_events SET position = 71 WHERE position = 80")
    problems = verdict_of(folder, "later").problems
    assert [str(one) for one in problems] == [
        "35 altered",
        "40 altered",
        "52-60 altered: 1 of these positions",
        "52-60 inserted: 2 of these positions",
        "75 inserted",
        "80 re-ordered: now at 71",
        "650 altered",
    ]
    assert [one.events for one in problems] == [1, 1, 1, 2, 1, 1, 1]


def test_where_positions_had_gaps_a_truncated_tail_is_counted_and_what_came_later_too(
    folder: Path,
) -> None:
    edit(
        folder,
        "UPDATE stored_events SET position = 10 * position + 1000",
        "UPDATE stored_events SET position = position - 1000",
    )
    with opened(folder) as servers:
        servers.ledger.checkpoint(folder / "key", folder / "later")
    edit(folder, "DELETE FROM stored_events WHERE position > 620")
    expected = [
        ([("621-623 removed", 3)], 0),
        ([("640 altered", 1), ("641-642 removed", 2)], 0),
        ([("640 altered", 1), ("645 altered", 1), ("646 removed", 1)], 0),
        ([("640 altered", 1), ("645 altered", 1), ("650 altered", 1)], 0),
        ([("640 altered", 1), ("645 altered", 1), ("650 altered", 1)], 1),
    ]
    for problems, uncovered in expected:
        verdict = verdict_of(folder, "later")
        assert [(str(one), one.events) for one in verdict.problems] == problems
        assert verdict.uncovered == uncovered
        number = verdict.events - 61
        position = 635 + 5 * number
        values = f"({position}, 'x', {number}, 'theirs:X', '{{}}', NULL)"
        edit(folder, f"INSERT INTO stored_events VALUES {values}")


def test_a_truncated_tail_is_found_also_where_the_log_grew_again(folder: Path) -> None:
    if (url := url_of(folder)).startswith("sqlite:"):
        edit(folder, "DELETE FROM stored_events WHERE position > 62", "DELETE FROM sqlite_sequence")
    else:
        go_back(url, 62)
    with opened(folder) as servers:
        for number in range(5):
            servers.rename(SERVERS[2], f"grown {number}")
    verdict = verdict_of(folder)
    assert [str(problem) for problem in verdict.problems] == ["63-65 altered"]
    assert verdict.uncovered == 2


def test_without_its_leaves_a_checkpoint_detects_and_says_that_it_cannot_locate(
    folder: Path,
) -> None:
    leaves = folder / "signed.leaves"
    whole = leaves.read_bytes()
    leaves.unlink()
    assert verdict_of(folder).problems == ()
    edit(folder, "UPDATE stored_events SET state = '{}' WHERE position = 3")
    verdict = verdict_of(folder)
    assert [str(problem) for problem in verdict.problems] == ["1-65 altered"]
    assert verdict.unlocated is not None
    assert "signed.leaves cannot be read" in verdict.unlocated

    for useless in (b"", whole[:-1], whole[32:] + whole[:32], bytes(len(whole))):
        leaves.write_bytes(useless)
        verdict = verdict_of(folder)
        assert [str(problem) for problem in verdict.problems] == ["1-65 altered"]
        assert "other leaves" in str(verdict.unlocated)

    leaves.write_bytes(whole + b"the file of a later checkpoint goes on")
    assert lines(folder) == ["3 altered"]

    leaves.unlink()
    edit(folder, "DELETE FROM stored_events WHERE position > 60")
    assert lines(folder) == ["1-60 removed: at least 5 of 65 events"]
    edit(folder, "DELETE FROM stored_events")
    assert lines(folder) == ["- removed: at least 65 of 65 events"]


def at_random(folder: Path, seeds: range, covered: int = 65) -> None:
    """Edits at random, each verdict compared with what an all-knowing one says."""
    whole = (folder / "cloud.db").read_bytes()
    before = leaves_of_store(folder / "cloud.db")
    for seed in seeds:
        chance = random.Random(seed)
        for left_over in folder.glob("cloud.db*"):
            left_over.unlink()
        (folder / "cloud.db").write_bytes(whole)
        after = tamper(folder / "cloud.db", chance, chance.choice((1, 1, 1, 2, 3, 6)))
        verdict = verdict_of(folder)
        found = told(problem for problem in verdict.problems if problem.first is not None)
        assert found == happened(before, after, covered), seed
        untouched = list(after.values())[:covered] == list(before.values())[:covered]
        assert untouched or verdict.problems, seed


def test_edits_at_random_are_found_and_located(sqlite_folder: Path) -> None:
    at_random(sqlite_folder, range(30))


@pytest.mark.slow
def test_thousands_of_edits_at_random_are_found_and_located(sqlite_folder: Path) -> None:
    at_random(sqlite_folder, range(1000, 3500))


@pytest.mark.slow
def test_so_are_those_before_events_that_no_checkpoint_covers(sqlite_folder: Path) -> None:
    folder = sqlite_folder
    early = folder / "early"
    early.mkdir()
    shutil.copy(folder / "cloud.db", early / "cloud.db")
    shutil.copy(folder / "key", early / "key")
    edit(early, "DELETE FROM stored_events WHERE position > 40")
    with opened(early) as servers:
        servers.ledger.checkpoint(early / "key", folder / "early-signed")
    for name in ("signed", "signed.leaves"):
        shutil.copy(folder / f"early-{name}", folder / name)
    at_random(sqlite_folder, range(5000, 6000), covered=40)


@pytest.mark.slow
@pytest.mark.parametrize("first", [0, 10_000])
def test_where_positions_had_gaps_no_edit_goes_unnoticed(sqlite_folder: Path, first: int) -> None:
    folder = sqlite_folder
    edit(
        folder,
        "UPDATE stored_events SET position = -position * 3 - position % 2",
        "UPDATE stored_events SET position = -position",
    )
    with opened(folder) as servers:
        servers.ledger.checkpoint(folder / "key", folder / "gaps")
    whole = (folder / "cloud.db").read_bytes()
    before = leaves_of_store(folder / "cloud.db")
    for seed in range(250):
        for left_over in folder.glob("cloud.db*"):
            left_over.unlink()
        (folder / "cloud.db").write_bytes(whole)
        after = tamper(folder / "cloud.db", random.Random(first + seed), 1)
        problems = verdict_of(folder, "gaps").problems
        assert bool(problems) == (list(after.values())[:65] != list(before.values())), seed
