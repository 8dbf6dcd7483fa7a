"""The documented JSON, both ways.

In: `read_rebuild` and the other readers make commands of what people send, or raise one
`InvalidBody`. Each takes the body as bytes or text, or parsed by `read_json`.
Out: `render` and `location` show a server as the documented answer does.

The readers are resolved when they are asked for: who only shows a server needs no pydantic.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from serverdomain.adapters.compute_json.answer import location, render
from serverdomain.adapters.compute_json.paths import Path

if TYPE_CHECKING:
    from serverdomain.adapters.compute_json.body import Json, read_action, read_json
    from serverdomain.adapters.compute_json.changes import (
        read_metadata,
        read_metadata_item,
        read_rename,
        read_reset_state,
    )
    from serverdomain.adapters.compute_json.create import read_create
    from serverdomain.adapters.compute_json.rebuild import read_rebuild
    from serverdomain.adapters.compute_json.server_document import read_server

__all__ = [
    "Json",
    "Path",
    "location",
    "read_action",
    "read_create",
    "read_json",
    "read_metadata",
    "read_metadata_item",
    "read_rebuild",
    "read_rename",
    "read_reset_state",
    "read_server",
    "render",
]

_HOMES = {
    "serverdomain.adapters.compute_json.body": ("Json", "read_action", "read_json"),
    "serverdomain.adapters.compute_json.changes": (
        "read_metadata",
        "read_metadata_item",
        "read_rename",
        "read_reset_state",
    ),
    "serverdomain.adapters.compute_json.create": ("read_create",),
    "serverdomain.adapters.compute_json.rebuild": ("read_rebuild",),
    "serverdomain.adapters.compute_json.server_document": ("read_server",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_HOME[name]), name)
    globals()[name] = found  # The next call finds it at once.
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
