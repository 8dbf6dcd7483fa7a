"""What all tests share: how hypothesis looks for examples."""

import os

from hypothesis import Phase, settings

# The same examples in every run, and nothing left behind; a search goes further, by chance.
settings.register_profile(
    "fixed", derandomize=True, database=None, deadline=None, print_blob=True, max_examples=100
)
# Whether a mutant fails is all that is asked: no time is spent on the smallest example.
settings.register_profile(
    "mutants", settings.get_profile("fixed"), phases=[Phase.explicit, Phase.generate]
)
settings.register_profile("search", database=None, deadline=None, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))
