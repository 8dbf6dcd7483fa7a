"""What is measured of the endpoint: how often it answers, and how soon it first does."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.endpoint import bare
from benchmarks.endpoint.mimic import Mimic, NoMimic
from benchmarks.endpoint.processes import Process
from benchmarks.endpoint.rivals import (
    Asked,
    BarePost,
    EndpointGet,
    EndpointRebuild,
    Hello,
    MimicGet,
    StoreAlone,
    serve,
)
from benchmarks.measure import Figures, Took, percentile_99, turned


class EndpointRow(NamedTuple):
    """One thing to measure; ``make`` makes who is asked, ourselves first, and tells who is not."""

    name: str
    what: str
    unit: str
    rounds: int
    make: Callable[[Path], tuple[list[Asked], list[str]]]
    goals: Callable[[list[Figures]], list[str]]


class Measured(NamedTuple):
    """A row's figures, ours first, who was left out and why, and how far the goals are."""

    figures: list[Figures]
    left_out: list[str]
    goals: list[str]


def endpoint_rows(*, quick: bool) -> list[EndpointRow]:
    """Every row; quick ones show that all works and little more."""
    rounds, times = (1, 8) if quick else (10, 200)
    return [
        EndpointRow(
            "http-get",
            "GET a server of 10 events",
            "call",
            rounds,
            lambda folder: _get(folder, times, make=not quick),
            _goals_of_get,
        ),
        EndpointRow(
            "http-rebuild",
            "POST a rebuild, durable",
            "call",
            rounds,
            lambda folder: _rebuild(folder, times, rounds),
            _goals_of_rebuild,
        ),
        EndpointRow(
            "start",
            "from the start to the first answer",
            "start",
            1 if quick else 5,
            lambda folder: _starts(folder, make=not quick),
            lambda _: [],
        ),
    ]


def measure(row: EndpointRow) -> Measured:
    """Ask all by turns, so that whatever else the machine does hits all alike."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="serverdomain-")))
        asked, left_out = row.make(folder)
        for one in asked:
            stack.callback(one.close)
        rates: list[list[float]] = [[] for _ in asked]
        steps: list[list[float]] = [[] for _ in asked]
        # The first round warms caches and is not counted.
        for number in range(row.rounds + 1):
            took: dict[int, Took] = {
                which: asked[which].ask(number) for which in turned(asked, number)
            }
            if number:
                for which, (seconds, each) in took.items():
                    rates[which].append(len(each) / seconds)
                    steps[which] += each
        figures = [
            Figures(one.name, rates[which], median(steps[which]), percentile_99(steps[which]))
            for which, one in enumerate(asked)
        ]
        return Measured(figures, left_out, row.goals(figures))


def _get(folder: Path, times: int, *, make: bool) -> tuple[list[Asked], list[str]]:
    ours = EndpointGet(folder, times)
    asked: list[Asked] = [ours, Hello(folder, ours.answer, times)]
    try:
        return [*asked, MimicGet(folder, times, make=make)], []
    except NoMimic as why:
        return asked, [f"{MimicGet.name}: {why}"]


def _rebuild(folder: Path, times: int, rounds: int) -> tuple[list[Asked], list[str]]:
    ours = EndpointRebuild(folder, times, rounds)
    return [ours, StoreAlone(folder, times, rounds), BarePost(folder, ours.answer, times)], []


def _starts(folder: Path, *, make: bool) -> tuple[list[Asked], list[str]]:
    document = folder / "answer.json"
    document.write_text("{}", "utf-8")
    asked: list[Asked] = [
        Start(
            "serverdomain serve",
            lambda: Process(serve(folder / "start.db"), folder),
            "/v2.1/openstack/servers",
        ),
        Start(
            "starlette hello-world",
            lambda: Process([sys.executable, bare.__file__, document], folder),
            "/",
        ),
        Fixture(folder),
    ]
    try:
        Mimic(folder, make=make).close()
    except NoMimic as why:
        return asked, [f"{MimicGet.name}: {why}"]
    return [*asked, Start(MimicGet.name, lambda: Mimic(folder, make=False), "/identity/v2.0")], []


class Start:
    """A process that is started, asked once, and ended."""

    def __init__(self, name: str, start: Callable[[], Process | Mimic], path: str) -> None:
        self.name = name
        self._start = start
        self._path = path

    def ask(self, number: int) -> Took:
        """Start it, and wait for an answer, whatever it is."""
        began = time.perf_counter()
        process = self._start()
        try:
            urllib.request.urlopen(
                f"http://127.0.0.1:{process.port}{self._path}", timeout=60
            ).close()
        except urllib.error.HTTPError as answered:
            answered.close()
        took = time.perf_counter() - began
        process.close()
        return took, [took]

    def close(self) -> None:
        """Nothing is left running."""


class Fixture:
    """The endpoint that the pytest fixture gives, made in a process that has begun already."""

    name = "the fixture, once pytest runs"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def ask(self, number: int) -> Took:
        """Make it, and wait for an answer."""
        from serverdomain.testing.compute_endpoint import ComputeEndpoint

        began = time.perf_counter()
        with ComputeEndpoint(self._folder) as endpoint:
            urllib.request.urlopen(f"{endpoint.url}/v2.1/servers", timeout=60).close()
            took = time.perf_counter() - began
        return took, [took]

    def close(self) -> None:
        """Nothing is left running."""


def _goals_of_get(figures: Sequence[Figures]) -> list[str]:
    ours, *others = figures
    goals = {Hello.name: 0.4, MimicGet.name: 5}
    return [
        f"{ours.ratio(other):.2f} times {other.rival} ({goals[other.rival]} wanted)"
        for other in others
    ]


def _goals_of_rebuild(figures: Sequence[Figures]) -> list[str]:
    ours, store, post = figures
    possible = median(
        mine * (1 / alone + 1 / parsed)
        for mine, alone, parsed in zip(ours.rates, store.rates, post.rates, strict=True)
    )
    return [f"{possible:.2f} times 1/(1/store alone + 1/bare POST) (0.75 wanted)"]
