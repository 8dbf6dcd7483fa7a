"""On Spark the fold is the same: here on Sail, which is one without Java."""

from __future__ import annotations

import pytest

from serverdomain.domain.server import evolve
from tests.analysis import functions

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
pytest.importorskip("pyarrow", reason="pyarrow is not installed: make test-all")
sail = pytest.importorskip("pysail.spark", reason="pysail is not installed: make test-all")

from serverdomain import analysis  # noqa: E402


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    server = sail.SparkConnectServer()
    server.start()
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    yield session
    session.stop()
    server.stop()


@pytest.mark.parametrize(
    ("function", "as_of"),
    [(evolve, None), (evolve, "position:900"), (functions.renames, None)],
)
def test_it_gives_what_this_process_gives(spark, folder, function, as_of):
    found = analysis.fold_on_spark(spark, folder, function, as_of)
    assert found.equals(analysis.fold(folder, function, as_of=as_of))
