"""Request ids of our own making: each is another, whoever makes it."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from serverdomain import Context
from serverdomain.store.context import new_request_id

MANY = 2_000


def test_an_id_is_a_uuid_that_is_made_at_random() -> None:
    made = re.compile("req-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
    assert all(made.fullmatch(Context().request_id) for _ in range(MANY))


def test_no_two_are_alike_in_whatever_threads() -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_request_id(), range(MANY)))
    assert len(set(ids)) == MANY


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_child_makes_others() -> None:
    new_request_id()
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(sending, new_request_id().encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.close(sending)
    with os.fdopen(receiving) as pipe:
        assert pipe.read() != new_request_id()
