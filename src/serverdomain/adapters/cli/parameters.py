"""Commands, and what they take: arguments, options, and options that go together.

A class of options is one parameter of a command, and many options.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import typer

from serverdomain.adapters.cli.groups import Group, OneCommand


def argument(metavar: str, says: str, **more: Any) -> Any:
    """An argument; ``metavar`` is how it is shown."""
    return typer.Argument(metavar=metavar, help=says, **more)


def option(metavar: str | None, says: str, *names: str, **more: Any) -> Any:
    """An option with a value, shown as ``metavar``; it has its parameter's name or these."""
    return typer.Option(*names, metavar=metavar, help=says, **more)


def flag(name: str, says: str, **more: Any) -> Any:
    """An option without a value."""
    return typer.Option(name, help=says, **more)


class Commands(typer.Typer):
    """Commands whose parameters that are classes of options are given as those options."""

    def __init__(self, **more: Any) -> None:
        super().__init__(cls=Group, **more)

    def command(self, name: str | None = None, **more: Any) -> Callable[..., Any]:
        """Add a command, as its function says or as typer's options say."""
        add = super().command(name, cls=OneCommand, **more)
        return lambda command: add(_with_options(command))


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    groups: dict[str, Any] = {}
    expanded: list[Parameter] = []
    for parameter in signature(command, eval_str=True).parameters.values():
        if not is_dataclass(parameter.annotation):
            expanded.append(parameter.replace(kind=Parameter.KEYWORD_ONLY))
            continue
        group: Any = parameter.annotation
        groups[parameter.name] = group
        taken = signature(group, eval_str=True).parameters
        for one in fields(group):
            made = one.default_factory
            default = taken[one.name].default if made is MISSING else made()
            expanded.append(taken[one.name].replace(default=default))

    @wraps(command)
    def take(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{one.name: given.pop(one.name) for one in fields(group)})
        command(**given)

    take.__dict__["__signature__"] = Signature(expanded)
    # As they are, not as text that typer would compile anew each time it looks.
    take.__annotations__ = {one.name: one.annotation for one in expanded}
    return take
