"""Commands to paste into a shell in the current folder, on an existing log."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path


def commands(store: Path, server_id: str) -> list[str]:
    """Three commands on a store's file, and on a server in it."""
    where = f"--store {shlex.quote(str(store))}"
    us = _ourselves()
    return [
        f"{us} list {where}",
        f"{us} rename {server_id} barfoo {where} --user fake",
        f"{us} history {server_id} {where}",
    ]


def _ourselves() -> str:
    script = Path(sys.executable).with_name("serverdomain")
    if not script.exists():
        return f"{shlex.quote(sys.executable)} -m serverdomain"
    found = shutil.which("serverdomain")
    if found is not None and Path(found).samefile(script):
        return "serverdomain"
    here = Path.cwd()
    shortest = script.relative_to(here) if script.is_relative_to(here) else script
    return shlex.quote(str(shortest))
