"""Options that belong together: one parameter of a function, many options of its command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, get_type_hints

import typer


def command(
    app: typer.Typer, name: str | None = None, says: str | None = None
) -> Callable[[Callable[..., None]], object]:
    """Add a function to an app as a command; of a dataclass of options, each is one of its own."""
    return lambda function: app.command(name, help=says)(_expanded(function))


def _expanded(command: Callable[..., None]) -> Callable[..., None]:
    groups: dict[str, Any] = {}
    expanded: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if not is_dataclass(parameter.annotation):
            expanded.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[parameter.name] = parameter.annotation
        hints = get_type_hints(parameter.annotation, include_extras=True)
        for option in fields(parameter.annotation):
            default = option.default
            if option.default_factory is not MISSING:
                default = option.default_factory()
            expanded.append(
                inspect.Parameter(
                    option.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if default is MISSING else default,
                    annotation=hints[option.name],
                )
            )

    @wraps(command)
    def take(**given: Any) -> None:
        for name, group in groups.items():
            members = {option.name: given.pop(option.name) for option in fields(group)}
            given[name] = group(**members)
        command(**given)

    take.__dict__["__signature__"] = inspect.Signature(expanded)
    return take
