"""What all tests share: how hypothesis looks for examples."""

import os

from hypothesis import settings

# The same examples in every run, and nothing left behind; a search goes further, by chance.
settings.register_profile(
    "fixed", derandomize=True, database=None, deadline=None, print_blob=True, max_examples=100
)
settings.register_profile("search", database=None, deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
