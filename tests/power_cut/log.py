"""What happened to the files of one folder, in order: written by the VFS, read by the disk.

A file is a number, not a name: a name that is deleted and created again is another file, and after
a power cut either of them may be found under it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Operation: TypeAlias = Literal["write", "truncate", "sync"]


@dataclass(frozen=True, slots=True)
class Created:
    file: int
    name: str


@dataclass(frozen=True, slots=True)
class Deleted:
    file: int
    name: str


@dataclass(frozen=True, slots=True)
class FolderSynced:
    """Every name created or deleted so far is sure."""


@dataclass(frozen=True, slots=True)
class Written:
    file: int
    offset: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Truncated:
    file: int
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """Everything written to the file so far is sure."""

    file: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The operation was answered with an error and not done."""

    file: int
    operation: Operation


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The workload told somebody so: from here on it is a promise."""

    what: object


Entry: TypeAlias = (
    Created | Deleted | FolderSynced | Written | Truncated | Synced | Failed | Acknowledged
)
