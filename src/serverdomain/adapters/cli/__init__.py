"""The ``serverdomain`` command, with a file for each group of commands.

Nothing of the library is imported before a command runs, so that ``--help`` and completion are
quick. If a package is missing, one line names the extra that brings it.
"""

from __future__ import annotations

import sys
from typing import NoReturn

_EXTRAS = {
    **dict.fromkeys(("typer", "rich"), "cli"),
    **dict.fromkeys(("starlette", "uvicorn", "httptools", "anyio"), "http"),
    **dict.fromkeys(("cryptography", "jsonpatch", "plotext"), "audit"),
}


def main() -> NoReturn:
    """Run the command of this process, and exit with the code that `run` returns."""
    try:
        from serverdomain.adapters.cli.app import app
        from serverdomain.adapters.cli.run import run

        code = run(app)
    except ModuleNotFoundError as missing:
        extra = getattr(missing, "extra", None) or _EXTRAS.get(missing.name or "")
        if extra is None:
            raise
        from serverdomain.adapters.cli.answers import complain
        from serverdomain.errors import ExtraMissing

        complain(str(ExtraMissing("the command", missing.name, extra)))
        code = 3
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
