"""Hostile clients of each kind and an ordinary one side by side."""

from __future__ import annotations

from pathlib import Path

import pytest

from serverdomain.adapters.http.calls.waits import MOST as MOST_THREADS
from serverdomain.adapters.http.serving.accepting import MOST as MOST_CONNECTIONS
from tests.hostile.measuring import crowd, ordinary, serving

SECONDS = 100


@pytest.mark.slow
def test_hostile_clients_take_neither_the_ordinary_ones_answers_nor_the_machine(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as served:
        before = served.held()
        with crowd(served):
            # Each of its calls is answered as it should be, or this raises.
            waits = ordinary(served, SECONDS)
            during = served.held()
        ordinary(served, 5)
        after = served.held()
    print(before, during, after, waits)
    assert waits.calls > SECONDS
    assert during.descriptors < MOST_CONNECTIONS + 4 * sum(MOST_THREADS.values())
    # Beside the pool: the process, the log's, the reaction's, the hypervisor's, anyio's.
    assert during.threads <= sum(MOST_THREADS.values()) + 10
    # Answers, servers read, servers to go on from: 32 MiB each; the rest is at work.
    assert during.memory < before.memory + 500
    assert after.memory < before.memory + 500
