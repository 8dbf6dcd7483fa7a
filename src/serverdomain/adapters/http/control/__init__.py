"""``/control``: faults on purpose, a clock moved by hand, and what was asked."""
