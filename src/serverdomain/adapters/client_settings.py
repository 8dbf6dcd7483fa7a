"""What points OpenStack's clients at an endpoint: lines for a shell, and a ``clouds.yaml``.

Without a Keystone the endpoint is named itself, and serves every service that is asked for. The
``openstack`` command asks besides that the Identity API be of version 3, which it never calls.
"""

from __future__ import annotations

import json
import shlex
from urllib.parse import quote

CLOUD = "serverdomain"
"""The cloud's name in the ``clouds.yaml``."""

TOKEN = "OS_TOKEN"
"""Where a token is, if one is needed."""


def shell_lines(root: str, *, token: bool = False, project: str | None = None) -> list[str]:
    """Three lines for a shell; with a ``token`` they take it from where the shell has it.

    The path names the ``project``, if one is given.
    """
    # With the plugin `none` the endpoint is every service's; with a token it has to be said.
    auth = f'admin_token {TOKEN}="${TOKEN}"' if token else "none"
    identity = ' OS_IDENTITY_ENDPOINT_OVERRIDE="$OS_ENDPOINT"' if token else ""
    return [
        f"export OS_AUTH_TYPE={auth}",
        f"export OS_ENDPOINT={shlex.quote(_api(root, project))}",
        f"export OS_IDENTITY_API_VERSION=3{identity}",
    ]


def clouds_yaml(root: str, *, token: bool = False, project: str | None = None) -> str:
    """The same as a ``clouds.yaml``, in which a token has to be filled in."""
    api = json.dumps(_api(root, project))
    lines = [
        "clouds:",
        f"  {CLOUD}:",
        f"    auth_type: {'admin_token' if token else 'none'}",
        "    auth:",
        f"      endpoint: {api}",
        *(["      token: fill-in"] if token else []),
        '    identity_api_version: "3"',
        *([f"    identity_endpoint_override: {api}"] if token else []),
    ]
    return "\n".join(lines) + "\n"


def _api(root: str, project: str | None) -> str:
    below = "" if project is None else f"/{quote(project, safe='')}"
    return f"{root.rstrip('/')}/v2.1{below}"
