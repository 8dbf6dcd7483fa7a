from collections.abc import Iterator

import pytest

from serverdomain import Servers
from tests.adapters.audit_page.looking import Looking, clock, told


@pytest.fixture
def servers() -> Iterator[Servers]:
    now = clock()
    with Servers.open("memory:", clock=now) as servers:
        told(servers, now)
        yield servers


@pytest.fixture
def look(servers: Servers) -> Iterator[Looking]:
    looking = Looking(servers)
    yield looking
    looking.close()


@pytest.fixture
def admin(servers: Servers) -> Iterator[Looking]:
    looking = Looking(servers, user="admin")
    yield looking
    looking.close()
