"""Who stands in a row about PostgreSQL does the same work there, as durably as the others."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from benchmarks.batches import Batch
from benchmarks.by_psycopg import Psycopg, PsycopgInBatches
from benchmarks.postgres import IdiomaticInPostgreSQL, InPostgreSQL, OneServer
from serverdomain import Servers
from tests.store.postgresql import server

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(server.programs() is None, reason="no PostgreSQL is installed"),
]

RIVALS = (InPostgreSQL, IdiomaticInPostgreSQL, Psycopg, partial(PsycopgInBatches, Batch()))


@pytest.mark.parametrize("rival", RIVALS)
def test_every_rival_tells_the_same_story_and_syncs_it(rival, tmp_path: Path) -> None:
    one = rival(tmp_path)
    assert one.durability() == "on/on"
    one.fill(3, 1)
    one.rename(0, "another")
    assert "another" in str(one.get(0))
    assert "another" not in str(one.get(1))
    one.rebuild(1, "f" * 8 + "-0000-4000-8000-000000000000", "rebuilt")
    assert "REBUILD" in str(getattr(one.get(1), "status", one.get(1)))
    one.complete(1)
    assert "ACTIVE" in str(getattr(one.get(1), "status", one.get(1)))
    assert one.view() == 3
    one.close()
    assert OneServer.running is None


def test_what_the_hand_writes_is_a_log_that_holds(tmp_path: Path) -> None:
    by_hand = Psycopg(tmp_path)
    by_hand.fill(3, 2)
    by_hand.rename(0, "another")
    with Servers.open(by_hand.url, view=tmp_path / "view.db") as servers:
        head = servers.view.status().head
        assert head == 3 * 19 + 1
        assert [one.kind for one in servers.check() if one.kind == "schema"] == []
    by_hand.close()


def test_the_lag_of_three_nodes_is_told_and_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: make test-all")
    from benchmarks import lag

    picture = tmp_path / "lag.svg"
    lag.main(["--seconds", "1", "--picture", str(picture)])
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told[1:]] == ["node 1", "node 2", "node 3"]
    assert picture.read_text("utf-8").count("node ") >= 3
    assert OneServer.running is None
