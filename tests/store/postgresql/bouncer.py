"""PgBouncer in transaction mode before a server: its sessions change hands between transactions.

It is Debian's, where that is installed, or the program that ``$TEST_PGBOUNCER`` names.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serverdomain.store.postgresql.address import Address
from tests.store.postgresql import keeper

SETTING = "TEST_PGBOUNCER"
SECONDS = 20
SESSIONS = 2
"""Sessions at the server: fewer than those who use them, so that they change hands."""


def program() -> str | None:
    """PgBouncer; ``None`` where there is none."""
    return os.environ.get(SETTING) or shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/bin")


@contextmanager
def pooled(found: str, url: str, folder: Path) -> Iterator[str]:
    """The URL that leads through it to the same schema."""
    address = Address(url)
    given = address.parameters()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"""
[databases]
* = host={given["host"]} port={given.get("port", 5432)} user={given["user"]}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {SESSIONS}
max_client_conn = 200
ignore_startup_parameters = extra_float_digits
""",
        "utf-8",
    )
    folder.chmod(0o755)
    running = subprocess.Popen(
        [found, "-q", settings], **keeper.nobody(), cwd="/", stderr=subprocess.DEVNULL
    )
    try:
        _await(port, running)
        yield (
            f"postgresql://{given['user']}@127.0.0.1:{port}/{given['dbname']}"
            f"?schema={address.schema}&sslmode=disable&gssencmode=disable"
        )
    finally:
        running.terminate()
        running.wait()


def _await(port: int, running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while running.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError("PgBouncer did not start")
