"""Whether the tests notice changed code: `make mutants`, which is no part of any other run."""
