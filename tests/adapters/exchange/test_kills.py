"""An export and an import that are killed at any moment go on, and lose and double nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log
from tests.adapters.exchange.logs import digests, exported
from tests.adapters.killed import until_done

SEED = 7


@pytest.mark.slow
def test_killed_they_go_on_and_the_digest_is_the_same(tmp_path: Path) -> None:
    path, lines, copy = (tmp_path / name for name in ("cloud.db", "log.jsonl", "copy.db"))
    log = open_log(path)
    generate(log, 200, SEED)
    dice = random.Random(SEED)
    kills = until_done(["export", str(lines), "--store", str(path)], lines, dice)
    assert lines.read_bytes() == exported(log)
    wal = copy.with_name("copy.db-wal")
    kills += until_done(["import", "log", str(lines), "--store", str(copy)], wal, dice)
    assert kills > 1
    with_copy = open_log(copy, create=False)
    assert digests(with_copy) == digests(log)
    with_copy.close()
    log.close()
