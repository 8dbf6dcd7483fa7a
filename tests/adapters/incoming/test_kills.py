"""An import that is killed at any moment is asked again as it was; nothing is lost or doubled."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

from serverdomain import Servers
from serverdomain.adapters.incoming import nova
from serverdomain.adapters.incoming.files import told
from serverdomain.adapters.incoming.rejects import Rejects
from serverdomain.adapters.incoming.sources import source
from serverdomain.adapters.incoming.taking import Taking, take_in
from serverdomain.store.opening import open_log
from tests.adapters.exchange.logs import digests
from tests.adapters.incoming.cloud import encoded, message
from tests.adapters.killed import until_done

SEED = 5


def test_killed_it_goes_on_and_the_digest_is_the_same(tmp_path: Path) -> None:
    path, whole, store = (tmp_path / name for name in ("told.jsonl", "whole.db", "cloud.db"))
    messages = [
        encoded(message("instance.exists", f"2026-03-01 {hour:02}:{minute:02}:00", uuid=server))
        for server in (f"0b54c6a2-6f7c-4a58-9d4e-{number:012}" for number in range(200))
        for hour in range(6)
        for minute in range(5)
    ]
    path.write_bytes(b"\n".join(messages))
    with Servers.open(whole, create=True) as servers, source(str(path)) as (stream, _):
        rejects = Rejects()
        taker = Taking(servers, rejects)
        for _ in take_in(told(stream, "told", nova.read), taker, rejects):
            pass
        taker.write()
    assert taker.counts.imported == taker.counts.read == len(messages)
    wal = store.with_name("cloud.db-wal")
    arguments = ["import", "nova", str(path), "--store", str(store)]
    assert until_done(arguments, wal, Random(SEED), 1_000_000, most=2) == 2
    with (
        closing(open_log(store, create=False)) as log,
        closing(open_log(whole, create=False)) as other,
    ):
        assert digests(log)[0] == digests(other)[0]
