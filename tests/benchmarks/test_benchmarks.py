"""The measurements run; what they measure is not tested, for that is the machine's."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import EXPLAINED, main
from benchmarks.endpoint.rows import endpoint_rows
from benchmarks.fleet import AskingHistories, Reporting
from benchmarks.measure import Figures
from benchmarks.rows import rows
from benchmarks.time_travel import ComparingFleets, FromKeyframes, FromZero
from benchmarks.where import DISK


@pytest.mark.slow
def test_every_row_compares_every_rival_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = tmp_path / "figures.json"
    only = [part for row in rows(quick=True) for part in ("--only", row.name)]
    main(["--quick", "--json", str(file), *only])
    document = json.loads(file.read_text())

    expected = [(row.name, rival.name) for row in rows(quick=True) for rival in row.rivals]
    assert [(row["name"], row["rival"]) for row in document["rows"]] == expected
    assert all(0 < row["p50"] <= row["p99"] for row in document["rows"])
    assert len(document["where"]) == len(EXPLAINED)
    for where in document["where"]:
        assert sum(where["spent"].values()) == pytest.approx(where["took"])
    assert [*tmp_path.iterdir()] == [file]
    printed = capsys.readouterr().out
    assert all(row.what in printed for row in rows(quick=True))


def test_every_rival_is_as_durable_as_every_other(tmp_path: Path) -> None:
    for rival in {rival for row in rows(quick=True) for rival in row.rivals}:
        one = rival(tmp_path)
        assert one.durability() == "wal/FULL"
        one.close()


def test_every_rival_tells_the_same_story(tmp_path: Path) -> None:
    for rival in {rival for row in rows(quick=True) for rival in row.rivals}:
        one = rival(tmp_path)
        one.fill(3, 1)
        one.rename(0, "another")
        assert "another" in str(one.get(0))
        assert "another" not in str(one.get(1))
        assert one.view() == one.view() == 3
        one.close()


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
    main(["--quick", "--only", "get-10"])
    printed = capsys.readouterr().out
    assert "get, 10 events" in printed
    assert "append" not in printed
    assert DISK not in printed


def test_rounds_are_compared_pair_by_pair() -> None:
    ours = Figures("ours", [10.0, 100.0, 30.0], 0.1, 0.1)
    theirs = Figures("theirs", [5.0, 50.0, 10.0], 0.1, 0.1)
    assert ours.ratio(theirs) == 2.0
    assert ours.rate == 30.0


@pytest.mark.slow
def test_the_endpoint_is_measured_beside_what_does_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    only = [part for row in endpoint_rows(quick=True) for part in ("--only", row.name)]
    main(["--quick", "--json", str(file), *only])
    document = json.loads(file.read_text())

    told = [(row["name"], row["rival"]) for row in document["rows"] if "mimic" not in row["rival"]]
    assert told == [
        ("http-get", "serverdomain"),
        ("http-get", "starlette hello-world"),
        ("http-rebuild", "serverdomain"),
        ("http-rebuild", "serverdomain's store alone"),
        ("http-rebuild", "starlette bare POST"),
        ("start", "serverdomain serve"),
        ("start", "starlette hello-world"),
        ("start", "the fixture, once pytest runs"),
    ]
    # mimic was measured, or it is said why it was not.
    assert "mimic" in capsys.readouterr().out
    assert any("(0.75 wanted)" in note for note in document["notes"])
