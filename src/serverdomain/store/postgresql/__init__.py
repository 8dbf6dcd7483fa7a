"""The engine on PostgreSQL. Needs the extra ``postgres``."""

from serverdomain.store.postgresql.recorder import Factory, PostgreSQLRecorder, ProcessRecorder

__all__ = ["Factory", "PostgreSQLRecorder", "ProcessRecorder"]
