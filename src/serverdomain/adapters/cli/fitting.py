"""Lines of text that fit a terminal, counted in its columns: some characters take two of them."""

from __future__ import annotations


def columns_of(text: str) -> int:
    """How many columns of a terminal a line of text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def wrapped(text: str, columns: int) -> list[str]:
    """Text in lines of at most so many columns, broken between words where it can be."""
    from rich.console import Console
    from rich.text import Text

    lines = Text(text).wrap(Console(width=columns), columns, overflow="fold")
    return [line.plain.rstrip() for line in lines]


def broken(line: str, columns: int) -> list[str]:
    """A line as one or more that fit, those after the first further in than it."""
    if columns_of(line) <= columns:
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    first, *more = wrapped(line.strip(), max(columns - len(indent) - 4, 20))
    return [f"{indent}{first}", *(f"{indent}    {part}" for part in more)]
