"""The Compute API as an ASGI app over a store of your own (extra ``http``)."""

try:
    import starlette  # noqa: F401
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"the endpoint needs {missing.name}, which is not installed; "
        "pip install 'serverdomain[http]' brings it",
        name=missing.name,
    ) from None

from serverdomain.adapters.http.app import compute_app
from serverdomain.adapters.http.authentication import Authenticate, NoAuthentication
from serverdomain.adapters.http.call import Call
from serverdomain.adapters.http.control import Answer, Control, Dropped
from serverdomain.adapters.http.machine import Hypervisor
from serverdomain.adapters.http.token_file import TokenFile

__all__ = [
    "Answer",
    "Authenticate",
    "Call",
    "Control",
    "Dropped",
    "Hypervisor",
    "NoAuthentication",
    "TokenFile",
    "compute_app",
]
