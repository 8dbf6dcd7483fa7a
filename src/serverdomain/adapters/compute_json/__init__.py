"""The documented JSON, both ways.

In: `read_rebuild` and the other readers make commands of what people send, or raise one
`InvalidBody`. Each takes the body as bytes or text, or parsed by `read_json`.
Out: `render` and `location` show a server as the documented answer does.
"""

from serverdomain.adapters.compute_json.answer import location, render
from serverdomain.adapters.compute_json.body import Json, read_action, read_json
from serverdomain.adapters.compute_json.changes import (
    read_metadata,
    read_metadata_item,
    read_rename,
    read_reset_state,
)
from serverdomain.adapters.compute_json.create import read_create
from serverdomain.adapters.compute_json.extended import SECURITY_GROUPS, extended
from serverdomain.adapters.compute_json.paths import Path
from serverdomain.adapters.compute_json.rebuild import read_rebuild
from serverdomain.adapters.compute_json.server_document import read_server

__all__ = [
    "SECURITY_GROUPS",
    "Json",
    "Path",
    "extended",
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
