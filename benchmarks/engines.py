"""The fold over Parquet on each engine, in one run: ``python -m benchmarks.engines``.

Needs what ``make test-all`` installs, in its environment. What an engine takes to start is told
beside its fold, for it is paid once. DuckDB cannot fold: it is asked, in SQL, for the last image
and name of each server, which is what of the fold SQL can say.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from serverdomain.simulation.fleet import generate
from serverdomain.store.opening import open_log

_SEED = 1
_WORKERS = 2
_LAST = """
    SELECT server_id, arg_max(data->>'image_id', (occurred_at, position)) AS image,
        arg_max(data->>'name', (occurred_at, position))
            FILTER (WHERE event IN ('ServerRegistered', 'ServerRenamed')) AS name
    FROM '{folder}/events/*.parquet'
    WHERE event IN ('ServerRegistered', 'ServerRenamed', 'ImageChanged') AND NOT refused
    GROUP BY server_id
"""

Fold = Callable[[], object]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("--servers", type=int, default=40_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    asked = parser.parse_args(arguments)
    with TemporaryDirectory(prefix="serverdomain-") as folder, ExitStack() as stack:
        parquet = Path(folder) / "parquet"
        events = _written(Path(folder) / "cloud.db", parquet, asked.servers)
        print(f"{events:,} events of {asked.servers:,} servers")
        folds: dict[str, tuple[float, Fold]] = {}
        for name, engine in ENGINES.items():
            began = time.perf_counter()
            fold = stack.enter_context(engine(parquet))
            fold()
            folds[name] = time.perf_counter() - began, fold
        _tell(folds, asked.rounds, events)


def _written(path: Path, parquet: Path, servers: int) -> int:
    from serverdomain import analysis

    with closing(open_log(path)) as log:
        generate(log, servers, _SEED)
    began = time.perf_counter()
    events = analysis.write(path, parquet).events
    took = time.perf_counter() - began
    print(f"written as Parquet in {took:.1f} s, {events / took:,.0f} events/s")
    return events


def _tell(folds: dict[str, tuple[float, Fold]], rounds: int, events: int) -> None:
    seconds: dict[str, list[float]] = {name: [] for name in folds}
    for _ in range(rounds):
        for name, (_, fold) in folds.items():
            began = time.perf_counter()
            fold()
            seconds[name].append(time.perf_counter() - began)
    alone = median(seconds["this process"])
    for name, (start, _) in folds.items():
        took = median(seconds[name])
        print(
            f"{name:20} {took:8.2f} s {events / took:12,.0f} events/s {alone / took:6.2f} times "
            f"this process; the first took {start:.2f} s"
        )


@contextmanager
def _here(parquet: Path) -> Iterator[Fold]:
    from serverdomain.analysis import fold

    yield lambda: fold(parquet)


@contextmanager
def _processes(parquet: Path) -> Iterator[Fold]:
    from serverdomain.analysis import fold

    with ProcessPoolExecutor(_WORKERS) as pool:
        yield lambda: fold(parquet, executor=pool)


@contextmanager
def _dask(parquet: Path) -> Iterator[Fold]:
    from distributed import Client, LocalCluster  # type: ignore[import-not-found,unused-ignore]

    from serverdomain.analysis import fold

    with (
        LocalCluster(n_workers=_WORKERS, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
        client.get_executor(pure=False) as executor,
    ):
        yield lambda: fold(parquet, executor=executor)


@contextmanager
def _sail(parquet: Path) -> Iterator[Fold]:
    from pysail.spark import SparkConnectServer  # type: ignore[import-not-found,unused-ignore]
    from pyspark.sql import SparkSession  # type: ignore[import-not-found,unused-ignore]

    from serverdomain.analysis import fold_on_spark

    server = SparkConnectServer()
    server.start()
    _, port = server.listening_address
    session = SparkSession.builder.remote(f"sc://localhost:{port}").getOrCreate()
    yield lambda: fold_on_spark(session, parquet)
    session.stop()
    server.stop()


@contextmanager
def _duckdb(parquet: Path) -> Iterator[Fold]:
    import duckdb  # type: ignore[import-not-found,unused-ignore]

    yield lambda: duckdb.sql(_LAST.format(folder=parquet)).fetchall()


ENGINES = {
    "this process": _here,
    "two processes": _processes,
    "Dask, two workers": _dask,
    "Spark (Sail)": _sail,
    "DuckDB, in SQL": _duckdb,
}


if __name__ == "__main__":
    main()
