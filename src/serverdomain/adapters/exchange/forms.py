"""The forms that a log is exported in, by their names; each is loaded when it is asked for."""

from __future__ import annotations

from serverdomain.adapters.exchange.form import Form


def named(name: str) -> Form:
    """The form of a name. Raises `ExtraMissing` where it needs what is not installed."""
    from serverdomain.adapters.exchange import log_lines

    return log_lines
