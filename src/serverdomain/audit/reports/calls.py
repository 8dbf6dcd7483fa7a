"""The rebuilds that were asked for as another source says: an action, or an audit record."""

from __future__ import annotations

from sqlite_utils import Database

_QUERY = """
SELECT data ->> '$.outcome' AS outcome, COUNT(*) FROM timeline
WHERE event = 'CallReported'
AND (data ->> '$.action' = 'rebuild' OR data ->> '$.action' LIKE '%/rebuild')
AND (:by IS NULL OR user_id = :by) AND (:of IS NULL OR server_project_id = :of)
GROUP BY outcome ORDER BY outcome
"""


def rebuild_calls(rows: Database, by: str | None, of: str | None) -> dict[str, int]:
    """How many rebuilds were reported ``by`` a user ``of`` a project's servers, by outcome."""
    return dict(rows.execute(_QUERY, {"by": by, "of": of}).fetchall())
