"""The Compute API as an ASGI app over a store of your own (extra ``http``)."""

try:
    import starlette  # noqa: F401
except ModuleNotFoundError as missing:
    from serverdomain.errors import ExtraMissing

    raise ExtraMissing("the endpoint", missing.name, "http") from None

from serverdomain.adapters.http.app import compute_app
from serverdomain.adapters.http.calls.authentication import (
    Authenticate,
    Guard,
    NoAuthentication,
    OpensControl,
)
from serverdomain.adapters.http.calls.call import Call
from serverdomain.adapters.http.calls.control import Answer, Control, Dropped, EarlyWatcher
from serverdomain.adapters.http.calls.machine import Hypervisor
from serverdomain.adapters.http.serving.token_file import TokenFile

__all__ = [
    "Answer",
    "Authenticate",
    "Call",
    "Control",
    "Dropped",
    "EarlyWatcher",
    "Guard",
    "Hypervisor",
    "NoAuthentication",
    "OpensControl",
    "TokenFile",
    "compute_app",
]
