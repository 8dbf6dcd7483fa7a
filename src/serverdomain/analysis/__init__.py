"""A log as Parquet, for engines that analyse it, and the one fold over it in many processes.

`write` makes a folder of a log, in buckets that each hold the whole history of some servers, in
its order. So a fold needs no shuffle: it is a map over files, in this process, in a pool, on
Dask, or on Spark. Every name is resolved when it is asked for, and needs the extra ``analysis``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from serverdomain.errors import ExtraMissing

if TYPE_CHECKING:
    from serverdomain.analysis.folding import fold as fold
    from serverdomain.analysis.spark import fold_on_spark as fold_on_spark
    from serverdomain.analysis.writing import Written as Written
    from serverdomain.analysis.writing import write as write

_HOMES = {
    "Written": "serverdomain.analysis.writing",
    "fold": "serverdomain.analysis.folding",
    "fold_on_spark": "serverdomain.analysis.spark",
    "write": "serverdomain.analysis.writing",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_HOMES[name]), name)
    except ModuleNotFoundError as missing:
        raise ExtraMissing("serverdomain.analysis", missing.name, "analysis") from None


def __dir__() -> list[str]:
    return [*globals(), *__all__]
