"""mimic 2.2.0, the fake that clients were tested with before: in an environment of its own."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.endpoint.load import CALLERS, drive, request
from benchmarks.endpoint.processes import Process
from benchmarks.environment import MIMIC
from benchmarks.measure import LeftOut, Round, at_rate
from benchmarks.rival import IMAGES


class Mimic:
    """It at work, with a tenant of its own."""

    def __init__(self, folder: Path) -> None:
        twistd = MIMIC.program("twistd")
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
            raise LeftOut(f"mimic is left out: {error}") from None
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


class MimicGet:
    """mimic, asked for one server, which it has."""

    name = "mimic 2.2.0"

    def __init__(self, times: int, folder: Path) -> None:
        self._mimic = Mimic(folder)
        self._request = self._mimic.request("GET", f"/servers/{self._mimic.create()}")
        self._times = times

    def ask(self, number: int) -> Round:
        """One round by all callers."""
        load = drive(self._mimic.port, [self._request] * self._times, CALLERS)
        if set(load.statuses) != {200}:
            raise RuntimeError(f"{self.name} answered {dict(load.statuses)}")
        return at_rate(load.seconds, load.each)

    def close(self) -> None:
        """End it."""
        self._mimic.close()
