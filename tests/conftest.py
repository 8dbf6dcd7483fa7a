"""What all tests share: how hypothesis looks for examples, and a cache of their own."""

import gc
import os
from collections.abc import Iterator

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
