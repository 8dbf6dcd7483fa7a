"""An ordinary client beside hostile ones, and what the server holds meanwhile."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"
TOKENS = {
    token: {"user": token, "project": token, "roles": ["member"]}
    for token in ("ordinary", "hostile")
}
FULL = {f"{number:0255}": "\x01" * 255 for number in range(128)}


class Held(NamedTuple):
    """What a process holds: MiB of memory, file descriptors, threads."""

    memory: int
    descriptors: int
    threads: int


class Waits(NamedTuple):
    """How many calls an ordinary client made, and how long they took, in milliseconds."""

    calls: int
    p50: float
    p99: float
    longest: float


class Served(NamedTuple):
    """A server process, whose log lines nobody reads."""

    process: subprocess.Popen[str]
    port: int

    def held(self) -> Held:
        place = Path(f"/proc/{self.process.pid}")
        (resident,) = re.findall(r"VmRSS:\s+(\d+) kB", (place / "status").read_text())
        descriptors, threads = (len(list((place / name).iterdir())) for name in ("fd", "task"))
        return Held(int(resident) // 1024, descriptors, threads)

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}/v2.1",
            headers={"X-Auth-Token": token},
            timeout=60,
            # Any client asks again when a connection that it kept was closed.
            transport=httpx.HTTPTransport(retries=3),
        )


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    tokens = folder / "tokens.json"
    tokens.write_text(json.dumps(TOKENS), "utf-8")
    tokens.chmod(0o600)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "serverdomain", "serve", "--port", "0"),
            *("--store", f"sqlite:///{folder / 'cloud.db'}", "--auth", "token-file"),
            *("--token-file", str(tokens), "--no-control", "--rebuild-seconds", "0"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        (port,) = re.findall(r"http://127\.0\.0\.1:(\d+),", process.stdout.readline())
        yield Served(process, int(port))
    finally:
        process.terminate()
        process.communicate(timeout=60)


@contextmanager
def crowd(served: Served) -> Iterator[None]:
    """Hostile clients of all kinds."""
    with served.client("hostile") as client:
        body = {"server": {"name": "theirs", "imageRef": IMAGE, "flavorRef": "1"}}
        server = client.post("/servers", json=body).json()["server"]["id"]
        items = list(FULL.items())
        for begin in range(0, len(items), 16):
            part = {"metadata": dict(items[begin : begin + 16])}
            assert client.post(f"/servers/{server}/metadata", json=part).status_code == 200
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.crowd", str(served.port), server]
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def ordinary(served: Served, seconds: float) -> Waits:
    """Creates, shows, lists, renames and deletes servers, one call after another."""
    waits: list[float] = []
    until = time.monotonic() + seconds
    with served.client("ordinary") as client:

        def ask(method: str, path: str, body: object = None) -> httpx.Response:
            for attempt in (1, 2, 3):
                began = time.perf_counter()
                try:
                    answer = client.request(method, path, json=body)
                except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                    # It was idle, and made room for another; what was asked was not begun.
                    if attempt == 3:
                        raise
                    continue
                waits.append(1000 * (time.perf_counter() - began))
                assert answer.status_code in (200, 202, 204), answer.text
                return answer
            raise AssertionError

        while time.monotonic() < until:
            body = {"server": {"name": "mine", "imageRef": IMAGE, "flavorRef": "1"}}
            server = ask("POST", "/servers", body).json()["server"]["id"]
            ask("GET", f"/servers/{server}")
            ask("GET", "/servers")
            ask("PUT", f"/servers/{server}", {"server": {"name": "renamed"}})
            ask("GET", f"/servers/{server}")
            ask("DELETE", f"/servers/{server}")
    waits.sort()
    return Waits(len(waits), waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1])
