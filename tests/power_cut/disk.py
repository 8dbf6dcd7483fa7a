"""What a disk may hold after a power cut, told by the log up to the cut and by the disk's luck.

A sync makes all earlier writes to its file sure. Later ones fare one by one, by sector of 512
bytes: whole, torn, as length without the bytes, or not at all. Names come and go in order, up to
any of them, since the folder was synced. A sync that failed is as on Linux: what it was asked for
may be lost, and a later sync that succeeds does not bring it back. Not modelled: disks that lie
about a sync, and a full disk. The wal-index (`-shm`) is not in the log: SQLite makes it anew.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from random import Random

from .log import (
    Created,
    Deleted,
    Entry,
    Failed,
    FolderSynced,
    Synced,
    Truncated,
    Written,
)

SECTOR = 512

# How often a sector is found whole, torn, as length alone, and not at all. Drawn for each file,
# because the ordering between files is what a sync is for: one must meet all of one file beside
# nothing of another, not only a mixture.
_WEATHERS = ((1, 0, 0, 0), (0, 0, 0, 1), (20, 1, 1, 1), (1, 1, 1, 1), (1, 1, 1, 20))
_FATES = ("whole", "torn", "length", "nothing")


def files_after_cut(log: Sequence[Entry], luck: Random) -> dict[str, bytes]:
    """One possible content of the folder when the power goes after the last entry of the log."""
    sure: dict[int, bytearray] = defaultdict(bytearray)
    unsure: dict[int, list[Written | Truncated]] = defaultdict(list)
    names: dict[str, int] = {}
    unsure_names: list[Created | Deleted] = []
    for entry in log:
        match entry:
            case Created() | Deleted():
                unsure_names.append(entry)
            case FolderSynced():
                _rename(names, unsure_names)
                unsure_names = []
            case Written(file=file) | Truncated(file=file):
                unsure[file].append(entry)
            case Synced(file=file):
                _apply(sure[file], unsure.pop(file, []))
            case Failed(file=file, operation="sync"):
                _apply(sure[file], _fared(unsure.pop(file, []), luck))
    _rename(names, unsure_names[: luck.randint(0, len(unsure_names))])
    for file, changes in unsure.items():
        _apply(sure[file], _fared(changes, luck))
    return {name: bytes(sure[file]) for name, file in names.items()}


def files_with_luck(log: Sequence[Entry]) -> dict[str, bytes]:
    """The content of the folder when everything arrived: as it is without a power cut."""
    files = {entry.file for entry in log if isinstance(entry, Created)}
    synced = [entry for entry in log if not isinstance(entry, Failed)] + [
        FolderSynced(),
        *map(Synced, files),
    ]
    return files_after_cut(synced, Random(0))


def _rename(names: dict[str, int], entries: Iterable[Created | Deleted]) -> None:
    for entry in entries:
        if isinstance(entry, Created):
            names[entry.name] = entry.file
        else:
            del names[entry.name]


def _apply(content: bytearray, changes: Iterable[Written | Truncated]) -> None:
    for change in changes:
        if isinstance(change, Truncated):
            del content[change.size :]
            _reach(content, change.size)
        else:
            _reach(content, change.offset + len(change.data))
            content[change.offset : change.offset + len(change.data)] = change.data


def _reach(content: bytearray, size: int) -> None:
    content.extend(bytes(max(0, size - len(content))))


def _fared(changes: Iterable[Written | Truncated], luck: Random) -> Iterator[Written | Truncated]:
    """What became of changes that no sync made sure."""
    weather = luck.choice(_WEATHERS)
    for change in changes:
        for part in [change] if isinstance(change, Truncated) else _sectors(change):
            fate = luck.choices(_FATES, weather)[0]
            if fate == "whole":
                yield part
            elif isinstance(part, Written) and fate == "torn":
                yield _torn(part, luck)
            elif isinstance(part, Written) and fate == "length":
                yield Written(part.file, part.offset + len(part.data), b"")


def _sectors(change: Written) -> Iterator[Written]:
    start, end = change.offset, change.offset + len(change.data)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Written(change.file, start, change.data[start - change.offset : stop - change.offset])
        start = stop


def _torn(part: Written, luck: Random) -> Written:
    """One end of it.

    Bytes beside it stay as they were: the unix VFS promises SQLite as much (powersafe overwrite).
    """
    at = luck.randint(0, len(part.data))
    if luck.random() < 0.5:
        return Written(part.file, part.offset, part.data[:at])
    return Written(part.file, part.offset + at, part.data[at:])
