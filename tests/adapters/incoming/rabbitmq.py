"""A RabbitMQ of the tests' own, on loopback, where Debian's `rabbitmq-server` is installed.

Its ports, its files and its port mapper are its own, so that it meets no other that runs here.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # Debian's wrapper has files of its own alone.
SECONDS = 60
USER = "guest"


def is_installed() -> bool:
    """Whether there is one to be started."""
    return os.access(PROGRAM, os.X_OK) and shutil.which("epmd") is not None


class Broker:
    """A broker that is started, stopped and started again, and keeps its queues meanwhile."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port, distribution, mapper = _free_ports(3)
        (folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n", "utf-8")
        # The name of the node is also the port mapper's, which is a process of its own.
        self._mapper = {"ERL_EPMD_PORT": str(mapper), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        self._environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            **self._mapper,
            "HOME": str(folder),
            "RABBITMQ_NODENAME": "tests@localhost",
            "RABBITMQ_DIST_PORT": str(distribution),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_ALLOW_INPUT": "1",  # No shell stands between us and it.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none"
            ),
        }
        self._running: subprocess.Popen[bytes] | None = None

    def url(self, password: str = USER) -> str:
        """Where it is to be found."""
        return f"amqp://{USER}:{password}@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Start it, and wait until somebody may connect."""
        with (self._folder / "out").open("ab") as out:
            self._running = subprocess.Popen(
                [PROGRAM],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if self._running.poll() is not None:
                break
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self._folder / "out").read_text("utf-8")[-2_000:])

    def stop(self, how: int = signal.SIGTERM) -> None:
        """End it, as its host does that is shut down, or at once."""
        if self._running is not None:
            self._running.send_signal(how)
            self._running.wait(SECONDS)
            self._running = None

    def close(self) -> None:
        """Leave nothing behind."""
        self.stop(signal.SIGKILL)
        environment = {**os.environ, **self._mapper}
        subprocess.run(["epmd", "-kill"], env=environment, capture_output=True, check=False)


def _free_ports(number: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports
