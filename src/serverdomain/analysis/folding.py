"""The fold over sorted buckets: a map over files, wherever it runs, and no shuffle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from pickle import PicklingError
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec.structs import replace

from serverdomain.analysis.manifest import Manifest
from serverdomain.analysis.states import Folded, joined, table_of
from serverdomain.audit.as_of import AsOf, as_of_given
from serverdomain.domain.events import Event
from serverdomain.domain.server import Server, evolve
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput, Refused, StoreDamaged, StoreError
from serverdomain.store.codec import CODEC
from serverdomain.store.settled_path import settled

Evolve = Callable[[Any, Event, int], Any]
"""Gives a state after an event that occurred at a time, in microseconds; ``None`` is none yet."""

_COLUMNS = ["server_id", "occurred_at", "position", "version", "topic", "data", "recorded_at"]
_AT_ONCE = 16_384


@typed
def fold(
    folder: str | Path,
    function: Evolve = evolve,
    executor: Executor | None = None,
    as_of: AsOf | str | None = None,
) -> pa.Table:
    """What every server of a folder is folded to, as a table in order of servers.

    ``function`` is `evolve`, or one of its signature. Its states are rows, their members columns;
    who has none is left out, a deleted server is not. ``executor`` runs it in other processes: a
    pool of this machine, or ``Client.get_executor()`` of Dask. ``as_of`` is a moment or its words.

    The result is the same wherever it runs. Raises `InvalidInput` for a folder that `write` did not
    make or a function that cannot be sent, `Refused` for a moment beyond the folder's position,
    `StoreDamaged` for a bucket that cannot be read, and `StoreError` where a process broke.
    """
    path = settled(folder, "folder")
    manifest = Manifest.read(path)
    return fold_buckets(path, manifest, function, executor, moment_given(as_of))


def moment_given(as_of: AsOf | str | None) -> AsOf | None:
    """A moment that was given; ``None`` for now."""
    return as_of_given(as_of, datetime.now(UTC))


def fold_buckets(
    folder: Path,
    manifest: Manifest,
    function: Evolve = evolve,
    executor: Executor | None = None,
    as_of: AsOf | None = None,
) -> pa.Table:
    """The same for buckets whose manifest is at hand."""
    one = partial(fold_bucket, function=function, bounds=bounds_of(manifest, as_of))
    paths = [str(folder / bucket.file) for bucket in manifest.buckets]
    if executor is None:
        return joined([one(path) for path in paths])
    try:
        return joined(list(executor.map(one, paths)))
    except BrokenExecutor as error:
        raise StoreError(
            f"a process that folded {folder} ended before it was done ({error}): it may have had "
            "too little memory; fewer processes or a new executor may do better"
        ) from error
    except (PicklingError, AttributeError, TypeError) as error:
        if "pickle" not in str(error):
            raise
        raise InvalidInput(
            "function",
            f"{function!r} came, which cannot be sent to another process ({error}); a function at "
            "the top of a module is allowed",
        ) from error


def bounds_of(manifest: Manifest, as_of: AsOf | None) -> dict[str, int]:
    """How far events count. Raises `Refused` for a position beyond the folder's."""
    bounds = {} if as_of is None else dict(as_of.bounds)
    position = bounds.get("position", 0)
    if position > manifest.position:
        raise Refused(
            "head", f"position {position} came, the folder ends at position {manifest.position}"
        )
    return bounds


def fold_bucket(path: str, function: Evolve, bounds: Mapping[str, int]) -> pa.Table:
    """The table of a bucket's servers. What ``function`` raises goes out as it is."""
    folded = list(_folded(path, function, bounds))
    try:
        return table_of(folded)
    except pa.ArrowException as error:
        raise InvalidInput("function", f"what it gives fits into no table: {error}") from None


def _folded(path: str, function: Evolve, bounds: Mapping[str, int]) -> Iterator[Folded]:
    counted = [(_COLUMNS.index(name), bound) for name, bound in bounds.items()]
    readers = CODEC.readers
    for server_id, rows in groupby(_rows(path), itemgetter(0)):
        state: Any = None
        version = first = 0
        for row in rows:
            if counted and any(row[column] > bound for column, bound in counted):
                continue
            _, at, position, number, topic, data, _ = row
            read = readers.get(topic)
            try:
                event = CODEC.decode(topic, data, position) if read is None else read(data)
            except msgspec.DecodeError as error:
                raise _damaged(path, error) from None
            state = function(state, event, at)
            version = max(version, number)
            first = min(first or position, position)
        if type(state) is Server:
            state = replace(state, version=version, first_position=first)
        if state is not None:
            yield server_id, state


def _rows(path: str) -> Iterator[tuple[Any, ...]]:
    """A bucket's facts in their order; no more is held than some of them."""
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_AT_ONCE, columns=[*_COLUMNS, "refused"]):
                facts = batch.filter(pc.invert(batch.column("refused")))
                columns = (facts.column(name) for name in _COLUMNS)
                yield from zip(*map(_plain, columns), strict=True)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _damaged(path: str, error: Exception) -> StoreDamaged:
    return StoreDamaged(f"{path} cannot be read: {error}")


def _plain(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    return column.to_pylist()  # type: ignore[no-any-return]
