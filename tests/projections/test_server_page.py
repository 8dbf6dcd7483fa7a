"""A page folded onto the servers before it."""

from __future__ import annotations

from serverdomain.domain import events as e
from serverdomain.projections.server_page import fold_page
from tests.projections.cloud import Cloud


def test_a_server_that_is_folded_again_is_so_up_to_the_page_and_no_further() -> None:
    with Cloud() as cloud:
        server_id = cloud.create("1")
        early = cloud.clock.now
        cloud.clock.advance(1)
        cloud.rename(server_id, "2")
        cloud.servers.record(server_id, [e.MetadataReplaced({"late": "1"})], occurred_at=early)
        cloud.rename(server_id, "beyond the page")
        with cloud.store.reading() as log:
            there = {server_id: log.history(server_id, position=2).server}
            page = log.facts(2, 1)
        (server,) = fold_page(cloud.store, page, there, lambda ids: {}).values()
        assert server is not None
        assert (server.name, server.metadata, server.version) == ("2", {"late": "1"}, 3)
