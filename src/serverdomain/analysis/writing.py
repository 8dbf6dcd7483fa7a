"""A log written as Parquet, in two passes that hold no more than a bucket.

The first leaves each event in the bucket of its server, in order of position. The second puts each
bucket into the order of histories. A folder takes its place when it is whole.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

import pyarrow as pa
import pyarrow.parquet as pq

from serverdomain.analysis.columns import EVENTS, ORDER, batch_of
from serverdomain.analysis.manifest import (
    EVENTS_IN_A_BUCKET,
    MOST_BUCKETS,
    Bucket,
    Manifest,
)
from serverdomain.audit.as_of import AsOf
from serverdomain.domain.progress import Progress, silent
from serverdomain.domain.typed import typed
from serverdomain.errors import InvalidInput, StoreError, StoreLocked
from serverdomain.store.log import Log, Row
from serverdomain.store.opening import Store, open_to_read
from serverdomain.store.settled_path import settled

_FEWEST = 4
_ROW_GROUP = 16_384
_FOLDER = "events"


class Written(NamedTuple):
    """A folder of Parquet: ``events`` of a log up to a ``position``, in so many ``buckets``."""

    events: int
    position: int
    buckets: int


@typed
def write(
    store: Store,
    folder: str | Path,
    *,
    servers: AsOf | str | None = None,
    progress: Progress = silent,
) -> Written:
    """Write the log of a store into a new folder, and the servers as of a moment, if asked for.

    ``servers`` is an `AsOf`, its words or ``"now"``. ``progress`` is told how many events are done,
    twice as many in all. Raises `InvalidInput` where the folder is there, and `StoreError`.
    """
    path = Path(folder)
    with closing(open_to_read(store)) as log, _new_folder(path) as part:
        try:
            manifest = _write(log, part, progress)
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror or error}") from error
        if servers is not None:
            manifest = _with_servers(manifest, part, servers)
        manifest.write(part)
    return Written(manifest.events, manifest.position, len(manifest.buckets))


def _write(log: Log, folder: Path, progress: Progress) -> Manifest:
    with log.reading() as reading:
        log_id, head, total = reading.log_id(), reading.head(), reading.count()
        count = min(max(total // EVENTS_IN_A_BUCKET, _FEWEST), MOST_BUCKETS)
        parts = [folder / f"{number}.arrow" for number in range(count)]
        done = 0
        with ExitStack() as stack:
            files = [stack.enter_context(pa.OSFile(str(part), "wb")) for part in parts]
            writers = [stack.enter_context(pa.ipc.new_stream(file, EVENTS)) for file in files]
            for rows in reading.rows():
                for number, some in _bucketed(rows, count):
                    writers[number].write_batch(batch_of(some))
                done += len(rows)
                progress(done, 2 * total)
    (folder / _FOLDER).mkdir()
    buckets = []
    for number, part in enumerate(parts):
        buckets.append(_sorted(part, folder, number))
        progress(done + done * (number + 1) // count, 2 * total)
    events = sum(bucket.events for bucket in buckets)
    return Manifest(log_id=log_id, position=head, events=events, buckets=buckets)


def _bucketed(rows: list[Row], count: int) -> Iterator[tuple[int, list[Row]]]:
    buckets: dict[int, list[Row]] = {}
    for row in rows:
        if row[5] is not None:
            number = crc32(str(row[7]).encode("utf-8", "surrogateescape")) % count
            buckets.setdefault(number, []).append(row)
    yield from buckets.items()


def _sorted(part: Path, folder: Path, number: int) -> Bucket:
    with pa.OSFile(str(part), "rb") as file:
        table = pa.ipc.open_stream(file).read_all().sort_by(ORDER)
    part.unlink()
    name = f"{_FOLDER}/{number:04}.parquet"
    pq.write_table(
        table,
        folder / name,
        row_group_size=_ROW_GROUP,
        compression="zstd",
        sorting_columns=pq.SortingColumn.from_ordering(EVENTS, ORDER),
    )
    servers = table.column("server_id").unique()
    return Bucket(name, len(table), len(servers))


def _with_servers(manifest: Manifest, folder: Path, servers: AsOf | str) -> Manifest:
    from msgspec.structs import replace

    from serverdomain.analysis.folding import fold_buckets, moment_given

    as_of = moment_given(servers)
    table = fold_buckets(folder, manifest, as_of=as_of)
    pq.write_table(table, folder / "servers.parquet", compression="zstd")
    return replace(manifest, servers="servers.parquet", as_of=str(as_of or "now"))


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, beside its place, which it takes when the block ends without an error."""
    if os.path.lexists(path):
        raise InvalidInput("folder", f"{str(path)!r} is there already, a new folder is allowed")
    whole = settled(path, "folder")
    part = whole.with_name(f".{whole.name}.part")
    try:
        part.mkdir(exist_ok=True)
        lock = os.open(part, os.O_RDONLY)
    except OSError as error:
        raise InvalidInput(
            "folder", f"{str(path)!r} cannot be made ({error.strerror}), a new folder is allowed"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreLocked(f"{path} is being written by another export") from None
    try:
        _empty(part)  # What a killed one left.
        yield part
        part.rename(path)
    finally:
        os.close(lock)
        shutil.rmtree(part, ignore_errors=True)


def _empty(folder: Path) -> None:
    for left in folder.iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
