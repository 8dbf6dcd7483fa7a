"""The endpoint waits by real time: a test that freezes the clock does not hold it up."""

from __future__ import annotations

import subprocess
import sys

FROZEN = """
import httpx
from freezegun import freeze_time
from serverdomain import Servers
from serverdomain.adapters.http import compute_app
from serverdomain.adapters.http.serving.server import listen, served

with Servers.open("memory:") as servers, freeze_time("2030-01-01"):
    listener = listen("127.0.0.1", 0)
    with served(compute_app(servers), listener):
        port = listener.getsockname()[1]
        print(httpx.get(f"http://127.0.0.1:{port}/v2.1/servers").status_code)
"""


def test_where_the_time_is_frozen_it_starts_answers_and_ends() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FROZEN], capture_output=True, text=True, check=False, timeout=60
    )

    assert (ran.stdout, ran.stderr) == ("200\n", "")
