"""Measurements of the library, run by ``make bench``."""
