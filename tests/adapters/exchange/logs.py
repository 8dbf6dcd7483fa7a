"""Logs to export and to import, and what a log holds to the last byte."""

from __future__ import annotations

import io
from collections.abc import Iterable
from contextlib import nullcontext

from serverdomain.adapters.exchange import exporting, log_lines
from serverdomain.adapters.exchange.form import Form
from serverdomain.adapters.exchange.log_import import Imported, import_log
from serverdomain.audit.digest import digest
from serverdomain.audit.ledger.leaf import hashed
from serverdomain.audit.ledger.merkle import Tree
from serverdomain.domain.progress import silent
from serverdomain.store.log import Log, Row
from serverdomain.store.opening import open_log


def exported(log: Log, form: Form = log_lines, after: int = 0) -> bytes:
    """What an export of a log writes."""
    written = io.BytesIO()
    exporting.export(log, form, written.write, after, silent)
    return written.getvalue()


def imported(lines: bytes, log: Log) -> Imported:
    """Import lines into a log that stays open."""
    return import_log(lambda log_id: nullcontext(log), io.BytesIO(lines), lambda done: None)


def rows(log: Log) -> list[Row]:
    with log.reading() as reading:
        return [row for some in reading.rows() for row in some]


def root(log: Log) -> bytes:
    """The root that a checkpoint of the log would sign."""
    tree = Tree()
    tree.add(hashed(rows(log)))
    return tree.root()


def digests(log: Log) -> list[str]:
    with log.reading() as reading:
        return [str(digest(reading, recorded=recorded)) for recorded in (False, True)]


def filled(rows: Iterable[Row]) -> Log:
    """A log in memory that holds these rows."""
    log = open_log("memory:")
    with log.bulk() as writing:
        writing.append_rows(list(rows))
    return log
