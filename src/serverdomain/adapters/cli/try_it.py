"""Commands to paste into a shell in the current folder, on an existing log."""

from __future__ import annotations

import shlex
import shutil
import sys
from contextlib import suppress
from pathlib import Path


def commands(store: Path, server_id: str) -> list[str]:
    """Commands on a store's file, which they name once, and on a server in it."""
    us = _ourselves()
    return [
        f"export SERVERDOMAIN_STORE={shlex.quote(str(store))}",
        f"{us} list",
        f"{us} rename {server_id} barfoo --user fake",
        f"{us} history {server_id}",
    ]


def _ourselves() -> str:
    script = Path(sys.executable).with_name("serverdomain")
    if not script.exists():
        return f"{shlex.quote(sys.executable)} -m serverdomain"
    found = shutil.which("serverdomain")
    if found is not None and Path(found).samefile(script):
        return "serverdomain"
    with suppress(FileNotFoundError, ValueError):
        script = script.relative_to(Path.cwd())
    return shlex.quote(str(script))
