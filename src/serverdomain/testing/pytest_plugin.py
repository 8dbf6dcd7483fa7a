"""The pytest plugin, which every pytest run of its users loads: nothing of ours loads with it.

It brings the fixture `compute_endpoint`; what that needs (extra ``http``) is imported when a test
asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from serverdomain.testing.compute_endpoint import ComputeEndpoint

_EXTRA = frozenset({"starlette", "uvicorn", "httptools", "anyio"})


@pytest.fixture(scope="session")
def _running_compute_endpoint(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[ComputeEndpoint]:
    try:
        from serverdomain.testing.compute_endpoint import ComputeEndpoint
    except ModuleNotFoundError as missing:
        if missing.name not in _EXTRA:
            raise
        from serverdomain.errors import ExtraMissing

        pytest.fail(str(ExtraMissing("compute_endpoint", missing.name, "http")), pytrace=False)
    with ComputeEndpoint(tmp_path_factory.mktemp("compute_endpoint")) as endpoint:
        yield endpoint


@pytest.fixture
def compute_endpoint(_running_compute_endpoint: ComputeEndpoint) -> ComputeEndpoint:
    """A Compute endpoint on a free port, empty for each test, whose clock you move."""
    _running_compute_endpoint.reset()
    return _running_compute_endpoint
