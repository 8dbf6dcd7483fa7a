"""Groups of commands: a group alone prints its help, and a misspelt word is told the nearest one.

Help says a command's whole sentence, however narrow the terminal is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand, TyperGroup

from serverdomain.adapters.cli.answers import say
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    import typer

_WHOLE = 1_000


class OneCommand(TyperCommand):
    """A command whose sentence is shown whole among others, and whose help ends in an example."""

    def get_short_help_str(self, limit: int = _WHOLE) -> str:
        """Its first sentence."""
        return super().get_short_help_str(_WHOLE)

    def get_help_option(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """The option that asks for help, which is said as other answers are."""
        return _said(super().get_help_option(ctx))

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write the example of this command."""
        _write_example(ctx.command_path.partition(" ")[2], formatter)


class Group(TyperGroup):
    """A group of commands."""

    def get_short_help_str(self, limit: int = _WHOLE) -> str:
        """Its first sentence."""
        return super().get_short_help_str(_WHOLE)

    def get_help_option(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        """The option that asks for help, which is said as other answers are."""
        return _said(super().get_help_option(ctx))

    def format_epilog(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        """Write the example of this group's first command, or of where everybody begins."""
        above = ctx.command_path.partition(" ")[2]
        _write_example(f"{above} {next(iter(self.commands))}" if above else "demo", formatter)

    def parse_args(self, context: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Print help if nothing came, and raise `InvalidInput`."""
        if not args and not context.resilient_parsing:
            say(context.get_help())
            name = context.command_path.partition(" ")[2] or "command"
            raise InvalidInput(name, "nothing came, one of these commands is allowed")
        return super().parse_args(context, args)

    def resolve_command(self, context: typer.Context, args: list[str]) -> Any:  # type: ignore[override]
        """The command that is meant. Raises a usage error that names the nearest one."""
        word = args[0]
        if word not in self.commands and not context.resilient_parsing:
            from difflib import get_close_matches

            # Of the same names, the command of this group counts, and not one of a group in it.
            there = dict(reversed([*_names(self)]))
            near = [name for name in there if word and name.startswith(word)]
            near = near or get_close_matches(word, there, 1)
            nearest = f", the nearest is {context.command_path} {there[near[0]]}" if near else ""
            context.fail(f"no such command {word!r}{nearest}")
        return super().resolve_command(context, args)


def _said(help_option: Any) -> Any:
    if help_option is not None:
        help_option.callback = _say_help
    return help_option


def _say_help(context: typer.Context, _: Any, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        say(context.get_help())
        context.exit()


def _write_example(words: str, formatter: Any) -> None:
    from serverdomain.adapters.cli.examples import EXAMPLES

    if words in EXAMPLES:
        formatter.write(f"\nExample:\n  serverdomain {words} {EXAMPLES[words]}\n")


def _names(group: Group, above: str = "") -> Iterator[tuple[str, str]]:
    for name, command in group.commands.items():
        if not isinstance(command, Group):
            yield name, f"{above}{name}"
    for name, command in group.commands.items():
        if isinstance(command, Group):
            yield name, f"{above}{name}"
            yield from _names(command, f"{above}{name} ")
