"""The columns of an event in Parquet, and a log's rows in them.

The names are those of the lines of an export. docs/analysis.md lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from serverdomain.domain import moment
from serverdomain.errors import StoreDamaged
from serverdomain.store.codec import PREFIX
from serverdomain.store.log import Row

TIME = pa.timestamp("us", tz="UTC")

EVENTS = pa.schema(
    [
        pa.field("server_id", pa.string(), nullable=False),
        pa.field("occurred_at", TIME, nullable=False),
        pa.field("position", pa.int64(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("topic", pa.string(), nullable=False),
        pa.field("data", pa.string(), nullable=False),
        pa.field("refused", pa.bool_(), nullable=False),
        pa.field("recorded_at", TIME, nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("members", pa.string(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("project_id", pa.string(), nullable=False),
        pa.field("roles", pa.list_(pa.string()), nullable=False),
        pa.field("request_id", pa.string(), nullable=False),
        pa.field("correlation_id", pa.string()),
        pa.field("caused_by", pa.string()),
        pa.field("command_id", pa.int64(), nullable=False),
    ]
)
"""An event of a server, what was refused to it among them."""

ORDER = [("server_id", "ascending"), ("occurred_at", "ascending"), ("position", "ascending")]
"""The order of a history."""

_roles = msgspec.json.Decoder(list[str]).decode


def batch_of(rows: Sequence[Row]) -> pa.RecordBatch:
    """The events of rows; those of other applications, which have no command, are passed over.

    Raises `StoreDamaged` where one cannot be read.
    """
    ours = [row for row in rows if row[5] is not None]
    columns: list[Sequence[Any]] = [*zip(*ours, strict=True)] or [()] * 18
    try:
        if not all(moment.EARLIEST <= at <= moment.LATEST for at in (*columns[15], *columns[16])):
            raise ValueError("a time that cannot be written")
        arrays = [
            columns[7],
            columns[15],
            columns[0],
            columns[2],
            [_name(topic) for topic in columns[3]],
            columns[3],
            columns[4],
            [bool(refused) for refused in columns[17]],
            columns[16],
            columns[6],
            columns[8],
            columns[9],
            columns[10],
            [_roles(roles) for roles in columns[11]],
            columns[12],
            columns[13],
            columns[14],
            columns[5],
        ]
        return pa.record_batch(
            [_column(array, field) for array, field in zip(arrays, EVENTS, strict=True)],
            schema=EVENTS,
        )
    except (pa.ArrowException, ValueError, TypeError, IndexError, UnicodeError) as error:
        first, last = rows[0][0], rows[-1][0]
        raise StoreDamaged(
            f"the log holds something between positions {first} and {last} that cannot be read "
            f"({error}): serverdomain check says more"
        ) from error


def _name(topic: str) -> str:
    if not topic.startswith(PREFIX):
        raise ValueError(f"a topic {topic!a}")
    return topic.split(":")[1]


def _column(values: Sequence[Any], field: pa.Field) -> pa.Array:
    column = pa.array(values, field.type)
    if column.null_count and not field.nullable:
        raise ValueError(f"nothing in {field.name}")
    return column
