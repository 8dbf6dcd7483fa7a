from collections.abc import Iterator

import pytest

from tests.adapters.http.client import Client, Endpoint


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def ask(endpoint: Endpoint) -> Client:
    return endpoint.ask
