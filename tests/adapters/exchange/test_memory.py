"""However long a log is, an export and an import hold no more than a page of it."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path

import pytest

from serverdomain.adapters.exchange import log_lines
from serverdomain.adapters.exchange.exporting import export
from serverdomain.adapters.exchange.log_import import import_log
from serverdomain.domain.progress import silent
from serverdomain.simulation.fleet import generate
from serverdomain.store.log import Log
from serverdomain.store.opening import open_log


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def exported(log: Log, path: Path) -> int:
    with path.open("wb") as file:
        return peak(lambda: export(log, log_lines, file.write, 0, silent))


def imported(path: Path, log: Log) -> int:
    with path.open("rb") as lines:
        return peak(lambda: import_log(lambda _: nullcontext(log), lines, str))


@pytest.mark.slow
def test_four_times_as_many_events_take_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for servers in (100, 400):
        path = tmp_path / f"{servers}.jsonl"
        with closing(open_log(tmp_path / f"{servers}.db")) as log:
            generate(log, servers, 1)
            out = exported(log, path)
        with closing(open_log(tmp_path / f"{servers}-copy.db")) as copy:
            peaks.append((out, imported(path, copy)))
    (few_out, few_in), (many_out, many_in) = peaks
    assert many_out < 1.3 * few_out
    assert many_in < 1.3 * few_in
