"""A log is made in PostgreSQL, or brought to this release's schema: once, by an owner."""

from __future__ import annotations

from typing import NamedTuple
from uuid import uuid4

import psycopg
from psycopg import Connection
from psycopg.errors import DuplicateSchema, DuplicateTable, UniqueViolation

from serverdomain.errors import StoreError, StoreForeign, StoreMissing, StoreNewer
from serverdomain.store.log import Row
from serverdomain.store.postgresql import guards, schema
from serverdomain.store.postgresql.address import Address
from serverdomain.store.postgresql.faults import store_error

_THERE = (
    "SELECT c.relname FROM pg_catalog.pg_class c"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = %s AND c.relname = ANY(%s)"
)
_SCHEMA = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s"
_LOST = (DuplicateSchema, DuplicateTable, UniqueViolation)
"""What the later of two gets that make one at the same time."""


class Copy(NamedTuple):
    """The log that one to be made is a copy of: its id, and where it lies."""

    log_id: str
    source: str


def init(address: Address, *, guarded: bool = True, copy: Copy | None = None) -> bool:
    """Make a log, or bring it to this release's schema; whether anything was to do.

    ``guarded``, triggers refuse what would change what is written; a log that is there keeps what
    it has. One that is made as a ``copy`` is opened by nobody before it is whole. Raises
    `StoreForeign` where tables of somebody else are in the way, `StoreNewer` for a log of a newer
    release, and `StoreError`.
    """
    try:
        try:
            return _brought_up(address, guarded, copy)
        except _LOST:
            return _brought_up(address, guarded, copy)
    except psycopg.Error as error:
        raise store_error(error, address) from error


def taken(connection: Connection[Row], address: Address) -> int:
    """How many steps a log has taken; 0 for none.

    Raises `StoreForeign` and `StoreNewer` where it cannot be used.
    """
    found = connection.execute(_THERE, (address.schema, list(schema.TABLES))).fetchall()
    there = {name for (name,) in found}
    if not there:
        return 0
    if missing := {*schema.TABLES} - there:
        raise StoreForeign(
            f"{address} holds {', '.join(sorted(there))} and no {', '.join(sorted(missing))}, "
            "so they are none of ours: another schema is allowed (?schema=name)"
        )
    rows = connection.execute(f'SELECT steps FROM "{address.schema}".schema_steps').fetchall()
    if len(rows) != 1:
        raise StoreError(f"{address} does not say in schema_steps which release it is of")
    (steps,) = rows[0]
    if steps > len(schema.STEPS):
        raise StoreNewer(
            f"{address} has schema version {steps}, this release of serverdomain reads up to "
            f"{len(schema.STEPS)}: upgrade to use it"
        )
    return int(steps)


def require_utf8(connection: Connection[Row], address: Address) -> None:
    """Raise `StoreError` for a database that cannot hold every text."""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreError(f"{address} keeps text as {encoding}, a database in UTF8 is allowed")


def require_there(connection: Connection[Row], address: Address) -> None:
    """Raise `StoreMissing` unless a log of this release's schema is there."""
    steps = taken(connection, address)
    if steps == 0:
        raise StoreMissing(f"there is no store at {address}: serverdomain store init makes one")
    if steps < len(schema.STEPS):
        raise StoreMissing(
            f"{address} has schema version {steps}, this release of serverdomain needs "
            f"{len(schema.STEPS)}: serverdomain store init, as its owner, brings it there"
        )
    heads = connection.execute(f'SELECT copied_from FROM "{address.schema}".head').fetchall()
    if heads and heads[0][0] is not None:
        raise StoreMissing(
            f"{address} is half a copy of {heads[0][0]}: the same serverdomain store copy goes on"
        )


def _brought_up(address: Address, guarded: bool, copy: Copy | None) -> bool:
    with psycopg.connect(**address.parameters()) as connection:  # type: ignore[arg-type]
        require_utf8(connection, address)
        steps = taken(connection, address)
        if steps == len(schema.STEPS):
            return False
        if steps == 0:
            _make(connection, address.schema, guarded, copy)
        for step in schema.STEPS[max(steps, 1) :]:
            _run(connection, address.schema, *step)
        connection.execute(
            f'UPDATE "{address.schema}".schema_steps SET steps = %s', (len(schema.STEPS),)
        )
    return True


def _make(connection: Connection[Row], name: str, guarded: bool, copy: Copy | None) -> None:
    if connection.execute(_SCHEMA, (name,)).fetchone() is None:
        connection.execute(f'CREATE SCHEMA "{name}"')
    _run(connection, name, schema.VERSION, *schema.STEPS[0], *schema.BEGINNING)
    log_id = str(uuid4()) if copy is None else copy.log_id
    connection.execute(f'INSERT INTO "{name}".log VALUES (%s)', (log_id,))
    if copy is not None:
        connection.execute(f'UPDATE "{name}".head SET copied_from = %s', (copy.source,))
    connection.execute(f'INSERT INTO "{name}".schema_steps VALUES (0, %s)', (guarded,))
    if guarded:
        _run(connection, name, *guards.FUNCTIONS, *guards.TRIGGERS.values())


def _run(connection: Connection[Row], name: str, *statements: str) -> None:
    connection.execute(";".join(statements).format(schema=f'"{name}"'))
