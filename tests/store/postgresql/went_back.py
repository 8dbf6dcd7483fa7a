"""A log that went back, as one does whose server another replaced that lacked its last commits."""

from __future__ import annotations

import psycopg

from serverdomain.store.postgresql.address import Address


def go_back(log_url: str, position: int) -> None:
    """Take away all that a log holds behind a position: the tables are as if it never came."""
    address = Address(log_url)
    schema = address.schema
    with psycopg.connect(**address.parameters(), autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute(
            f"""
            SET session_replication_role = replica;
            DELETE FROM {schema}.stored_events WHERE position > {position};
            DELETE FROM {schema}.commands c WHERE NOT EXISTS (
                SELECT 1 FROM {schema}.stored_events e WHERE e.command_id = c.command_id);
            UPDATE {schema}.head SET position = {position},
                command_id = (SELECT COALESCE(MAX(command_id), 0) FROM {schema}.commands),
                recorded_at = (SELECT COALESCE(MAX(recorded_at), 0) FROM {schema}.commands);
            UPDATE {schema}.reactions SET position = LEAST(position, {position}),
                stopped_at = NULL, why = NULL
            """
        )
