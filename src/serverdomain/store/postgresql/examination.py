"""A log in PostgreSQL for whoever checks it: what the engine can say of it."""

from __future__ import annotations

from collections.abc import Iterator

from serverdomain.store.finding import Finding
from serverdomain.store.log import Examination
from serverdomain.store.postgresql import guards, schema
from serverdomain.store.postgresql.reading import PostgreSQLReading

_INDEXES = (
    "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_index i"
    " ON i.indexrelid = c.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = %s AND i.indisvalid"
)
_GUARDS = (
    "SELECT t.tgname, t.tgenabled IN ('O', 'A') FROM pg_catalog.pg_trigger t"
    " JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"
    " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = %s AND NOT t.tgisinternal"
)
_COUNTED = (
    ("stored_events", "position", "SELECT MAX(position), COUNT(*) FROM {schema}.stored_events"),
    ("commands", "command_id", "SELECT MAX(command_id), COUNT(*) FROM {schema}.commands"),
)


class PostgreSQLExamination(PostgreSQLReading, Examination):
    """One consistent state of a log that need not be sound."""

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the indexes, the guards and the counter row."""
        there = {name for (name,) in self._all(_INDEXES, self.schema)}
        for name in schema.INDEXES:
            if name not in there:
                yield Finding("schema", f"the index {name} is missing")
        yield from self._guards()
        if len(self._all("SELECT 1 FROM {schema}.log")) != 1:
            yield Finding("schema", "the log does not have the one id that every log is given")
        yield from self._head()

    def _guards(self) -> Iterator[Finding]:
        guarded = self._value("SELECT guarded FROM {schema}.schema_steps")
        there: dict[str, bool] = dict(self._all(_GUARDS, self.schema))
        for name in guards.TRIGGERS if guarded else ():
            if not there.pop(name, False):
                yield Finding("schema", f"the guard {name} is missing or is switched off")
        for name in sorted(there):
            yield Finding("schema", f"the trigger {name} is none of the store's own")

    def _head(self) -> Iterator[Finding]:
        heads = self._all("SELECT position, command_id FROM {schema}.head")
        if len(heads) != 1:
            yield Finding("schema", f"head has {len(heads)} rows, one is promised")
            return
        for given, (table, column, query) in zip(heads[0], _COUNTED, strict=True):
            last, many = self._all(query)[0]
            if (last or 0) != given:
                yield Finding(
                    "schema",
                    f"{table} ends at {column} {last or 0}, the last one given was {given}",
                )
            if many != (last or 0):
                yield Finding("schema", f"{table} ends at {column} {last or 0} and has {many} rows")
