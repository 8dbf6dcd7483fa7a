"""The engine on PostgreSQL. Needs the extra ``postgres``."""

from serverdomain.store.postgresql.factory import Factory, ProcessRecorder
from serverdomain.store.postgresql.recorder import PostgreSQLRecorder

__all__ = ["Factory", "PostgreSQLRecorder", "ProcessRecorder"]
