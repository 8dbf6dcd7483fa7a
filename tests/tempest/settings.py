"""What Tempest is told: where Keystone is, which images and flavors, and whose accounts to use."""

from __future__ import annotations

import json
from pathlib import Path

from tests.tempest.keystone import ACCOUNTS, PROJECT

IMAGES = ("70a599e0-31e7-49b7-b260-868f441e862b", "155d900f-4e14-4e4c-a73d-069cbf4541e6")

_SETTINGS = """
[DEFAULT]
log_file = {folder}/tempest.log

[oslo_concurrency]
lock_path = {folder}/locks

[auth]
use_dynamic_credentials = false
test_accounts_file = {folder}/accounts.yaml

[identity]
uri_v3 = {keystone}
auth_version = v3

[compute]
image_ref = {images[0]}
image_ref_alt = {images[1]}
flavor_ref = 1
flavor_ref_alt = 2
build_interval = 1
build_timeout = 60

[compute-feature-enabled]
disk_config = true

[service_available]
nova = true
# Tests that ask for a network of their own are skipped without; they use none here.
neutron = true
glance = false
cinder = false
swift = false

[validation]
run_validation = false
"""


def write_settings(folder: Path, keystone: str) -> Path:
    """Write what Tempest reads into a folder; gives the file that it begins with."""
    accounts = [
        {
            "username": account.user,
            "password": account.password,
            "project_name": PROJECT,
            "domain_name": "Default",
            "roles": [account.role],
        }
        for account in ACCOUNTS
    ]
    # JSON is YAML.
    (folder / "accounts.yaml").write_text(json.dumps(accounts), "utf-8")
    settings = folder / "tempest.conf"
    settings.write_text(_SETTINGS.format(folder=folder, keystone=keystone, images=IMAGES), "utf-8")
    return settings
