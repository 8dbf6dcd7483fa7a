"""Links between the columns of serverdomain's views, for Datasette.

An id leads to the rows that are about it, in the view or in the timeline beside it.
"""

from urllib.parse import urlencode

from datasette import hookimpl
from markupsafe import Markup

TIMELINE, VIEW = ".timeline", ".view"
LEADS = {
    ("server", "id"): (TIMELINE, "timeline", "server_id"),
    ("server", "image_id"): (VIEW, "server", "image_id"),
    ("server", "project_id"): (VIEW, "server", "project_id"),
    ("server", "rebuild_id"): (TIMELINE, "timeline", "request_id"),
    ("timeline", "server_id"): (TIMELINE, "timeline", "server_id"),
    ("timeline", "user_id"): (TIMELINE, "timeline", "user_id"),
    ("timeline", "request_id"): (TIMELINE, "timeline", "request_id"),
    ("timeline", "caused_by"): (TIMELINE, "timeline", "request_id"),
    ("timeline", "correlation_id"): (TIMELINE, "timeline", "correlation_id"),
    ("timeline", "rebuild_id"): (TIMELINE, "timeline", "request_id"),
}
"""Where the value of a column leads: which file, which of its tables, and by which column."""


@hookimpl
def render_cell(value, column, table, database, datasette):
    """A link, where the column has one and its file is open."""
    store, _, kind = database.rpartition(".")
    # What a query gives has no table; its columns are called as those of its file.
    lead = LEADS.get((table or {"view": "server"}.get(kind, kind), column))
    if value is None or lead is None:
        return None
    suffix, table_there, column_there = lead
    if store + suffix not in datasette.databases:
        return None
    asked = urlencode({f"{column_there}__exact": value})
    where = f"{datasette.urls.table(store + suffix, table_there)}?{asked}"
    return Markup('<a href="{}">{}</a>').format(where, value)
