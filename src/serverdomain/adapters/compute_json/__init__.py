"""The documented JSON, both ways.

In: `read_rebuild` and `read_server` make commands of what people send, or raise one `InvalidBody`.
Out: `render` and `location` show a server as the documented answer does.
"""

from serverdomain.adapters.compute_json.answer import location, render
from serverdomain.adapters.compute_json.paths import Path
from serverdomain.adapters.compute_json.rebuild import read_rebuild
from serverdomain.adapters.compute_json.server_document import read_server

__all__ = ["Path", "location", "read_rebuild", "read_server", "render"]
