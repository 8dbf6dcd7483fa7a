"""The engine on SQLite, in a file or in memory."""

from serverdomain.store.sqlite.log import SQLiteLog
from serverdomain.store.sqlite.recorder import Factory, ProcessRecorder, SQLiteRecorder

__all__ = ["Factory", "ProcessRecorder", "SQLiteLog", "SQLiteRecorder"]
