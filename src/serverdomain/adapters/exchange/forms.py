"""The forms that a log is exported in, by their names; each is loaded when it is asked for."""

from __future__ import annotations

from serverdomain.adapters.exchange.form import Form
from serverdomain.errors import ExtraMissing


def named(name: str) -> Form:
    """The form of a name. Raises `ExtraMissing` where it needs what is not installed."""
    try:
        return _loaded(name)
    except ModuleNotFoundError as error:
        raise ExtraMissing(f"--format {name}", error.name, name) from None


def _loaded(name: str) -> Form:
    if name == "cloudevents":
        from serverdomain.adapters.exchange import cloudevents_lines

        return cloudevents_lines
    if name == "cadf":
        from serverdomain.adapters.exchange import cadf_lines

        return cadf_lines
    if name == "ocsf":
        from serverdomain.adapters.exchange import ocsf_lines

        return ocsf_lines
    from serverdomain.adapters.exchange import log_lines

    return log_lines
