"""The SQLite library that Python's own sqlite3 module runs on, reached with ctypes.

Only what a VFS needs is declared: two tables of function pointers and the head of a file object, as
in sqlite3.h. A Python that has SQLite linked in without its symbols cannot be reached; that is an
error with a reason, for tests to skip with.
"""

from __future__ import annotations

import _sqlite3
import contextlib
import ctypes
import sqlite3
from ctypes import CFUNCTYPE, c_char_p, c_int, c_int64, c_void_p
from functools import lru_cache

OPEN_CREATE = 0x00000004
OPEN_MAIN_DB = 0x00000100
OPEN_MAIN_JOURNAL = 0x00000800
OPEN_SUPER_JOURNAL = 0x00004000
OPEN_WAL = 0x00080000

# Pointers to SQLite's own objects stay plain addresses: what lies at and behind them (the URI
# parameters behind a file's name) is SQLite's, and a conversion would lose it.
XOpen = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
XDelete = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
XRandomness = CFUNCTYPE(c_int, c_void_p, c_int, c_void_p)
XWrite = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
XTruncate = CFUNCTYPE(c_int, c_void_p, c_int64)
XSync = CFUNCTYPE(c_int, c_void_p, c_int)


class Vfs(ctypes.Structure):
    """sqlite3_vfs, version 3."""

    xOpen: int
    xDelete: int
    xRandomness: int
    _fields_ = [
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", c_void_p),
        ("xDelete", c_void_p),
        ("xAccess", c_void_p),
        ("xFullPathname", c_void_p),
        ("xDlOpen", c_void_p),
        ("xDlError", c_void_p),
        ("xDlSym", c_void_p),
        ("xDlClose", c_void_p),
        ("xRandomness", c_void_p),
        ("xSleep", c_void_p),
        ("xCurrentTime", c_void_p),
        ("xGetLastError", c_void_p),
        ("xCurrentTimeInt64", c_void_p),
        ("xSetSystemCall", c_void_p),
        ("xGetSystemCall", c_void_p),
        ("xNextSystemCall", c_void_p),
    ]


class IoMethods(ctypes.Structure):
    """sqlite3_io_methods, version 3."""

    xWrite: int
    xTruncate: int
    xSync: int
    _fields_ = [
        ("iVersion", c_int),
        ("xClose", c_void_p),
        ("xRead", c_void_p),
        ("xWrite", c_void_p),
        ("xTruncate", c_void_p),
        ("xSync", c_void_p),
        ("xFileSize", c_void_p),
        ("xLock", c_void_p),
        ("xUnlock", c_void_p),
        ("xCheckReservedLock", c_void_p),
        ("xFileControl", c_void_p),
        ("xSectorSize", c_void_p),
        ("xDeviceCharacteristics", c_void_p),
        ("xShmMap", c_void_p),
        ("xShmLock", c_void_p),
        ("xShmBarrier", c_void_p),
        ("xShmUnmap", c_void_p),
        ("xFetch", c_void_p),
        ("xUnfetch", c_void_p),
    ]


class FileHead(ctypes.Structure):
    """The head of every sqlite3_file: the table of what can be done with it."""

    pMethods: int
    _fields_ = [("pMethods", c_void_p)]


class OutOfReach(LookupError):
    """The symbols of the SQLite that Python runs on cannot be found."""


@lru_cache(maxsize=1)
def reach() -> ctypes.CDLL:
    """The library behind `import sqlite3`, or OutOfReach."""
    # dlsym on the extension module also looks into what the module is linked with; where it is part
    # of the interpreter, it has no file, and the process itself is asked.
    for name in (getattr(_sqlite3, "__file__", None), None):
        with contextlib.suppress(OSError, TypeError, AttributeError):
            library = ctypes.CDLL(name)
            library.sqlite3_sourceid.restype = c_char_p
            library.sqlite3_vfs_find.restype = c_void_p
            library.sqlite3_vfs_find.argtypes = [c_char_p]
            library.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
            library.sqlite3_vfs_unregister.argtypes = [c_void_p]
            library.sqlite3_randomness.argtypes = [c_int, c_void_p]
            library.sqlite3_randomness.restype = None
            if library.sqlite3_sourceid().decode() == _source_id():
                return library
    raise OutOfReach(
        "the symbols of the SQLite library that this Python runs on cannot be reached"
        " (statically linked?)"
    )


def _source_id() -> str:
    # A process may hold a second SQLite, and a VFS put into that one would see nothing.
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        return str(connection.execute("SELECT sqlite_source_id()").fetchone()[0])
