"""What all tests share: how hypothesis looks for examples, a cache of their own, and engines.

A test that takes a log's URL from here runs on each engine. Of those on PostgreSQL `make test` runs
what is marked as core; `-k postgres` selects them all.
"""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

# How long an example takes is the machine's, and no test fails for it.
settings.register_profile(
    "any machine", database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# The same examples in every run, and nothing left behind; a search goes further, by chance.
settings.register_profile(
    "fixed",
    settings.get_profile("any machine"),
    derandomize=True,
    print_blob=True,
    max_examples=100,
)
# Whether a mutant fails is all that is asked: no time is spent on the smallest example.
settings.register_profile(
    "mutants", settings.get_profile("fixed"), phases=[Phase.explicit, Phase.generate]
)
settings.register_profile("search", settings.get_profile("any machine"), max_examples=5000)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "fixed")
settings.load_profile(PROFILE)


def pytest_unconfigure() -> None:
    """Leave what is loaded out of the search for garbage: each mutant is tried in a fork of it."""
    if PROFILE == "mutants":
        gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes into the cache of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """The URL of a database of PostgreSQL whose owner may make schemas and roles."""
    from tests.store.postgresql import server

    given = os.environ.get(server.SETTING)
    if given:
        yield given
        return
    found = server.programs()
    if found is None:
        pytest.skip(f"no PostgreSQL is installed, and {server.SETTING} names none")
    base = tmp_path_factory.getbasetemp()
    shared = server.SharedServer(base if worker_id == "master" else base.parent, found)
    yield shared.url
    shared.close()


@pytest.fixture
def url(server_url: str) -> Iterator[str]:
    """The URL of a schema that is not there yet."""
    from tests.store.postgresql.schemas import fresh_schema

    with fresh_schema(server_url) as url:
        yield url


@pytest.fixture(scope="session")
def one_log(server_url: str) -> Iterator[str]:
    """The URL of a log that all tests of a process use in turn: to make one takes longest."""
    from serverdomain.store.postgresql import making
    from serverdomain.store.postgresql.address import Address
    from tests.store.postgresql.schemas import fresh_schema

    with fresh_schema(server_url) as url:
        making.init(Address(url))
        yield url


@pytest.fixture
def log_url(server_url: str, one_log: str) -> str:
    """The URL of an empty log in PostgreSQL."""
    from tests.store.postgresql.schemas import empty

    empty(server_url, one_log)
    return one_log


def pytest_configure(config: pytest.Config) -> None:
    """Let tests be marked as core."""
    config.addinivalue_line("markers", "core: runs on PostgreSQL in make test, too")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test run on the engines that its fixture stands for, PostgreSQL among them."""
    for name, engines in _ENGINES.items():
        if name in metafunc.fixturenames:
            core = metafunc.definition.get_closest_marker("core")
            postgres = pytest.param("postgres", marks=() if core else pytest.mark.slow)
            metafunc.parametrize(name, [*engines, postgres], indirect=True)


_ENGINES = {"any_url": ["memory", "sqlite"], "kept_url": ["sqlite"], "new_log": ["memory"]}


@pytest.fixture
def any_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty log of any engine."""
    return "memory:" if request.param == "memory" else _kept(request)


@pytest.fixture
def kept_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty log of any engine that keeps it when it is closed."""
    return _kept(request)


def _kept(request: pytest.FixtureRequest) -> str:
    folder: Path = request.getfixturevalue("tmp_path")
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'cloud.db'}"
    request.getfixturevalue("monkeypatch").setenv("XDG_CACHE_HOME", str(folder / "cache"))
    return str(request.getfixturevalue("log_url"))


@pytest.fixture(scope="module")
def new_log(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """Gives the URL of an empty log, each time; what is made from it is in memory, too."""
    if request.param == "memory":
        yield lambda: "memory:"
        return
    from tests.store.postgresql.schemas import empty

    server_url, log_url = map(request.getfixturevalue, ("server_url", "one_log"))

    def emptied() -> str:
        empty(server_url, log_url)
        return str(log_url)

    no_folder = request.getfixturevalue("tmp_path_factory").mktemp("no") / "folder"
    no_folder.touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(no_folder))
        yield emptied
