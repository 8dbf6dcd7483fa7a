"""A SQLite VFS that logs what happens to the files of one folder, and can fail one operation.

It is a copy of the default VFS that steps in where files are opened, deleted, written, truncated
and synced. The file objects stay SQLite's own, so that locks, shared memory and mmap need no code
here. While it is installed it is the default, so that whoever opens a connection, in whichever
thread, with or without a URI, needs to know nothing of it.
"""

from __future__ import annotations

import ctypes
import os
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

from . import sqlite_library as sqlite
from .callbacks import Callbacks
from .fault import ERRORS, Fault
from .log import (
    Acknowledged,
    Created,
    Deleted,
    Entry,
    Failed,
    FolderSynced,
    Operation,
    Synced,
    Truncated,
    Written,
)

_JOURNALS = sqlite.OPEN_MAIN_JOURNAL | sqlite.OPEN_SUPER_JOURNAL | sqlite.OPEN_WAL
_LASTING = sqlite.OPEN_MAIN_DB | _JOURNALS


@dataclass
class _OpenFile:
    number: int
    syncs_folder: bool


class RecordingVfs:
    """The default VFS from entry to exit, while `log` grows; then the previous one is it again."""

    def __init__(self, folder: str, fault: Fault | None = None) -> None:
        self.log: list[Entry] = []
        self._folder = os.path.realpath(folder)
        self._fault = fault
        self._done: Counter[Operation] = Counter()
        self._callbacks = Callbacks()
        self._numbers: dict[str, int] = {}
        self._files = 0
        self._open: dict[int, _OpenFile] = {}
        self._methods: dict[int, sqlite.IoMethods] = {}
        self._library = sqlite.reach()
        self._previous: int = self._library.sqlite3_vfs_find(None)
        previous = sqlite.Vfs.from_address(self._previous)
        self._base_open = sqlite.XOpen(previous.xOpen)
        self._base_delete = sqlite.XDelete(previous.xDelete)
        self._vfs = sqlite.Vfs.from_buffer_copy(previous)
        self._vfs.pNext = None
        self._vfs.zName = b"power-cut"
        self._vfs.xOpen = self._callbacks.address(sqlite.XOpen, self._on_open)
        self._vfs.xDelete = self._callbacks.address(sqlite.XDelete, self._on_delete)
        self._vfs.xRandomness = self._callbacks.address(sqlite.XRandomness, self._on_randomness)

    def acknowledge(self, what: object) -> None:
        """Everything that the workload did before is now promised to somebody."""
        self.log.append(Acknowledged(what))

    def __enter__(self) -> RecordingVfs:
        self._library.sqlite3_vfs_register(ctypes.byref(self._vfs), 1)
        self._reseed()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._library.sqlite3_vfs_unregister(ctypes.byref(self._vfs))
        # Said, because without a default SQLite chooses one as it likes.
        self._library.sqlite3_vfs_register(self._previous, 1)
        self._reseed()
        if self._callbacks.errors:
            raise self._callbacks.errors[0]

    def _reseed(self) -> None:
        # SQLite seeds its generator once, from the default VFS. Seeded alike each time, it gives
        # each recording the same salts, and a seed printed by a failing test finds the same bytes
        # again. Drawn from at once, because later the seed would be asked for under SQLite's own
        # lock, while another thread may hold that of the callbacks and want SQLite's.
        self._library.sqlite3_randomness(0, None)
        self._library.sqlite3_randomness(1, ctypes.create_string_buffer(1))

    def _on_open(
        self, _vfs: int, name: int | None, file: int, flags: int, out_flags: int | None
    ) -> int:
        answer: int = self._base_open(self._previous, name, file, flags, out_flags)
        if answer == sqlite3.SQLITE_OK and name is not None and flags & _LASTING:
            folder, own_name = os.path.split(os.fsdecode(ctypes.string_at(name)))
            if folder == self._folder:
                if own_name not in self._numbers:
                    self._files += 1
                    self._numbers[own_name] = self._files
                    self.log.append(Created(self._files, own_name))
                # As the unix VFS: the first sync of a journal that may be new also syncs its
                # folder.
                new_journal = bool(flags & _JOURNALS and flags & sqlite.OPEN_CREATE)
                self._open[file] = _OpenFile(self._numbers[own_name], syncs_folder=new_journal)
                head = sqlite.FileHead.from_address(file)
                head.pMethods = ctypes.addressof(self._recording(head.pMethods))
        return answer

    def _on_delete(self, _vfs: int, name: int, sync_folder: int) -> int:
        answer: int = self._base_delete(self._previous, name, sync_folder)
        folder, own_name = os.path.split(os.fsdecode(ctypes.string_at(name)))
        if answer == sqlite3.SQLITE_OK and folder == self._folder:
            if own_name in self._numbers:
                self.log.append(Deleted(self._numbers.pop(own_name), own_name))
            if sync_folder:
                self.log.append(FolderSynced())
        return answer

    def _on_randomness(self, _vfs: int, size: int, into: int) -> int:
        ctypes.memset(into, 1, size)
        return size

    def _recording(self, address: int) -> sqlite.IoMethods:
        """The copy of the table of methods at this address that also keeps the log."""
        if address in self._methods:
            return self._methods[address]
        original = sqlite.IoMethods.from_address(address)
        base_write = sqlite.XWrite(original.xWrite)
        base_truncate = sqlite.XTruncate(original.xTruncate)

        def write(file: int, data: int, size: int, offset: int) -> int:
            entry = Written(self._open[file].number, offset, ctypes.string_at(data, size))
            return self._do("write", entry, lambda: base_write(file, data, size, offset))

        def truncate(file: int, size: int) -> int:
            entry = Truncated(self._open[file].number, size)
            return self._do("truncate", entry, lambda: base_truncate(file, size))

        def sync(file: int, _flags: int) -> int:
            # Nothing is asked of the real disk: what a cut leaves is the model's to say, and these
            # files are thrown away.
            opened = self._open[file]
            answer = self._do("sync", Synced(opened.number), lambda: sqlite3.SQLITE_OK)
            if answer == sqlite3.SQLITE_OK and opened.syncs_folder:
                opened.syncs_folder = False
                self.log.append(FolderSynced())
            return answer

        methods = self._methods[address] = sqlite.IoMethods.from_buffer_copy(original)
        methods.xWrite = self._callbacks.address(sqlite.XWrite, write)
        methods.xTruncate = self._callbacks.address(sqlite.XTruncate, truncate)
        methods.xSync = self._callbacks.address(sqlite.XSync, sync)
        return methods

    def _do(
        self, operation: Operation, entry: Written | Truncated | Synced, do: Callable[[], int]
    ) -> int:
        self._done[operation] += 1
        if self._fault == Fault(operation, self._done[operation]):
            self.log.append(Failed(entry.file, operation))
            return ERRORS[operation]
        answer = do()
        if answer == sqlite3.SQLITE_OK:
            self.log.append(entry)
        return answer
