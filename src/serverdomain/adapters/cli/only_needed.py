"""Of all commands only the one that is asked for is made with its parameters.

Reading the parameters of the others would be a tenth of what ``--help`` costs. They keep their
names and sentences, which help and the search for the nearest name need.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy

import typer
from typer.main import get_command_name


def only_needed(app: typer.Typer, arguments: Sequence[str]) -> typer.Typer:
    """The same commands; those that the arguments do not name have no parameters."""
    word = next((one for one in arguments if not one.startswith("-")), None)
    return _with(app, lambda name: name == word)


def _with(app: typer.Typer, is_needed: Callable[[str], bool]) -> typer.Typer:
    slim = copy(app)
    slim.registered_commands = []
    for command in app.registered_commands:
        callback = command.callback
        assert callback is not None
        if not is_needed(command.name or get_command_name(callback.__name__)):
            command = copy(command)
            command.callback = _bare(callback)
        slim.registered_commands.append(command)
    slim.registered_groups = []
    for group in app.registered_groups:
        inner = group.typer_instance
        assert inner is not None
        if not (isinstance(inner.info.name, str) and is_needed(inner.info.name)):
            group = copy(group)
            group.typer_instance = _with(inner, is_needed)
        slim.registered_groups.append(group)
    return slim


def _bare(command: Callable[..., object]) -> Callable[[], None]:
    def bare() -> None: ...

    bare.__name__, bare.__doc__ = command.__name__, command.__doc__
    return bare
