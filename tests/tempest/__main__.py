"""``make tempest``: Tempest's own tests of the rebuild, against the endpoint.

Tempest pins much that this project does not, so it lives in an environment of its own, which is
made when it is not there or when its requirements have changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tests.clients.endpoint import served
from tests.house.imports import ROOT
from tests.tempest import keystone
from tests.tempest.settings import write_settings

ENVIRONMENT = ROOT / ".venv-tempest"
REQUIREMENTS = ROOT / "tests/tempest/requirements.txt"
SERVERS = "tempest.api.compute.servers"
TESTS = [
    f"{SERVERS}.{test}"
    for test in (
        "test_server_actions.ServerActionsTestJSON.test_rebuild_server",
        "test_server_actions.ServerActionsTestJSON.test_stop_start_server",
        "test_server_actions.ServerActionsTestJSON.test_lock_unlock_server",
        "test_server_actions.ServerActionsTestOtherA.test_rebuild_server_in_stop_state",
        "test_servers_negative.ServersNegativeTestJSON.test_rebuild_deleted_server",
        "test_servers_negative.ServersNegativeTestJSON.test_rebuild_non_existent_server",
        "test_disk_config.ServerDiskConfigTestJSON.test_rebuild_server_with_manual_disk_config",
        "test_disk_config.ServerDiskConfigTestJSON.test_rebuild_server_with_auto_disk_config",
        "test_disk_config.ServerDiskConfigTestJSON.test_update_server_from_auto_to_manual",
        "test_instance_actions.InstanceActionsTestJSON.test_get_instance_action",
        "test_instance_actions_negative.InstanceActionsNegativeTestJSON"
        ".test_list_instance_actions_non_existent_server",
        "test_instance_actions_negative.InstanceActionsNegativeTestJSON"
        ".test_get_instance_action_invalid_request",
    )
]


def environment() -> Path:
    """The interpreter that has Tempest."""
    python = ENVIRONMENT / "bin" / "python"
    stamp = ENVIRONMENT / "requirements"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Making {ENVIRONMENT.name} for Tempest", flush=True)
        venv.create(ENVIRONMENT, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", REQUIREMENTS], check=True)
        stamp.write_text(wanted)
    return python


def main() -> int:
    python = environment()
    with tempfile.TemporaryDirectory(prefix="serverdomain-") as name:
        folder = Path(name)
        tokens = folder / "tokens.json"
        tokens.write_text(json.dumps(keystone.tokens()), "utf-8")
        tokens.chmod(0o600)
        options = ["--auth", "token-file", "--token-file", str(tokens), "--rebuild-seconds", "0.5"]
        with (
            served(*options, log=folder / "endpoint.log") as endpoint,
            keystone.running(f"{endpoint.url}/v2.1/{keystone.PROJECT}") as identity,
        ):
            settings = write_settings(folder, identity)
            told = {
                "TEMPEST_CONFIG": settings.name,
                "TEMPEST_CONFIG_DIR": str(folder),
            }
            runner = ROOT / "tests/tempest/runner.py"
            done = subprocess.run([python, runner, *TESTS], env=os.environ | told, check=False)
        if done.returncode:
            print((folder / "endpoint.log").read_text("utf-8")[-20_000:])
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
