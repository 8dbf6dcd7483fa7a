"""The curve beside a snapshot is drawn from what writers did meanwhile."""

from __future__ import annotations

import pytest

from benchmarks.bloat import measure
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.making import init


def test_a_curve_has_a_point_a_step_alone_beside_a_snapshot_and_alone_again(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    init(Address(url))
    curve = measure(url, minutes=0.005, writers=2, step=0.15)
    assert [*dict.fromkeys(point["what"] for point in curve)] == [
        *("alone", "beside a snapshot", "alone again")
    ]
    assert any(int(str(point["rate"])) > 0 for point in curve)
    assert capsys.readouterr().out.count("\n") == len(curve)
