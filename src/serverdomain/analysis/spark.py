"""The same fold for who has a Spark: `mapInArrow` over the names of the buckets.

A bucket's table travels as bytes, so that any function may be folded with and nothing is converted
on the way. The workers must find the folder under the same path.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from serverdomain.analysis.folding import Evolve, bounds_of, fold_bucket, moment_given
from serverdomain.analysis.manifest import Manifest
from serverdomain.analysis.states import joined
from serverdomain.audit.as_of import AsOf
from serverdomain.domain.server import evolve
from serverdomain.domain.typed import typed
from serverdomain.store.settled_path import settled


@typed
def fold_on_spark(
    spark: Any,
    folder: str | Path,
    function: Evolve = evolve,
    as_of: AsOf | str | None = None,
) -> pa.Table:
    """What `fold` gives, folded by the workers of a Spark session.

    Needs the extra ``spark``, or a Spark of one's own. Raises what `fold` does.
    """
    path = settled(folder, "folder")
    manifest = Manifest.read(path)
    bounds = bounds_of(manifest, moment_given(as_of))

    def fold_some(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for bucket in batch.column(0).to_pylist():
                folded = _bytes_of(fold_bucket(bucket, function, bounds))
                yield pa.record_batch([[bucket], [folded]], names=["bucket", "folded"])

    paths = [(str(path / bucket.file),) for bucket in manifest.buckets]
    buckets = spark.createDataFrame(paths, "bucket string").repartition(len(paths))
    found = buckets.mapInArrow(fold_some, "bucket string, folded binary").collect()
    return joined([_table_of(bytes(row["folded"])) for row in sorted(found)])


def _bytes_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _table_of(content: bytes) -> pa.Table:
    return pa.ipc.open_stream(content).read_all()
