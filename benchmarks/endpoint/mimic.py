"""mimic 2.2.0, the fake that clients were tested with before: in an environment of its own.

It was written for Python 2 and pins nothing that was released since, so ``mimic.txt`` says with
which releases it starts. Where the environment cannot be made, its rows are left out, visibly.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import urllib.request
import venv
from pathlib import Path
from typing import Any

from benchmarks.endpoint.load import request
from benchmarks.endpoint.processes import Process
from benchmarks.rival import IMAGES

ENVIRONMENT = Path(__file__).parents[2] / ".venv-mimic"
REQUIREMENTS = Path(__file__).with_name("mimic.txt")


class NoMimic(Exception):
    """It cannot be had here, for the reason that is told."""


def environment(*, make: bool) -> Path:
    """The folder of its programs; ``make`` it where it is not there. Raises `NoMimic`."""
    stamp = ENVIRONMENT / "requirements"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        if not make:
            raise NoMimic("its environment is not there, and a quick run makes none")
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        pip: list[str | Path] = [
            ENVIRONMENT / "bin/python",
            "-m",
            "pip",
            "--quiet",
            "--disable-pip-version-check",
        ]
        done = subprocess.run(
            [*pip, "install", "-r", REQUIREMENTS], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise NoMimic(done.stderr.strip().splitlines()[-1])
        stamp.write_text(wanted)
    return ENVIRONMENT / "bin"


class Mimic:
    """It at work, with a tenant of its own."""

    def __init__(self, folder: Path, *, make: bool) -> None:
        twistd = environment(make=make) / "twistd"
        listen = "tcp:0:interface=127.0.0.1"
        command: list[str | Path] = [
            twistd,
            "--nodaemon",
            "--pidfile=",
            "mimic",
            "--realtime",
            "--listen",
            listen,
        ]
        try:
            self._process = Process(command, folder)
        except (OSError, RuntimeError) as error:
            raise NoMimic(str(error)) from None
        self.port = self._process.port
        who = {"auth": {"passwordCredentials": {"username": "user", "password": "any"}}}
        access = self._post(f"http://127.0.0.1:{self.port}/identity/v2.0/tokens", who)["access"]
        self._token = access["token"]["id"]
        (self._compute,) = (
            service["endpoints"][0]["publicURL"]
            for service in access["serviceCatalog"]
            if service["name"] == "cloudServersOpenStack"
        )

    def create(self) -> str:
        """Make a server; gives its id."""
        server = {"name": "foobar", "imageRef": IMAGES[0], "flavorRef": "1"}
        answered = self._post(f"{self._compute}/servers", {"server": server})
        return str(answered["server"]["id"])

    def request(self, method: str, path: str, body: bytes = b"") -> bytes:
        """A request to its Compute endpoint."""
        root = self._compute.removeprefix(f"http://127.0.0.1:{self.port}")
        return request(method, f"{root}{path}", body, X_Auth_Token=self._token)

    def _post(self, url: str, body: object) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "_token"):
            headers["X-Auth-Token"] = self._token
        asked = urllib.request.Request(url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(asked, timeout=60) as answered:
            document: dict[str, Any] = json.load(answered)
        return document

    def close(self) -> None:
        """End it."""
        self._process.close()
