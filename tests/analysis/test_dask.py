"""On Dask the fold is the same, even if a worker is killed."""

from __future__ import annotations

import os
import signal

import pytest

from serverdomain.domain.server import evolve
from tests.analysis import functions

pytestmark = pytest.mark.heavy
pytest.importorskip("pyarrow", reason="pyarrow is not installed: make test-all")
dask = pytest.importorskip("distributed", reason="distributed is not installed: make test-all")

from serverdomain import analysis  # noqa: E402


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dask")
    with (
        dask.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=None,
            local_directory=str(folder),
            silence_logs=50,
        ) as cluster,
        dask.Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize("function", [evolve, functions.renames])
def test_it_gives_what_this_process_gives(client, folder, function):
    with client.get_executor() as executor:
        found = analysis.fold(folder, function, executor)
    assert found.equals(analysis.fold(folder, function))


def test_a_killed_worker_costs_what_it_held_and_the_result_is_the_same(client, folder, tmp_path):
    first = str(tmp_path / "first")

    def killing_once(state, event, at):
        # The first to come here takes its worker down; who takes its work over finds the file.
        try:
            open(first, "x").close()
        except FileExistsError:
            return evolve(state, event, at)
        os.kill(os.getpid(), signal.SIGKILL)

    with client.get_executor() as executor:
        found = analysis.fold(folder, killing_once, executor)
    assert os.path.exists(first)
    assert found.equals(analysis.fold(folder))
