"""The schemas by which Nova 34 itself checks its answers, and which of them each route's is."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import venv
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from filelock import FileLock
from jsonschema import Draft202012Validator, FormatChecker

from tests.house.imports import ROOT

ENVIRONMENT = ROOT / ".venv-schemas"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
EXTRACT = Path(__file__).with_name("extract.py")

SCHEMAS = {
    "versions.list": "versions.index_response",
    "versions.v2": "versions.show_response",
    "versions.v2.1": "versions.show_response",
    "servers.list": "servers.index_response",
    "servers.create": "servers.create_response",
    "servers.detail": "servers.detail_response",
    "servers.show": "servers.show_response",
    "servers.rename": "servers.update_response",
    "servers.delete": "servers.delete_response",
    "servers.rebuild": "servers.rebuild_response",
    "servers.lock": "lock_server.lock_response",
    "servers.unlock": "lock_server.unlock_response",
    "servers.stop": "servers.stop_server_response",
    "servers.start": "servers.start_server_response",
    "servers.reset_state": "admin_actions.reset_state_response",
    "metadata.show": "server_metadata.index_response",
    "metadata.merge": "server_metadata.create_response",
    "metadata.replace": "server_metadata.update_all_response",
    "metadata.show_item": "server_metadata.show_response",
    "metadata.set_item": "server_metadata.update_response",
    "metadata.delete_item": "server_metadata.delete_response",
    "instance_actions.list": "instance_actions.index_response",
    "instance_actions.show": "instance_actions.show_response",
    "images.list": "images.index_response",
    "images.detail": "images.detail_response",
    "images.show": "images.show_response",
    "flavors.list": "flavors.index_response",
    "flavors.detail": "flavors.detail_response",
    "flavors.show": "flavors.show_response",
}
"""Of each route that answers with anything good: the module and the name of its schema at 2.1."""

EXEMPT = {"images.list": "status"}
"""The one member that an answer has and its schema has not.

openstacksdk takes Nova's list of images for Glance's, where each image has one.
"""


class NoSchemas(Exception):
    """The environment with Nova's schemas cannot be made; it says why."""


def environment() -> Path:
    """The interpreter that has Nova's code, made where it is missing. Raises `NoSchemas`."""
    python, stamp = ENVIRONMENT / "bin/python", ENVIRONMENT / "requirements"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    with FileLock(ROOT / ".venv-schemas.lock"):
        if stamp.exists() and stamp.read_text() == wanted:
            return python
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # Of all that Nova is made of, its schemas need nothing.
        done = subprocess.run(
            [*install, "--no-deps", "-r", REQUIREMENTS], check=False, capture_output=True, text=True
        )
        if done.returncode:
            raise NoSchemas(f"Nova cannot be installed: {done.stderr.strip().splitlines()[-1]}")
        stamp.write_text(wanted)
    return python


@cache
def schemas() -> dict[str, Any]:
    """Nova's schemas, by their names. Raises `NoSchemas`."""
    names = sorted(set(SCHEMAS.values()))
    run = subprocess.run(
        [environment(), "-I", EXTRACT, *names], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def wrong(route: str, body: Any) -> list[str]:
    """What Nova's own schema finds wrong with the answer of a route."""
    schema = schemas()[SCHEMAS[route]]
    found = Draft202012Validator(schema, format_checker=FORMATS).iter_errors(body)
    return [f"{error.json_path}: {error.message}" for error in found]


FORMATS = FormatChecker(formats=("ipv4", "ipv6"))
"""Nova's formats, as strict as its own code is."""


@FORMATS.checks("date-time", ValueError)
def _is_time(value: object) -> bool:
    # Nova writes some times without a zone, and its schemas let them pass.
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@FORMATS.checks("uuid", ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or all(urlsplit(value)[:2])


@FORMATS.checks("mac-address")
def _is_mac(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch("([0-9a-f]{2}:){5}[0-9a-f]{2}", value))
