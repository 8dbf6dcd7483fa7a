"""The measurements run; what they measure is not tested, for that is the machine's."""

import re
from functools import partial
from pathlib import Path

import pytest

from benchmarks.__main__ import main
from benchmarks.against import main as against
from benchmarks.batches import Batch, Batches, Counted
from benchmarks.by_hand import ByHand
from benchmarks.callers import Work
from benchmarks.environment import ROOT
from benchmarks.filling import in_bulk, written
from benchmarks.fleet import AskingHistories, Reporting
from benchmarks.idiomatic import Batched, Cached, Idiomatic
from benchmarks.measure import LeftOut
from benchmarks.memory import held
from benchmarks.ours import Ours
from benchmarks.results import Results
from benchmarks.rows import PARTS, of, rows
from benchmarks.rows.commands import rename
from benchmarks.scale import FULL, TINY
from benchmarks.time_travel import ComparingFleets, FromKeyframes, FromZero
from benchmarks.umadb import UmaDB
from benchmarks.where import DISK, explained


@pytest.mark.slow
def test_every_row_is_measured_beside_every_rival_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = tmp_path / "figures.json"
    main(["--tiny", "--json", str(file)])
    found = Results.read(file)

    assert {one.name for one in found.rows} == {row.name for row in rows(TINY)}
    for row in rows(TINY):
        assert {*row.times} <= {one.rival for one in found.rows if one.name == row.name} | {
            # These two are left out where they are not there, and that is told.
            *("UmaDB", "mimic 2.2.0")
        }
    assert [one for one in found.rows if one.theirs is not None and one.theirs <= 0] == []
    # Of one value alone both are that value, but for how it is rounded.
    percentiles = [(one.p50, one.p99) for one in found.rows if one.p50 and one.p99]
    assert [(p50, p99) for p50, p99 in percentiles if p50 > p99 * 1.000001] == []
    assert len(found.where) == len(explained(TINY))
    for where in found.where:
        assert sum(where.spent.values()) == pytest.approx(where.took)
    assert [*tmp_path.iterdir()] == [file]
    printed = capsys.readouterr().out
    assert all(row.what in printed for row in rows(TINY))


def test_every_rival_is_as_durable_as_every_other(tmp_path: Path) -> None:
    for rival in (Ours, Idiomatic, Cached, Batched, ByHand, partial(Batches, Batch())):
        one = rival(tmp_path)
        assert one.durability() == "wal/FULL"
        one.close()


@pytest.mark.parametrize("rival", [Ours, Idiomatic, Cached, Batched, ByHand, UmaDB])
def test_every_rival_tells_the_same_story(rival, tmp_path: Path) -> None:
    try:
        one = rival(tmp_path)
    except LeftOut as why:
        pytest.skip(str(why))
    one.fill(3, 1)
    one.rename(0, "another")
    assert "another" in str(one.get(0))
    assert "another" not in str(one.get(1))
    one.rebuild(1, "f" * 8 + "-0000-4000-8000-000000000000", "rebuilt")
    assert "REBUILD" in str(getattr(one.get(1), "status", one.get(1)))
    one.complete(1)
    assert "ACTIVE" in str(getattr(one.get(1), "status", one.get(1)))
    if rival is not UmaDB:
        assert one.view() == one.view() == 3
    one.close()


@pytest.mark.parametrize("fill", [written, in_bulk])
def test_what_is_written_at_once_is_what_the_same_commands_leave(fill, tmp_path: Path) -> None:
    folders = [tmp_path / "bulk", tmp_path / "alone"]
    for folder in folders:
        folder.mkdir()
    many, one_by_one = (Ours(folder) for folder in folders)
    fill(many._servers, range(2), 2)
    one_by_one.live(range(2), 2)
    for number in range(2):
        histories = [
            [
                (entry.name, entry.version, [(one.path, one.after) for one in entry.changes])
                for entry in ours._servers.history(ours.get(number).id)
            ]
            for ours in (many, one_by_one)
        ]
        assert histories[0] == histories[1]
        assert len(histories[0]) == 19
        many.rename(number, "goes on")
    assert [*many._servers.check()] == []
    many.close()
    one_by_one.close()


def test_the_limit_commits_as_many_commands_at_once_as_ours_did(tmp_path: Path) -> None:
    batch = Batch()
    ours = Counted(batch, Work(rename, 8, callers=1), tmp_path)
    ours.ask(0)
    assert batch.size == 1, "a caller alone waits for nobody"
    batch.size = 3
    by_hand = Batches(batch, tmp_path)
    by_hand.fill(1, 0)
    waiting = [by_hand.rename(0, name) or by_hand._writer.in_transaction for name in "abcdef"]
    assert waiting == [True, True, False] * 2
    ours.close()
    by_hand.close()


def test_a_process_is_not_taken_to_hold_what_the_one_before_it_held(tmp_path: Path) -> None:
    ours = Ours(tmp_path)
    ours.fill(1, 0)
    ours.close()
    store = tmp_path / "Ours.db"
    alone = held("remembering", store, 1)
    much = bytearray(b"1") * (300 * 2**20)
    assert held("remembering", store, 1) < alone + 100
    assert len(much) > 0


def test_streams_begin_at_ten_events_and_stay_below_fifty() -> None:
    events_of_a_pair = 4
    assert 10 + events_of_a_pair * (FULL.rounds + 1) < 50


def test_the_reports_are_those_that_the_histories_give(tmp_path: Path) -> None:
    told = []
    for rival in (Reporting, AskingHistories):
        one = rival(tmp_path)
        one.fill(20, 1)
        told.append(one.report())
        one.close()
    assert told[0] == told[1]
    assert told[0]["rebuilds"]["completed"] > 10


def test_the_fleet_from_keyframes_is_the_one_from_zero(tmp_path: Path) -> None:
    ours, zero, compared = (rival(tmp_path) for rival in (FromKeyframes, FromZero, ComparingFleets))
    for one in (ours, zero, compared):
        one.fill(5, 1)
    for number in range(6):
        assert ours.statuses(number) == zero.statuses(number)
        assert ours.changed(number) <= compared.changed(number)
    for one in (ours, zero, compared):
        one.close()


def test_a_row_alone_is_measured_where_one_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--tiny", "--only", "get-again"])
    printed = capsys.readouterr().out
    assert "get, 10 events" in printed
    assert "rename" not in printed
    assert DISK not in printed


def test_every_row_has_a_name_of_its_own() -> None:
    names = [row.name for row in rows(TINY)]
    assert len({*names}) == len(names)


@pytest.mark.slow
def test_two_checkouts_are_compared_row_by_row(capsys: pytest.CaptureFixture[str]) -> None:
    only = [row.name for part in PARTS for row in of(part, TINY)][:2]
    against([str(ROOT), "--scale", "tiny", *(f"--only={name}" for name in only)])
    printed = capsys.readouterr().out
    for name in only:
        assert re.search(rf"{name} .*\d\.\d\d to \d\.\d\d", printed)
    with pytest.raises(SystemExit):
        against([str(ROOT), "--scale", "huge"])
