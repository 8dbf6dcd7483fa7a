"""What points OpenStack's clients at an endpoint: lines for a shell, and a ``clouds.yaml``.

Without a Keystone the endpoint is named itself, and serves every service that is asked for. The
``openstack`` command asks besides that the Identity API be of version 3, which it never calls.
"""

from __future__ import annotations

import json
import shlex

CLOUD = "serverdomain"
"""The cloud's name in the ``clouds.yaml``."""

TOKEN = "OS_TOKEN"
"""Where a token is, if one is needed."""


def shell_lines(root: str, *, token: bool = False) -> list[str]:
    """Three lines for a shell; with a ``token`` they take it from where the shell has it."""
    auth = f'admin_token {TOKEN}="${TOKEN}"' if token else "none"
    return [
        f"export OS_AUTH_TYPE={auth}",
        f"export OS_ENDPOINT={shlex.quote(_api(root))}",
        "export OS_IDENTITY_API_VERSION=3",
    ]


def clouds_yaml(root: str, *, token: bool = False) -> str:
    """The same as a ``clouds.yaml``, in which a token has to be filled in."""
    lines = [
        "clouds:",
        f"  {CLOUD}:",
        f"    auth_type: {'admin_token' if token else 'none'}",
        "    auth:",
        f"      endpoint: {json.dumps(_api(root))}",
        *(["      token: fill-in"] if token else []),
        '    identity_api_version: "3"',
    ]
    return "\n".join(lines) + "\n"


def _api(root: str) -> str:
    return f"{root.rstrip('/')}/v2.1"
