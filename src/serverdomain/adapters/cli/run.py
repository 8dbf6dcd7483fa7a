"""Every error becomes an exit code and one line on stderr.

::

    0  done, or nothing to change
    1  the log, the clock or a rule says no
    2  the words alone are wrong: usage, a document, a request, the form of a time
    3  a store or view cannot be used, or the answer cannot be printed
    4  a check or the ledger found something, or a proof does not hold

Ctrl-C ends with 130. It prints no line, and neither does a reader who has closed the pipe.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from typer.main import get_command

from serverdomain import errors
from serverdomain.adapters.cli.answers import AnswerLost, NobodyListens, complain
from serverdomain.adapters.cli.only_needed import only_needed

_NO_THREAD = "can't start new thread"
"""What Python says where the system gives it no further one."""


def run(app: typer.Typer, arguments: Sequence[str] | None = None) -> int:
    """Run a command (``arguments``, or those of the process) and return its exit code."""
    with _warnings_as_lines():
        try:
            given = sys.argv[1:] if arguments is None else arguments
            is_completed = "_SERVERDOMAIN_COMPLETE" in os.environ
            command = get_command(app if is_completed else only_needed(app, given))
            # A flag that is not given is None, which typer checks with pydantic: too slow for
            # --help.
            for flag in command.get_params(typer.Context(command, **command.context_settings)):
                flag.default = False
            code = command.main(arguments, prog_name="serverdomain", standalone_mode=False)
        except typer.TyperException as wrong:
            return _failed(wrong.exit_code, _usage(wrong))
        except errors.InvalidInput as wrong:
            return _failed(2, wrong)
        except (errors.Refused, errors.Conflict, errors.NotFound) as no:
            return _failed(1, no)
        except errors.Unproven as unproven:
            return _failed(4, unproven)
        except (errors.StoreError, AnswerLost) as broken:
            return _failed(3, broken)
        except OSError as broken:
            named = f"{broken.filename}: {broken.strerror}" if broken.filename else broken
            return _failed(3, f"the system says no: {named}")
        except RuntimeError as broken:
            if str(broken) != _NO_THREAD:
                raise
            return _failed(3, f"the system says no: {broken}")
        except NobodyListens:
            return 0
        except KeyboardInterrupt:
            return 130
    return code if isinstance(code, int) else 0


def _failed(code: int, why: object) -> int:
    complain(str(why))
    return code


def _usage(wrong: typer.TyperException) -> str:
    context = getattr(wrong, "ctx", None)
    where = "serverdomain" if context is None else context.command_path
    if hasattr(wrong, "possibilities"):
        # An option that is unknown. Those that are like it come with the likest first.
        said = wrong.message
        if wrong.possibilities:
            said += f", the nearest is {wrong.possibilities[0]}"
        elif where == "serverdomain":
            said += ", options follow the name of their command"
    else:
        said = wrong.format_message().replace("Value error, ", "")
    said = " ".join(said.split()).rstrip(".?")
    return f"{said[:1].lower()}{said[1:]}; {where} --help says what is allowed"


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        complain(record.getMessage())


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    log, handler = logging.getLogger("serverdomain"), _Lines(logging.WARNING)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
