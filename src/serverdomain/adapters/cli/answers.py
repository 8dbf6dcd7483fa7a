"""What is printed: JSON and words on stdout, a line on stderr where something is wrong.

Off a terminal nothing is cut, wrapped or coloured; and wherever it goes, no text that somebody gave
a server can make a terminal do anything.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from io import StringIO
from shutil import get_terminal_size
from textwrap import indent
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from serverdomain.domain.server import Server

_NO_END = 1_000_000
_WIDEST_COLUMN = 60

Line = tuple[str, str]
"""A line of text, and its style as `rich` calls it."""


class AnswerLost(Exception):
    """The answer could not be printed; ``request_id`` is the one of the command that happened."""

    def __init__(self, why: str, request_id: str | None) -> None:
        lost = f"the answer cannot be printed: {why}"
        if request_id is not None:
            lost += (
                f"; the command happened, the same with --request-id {request_id} tells it again"
            )
        super().__init__(lost)


class NobodyListens(Exception):
    """The reader of stdout has closed the pipe: nothing more is wanted, and nothing is wrong."""


def complain(message: str) -> None:
    """Say on stderr, in one line, what is wrong."""
    # Where stderr takes nothing either, the exit code has to say it alone.
    with suppress(OSError):
        print(f"serverdomain: {visible(message)}", file=sys.stderr, flush=True)


def say(text: str, request_id: str | None = None, end: str = "\n") -> None:
    """Print text, and what is to ``end`` it.

    ``request_id`` names the command whose answer it is.
    """
    if sys.stdout is None:
        raise AnswerLost("stdout is closed", request_id)
    try:
        try:
            print(text, end=end, flush=True)
        except UnicodeEncodeError as narrow:
            encoded = text.encode(narrow.encoding, "backslashreplace")
            print(encoded.decode(narrow.encoding), end=end, flush=True)
    except BrokenPipeError:
        raise NobodyListens from None
    except OSError as error:
        raise AnswerLost(error.strerror or str(error), request_id) from None


def say_bytes(content: bytes) -> None:
    """Print a file's content, byte by byte as it is, whatever the terminal's encoding."""
    if sys.stdout is None:
        raise AnswerLost("stdout is closed", None)
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise NobodyListens from None
    except OSError as error:
        raise AnswerLost(error.strerror or str(error), None) from None


def say_json(value: object, request_id: str | None = None) -> None:
    """Print a value as JSON; what would not show, or stdout cannot write, is escaped."""
    say(_json(value), request_id)


def say_json_array(values: Iterable[object]) -> None:
    """Print values as a JSON array, each as soon as it is there."""
    printed = False
    for value in values:
        say(f"{',' if printed else '['}\n{indent(_json(value), '  ')}", end="")
        printed = True
    say("\n]" if printed else "[]")


def document(server: Server, endpoint: str, admin_pass: str | None = None) -> dict[str, Any]:
    """A server as `/v2` shows it, with the links that its own project has."""
    from serverdomain.adapters.compute_json import render

    return render(server, endpoint=endpoint, project=server.project_id, admin_pass=admin_pass)


def say_table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Print a table as wide as it is; for a terminal only what is very long is folded.

    A row that is longer than a line goes on in the next one: an id in pieces, each in a column of
    its own, could be neither copied nor looked for.
    """
    from rich.table import Table

    page = StringIO()
    on_terminal = is_terminal(sys.stdout)
    table = Table(box=None, pad_edge=False)
    for column in columns:
        widest = _WIDEST_COLUMN if on_terminal else None
        table.add_column(column, overflow="fold", max_width=widest)
    for row in rows:
        table.add_row(*map(visible, row))
    drawing = console(page, on_terminal)
    drawing.width = _NO_END
    drawing.print(table)
    say("\n".join(line.rstrip() for line in page.getvalue().splitlines()))


def width() -> int:
    """Columns that there are for a line."""
    return get_terminal_size().columns if is_terminal(sys.stdout) else _NO_END


def say_lines(lines: Iterable[Line]) -> None:
    """Print lines, in their colours on a terminal; nothing is cut or wrapped."""
    from rich.text import Text

    page = StringIO()
    text = Text("\n").join(Text(line, style) for line, style in lines)
    console(page, is_terminal(sys.stdout)).print(text, soft_wrap=True)
    say(page.getvalue().removesuffix("\n"))


def visible(text: str) -> str:
    """Text with what would not show, or would make a terminal obey, written out."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _json(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    if not encoding.lower().startswith("utf"):
        return json.dumps(value, indent=2)
    if not text.isascii():
        text = "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    return text


def console(file: TextIO, on_terminal: bool) -> Console:
    """What draws for a terminal or, plainly, for a file."""
    from rich.console import Console

    return Console(
        file=file,
        force_terminal=on_terminal,
        width=None if on_terminal else _NO_END,
        markup=False,
        emoji=False,
        highlight=False,
    )


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at a stream."""
    return stream is not None and stream.isatty()
