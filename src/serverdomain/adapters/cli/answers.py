"""What is printed: JSON and text on stdout, and a line on stderr for an error or a warning.

Off a terminal nothing is cut, wrapped or coloured. Wherever it goes, no text that somebody gave a
server can control a terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from shutil import get_terminal_size
from textwrap import indent
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from serverdomain.domain.server import Server

_NO_END = 1_000_000

Line = tuple[str, str]
"""A line of text, and its style in `rich`."""


class AnswerLost(Exception):
    """The answer could not be printed; ``request_id`` is that of a command that happened."""

    def __init__(self, why: str, request_id: str | None) -> None:
        lost = f"the answer cannot be printed: {why}"
        if request_id is not None:
            lost += (
                f"; the command happened, repeat it with --request-id {request_id} for the answer"
            )
        super().__init__(lost)


class NobodyListens(Exception):
    """The reader of stdout has closed the pipe, which is no error."""


def complain(message: str) -> None:
    """Print a line on stderr that says what is wrong."""
    # If stderr cannot be written either, the exit code says it alone. Where it is closed, print
    # would take stdout.
    if sys.stderr is None:
        return
    with suppress(OSError):
        print(f"serverdomain: {visible(message)}", file=sys.stderr, flush=True)


def say(text: str, request_id: str | None = None, end: str = "\n") -> None:
    """Print text, and then ``end``.

    ``request_id`` is that of the command whose answer it is. Raises `AnswerLost`, `NobodyListens`.
    """
    with _stdout(request_id):
        try:
            print(text, end=end, flush=True)
        except UnicodeEncodeError as narrow:
            encoded = text.encode(narrow.encoding, "backslashreplace")
            print(encoded.decode(narrow.encoding), end=end, flush=True)


def say_bytes(content: bytes) -> None:
    """Print bytes as they are, whatever the terminal's encoding."""
    with _stdout() as stdout:
        stdout.flush()
        stdout.buffer.write(content)
        stdout.buffer.flush()


@contextmanager
def _stdout(request_id: str | None = None) -> Iterator[TextIO]:
    if sys.stdout is None:
        raise AnswerLost("stdout is closed", request_id)
    try:
        yield sys.stdout
    except BrokenPipeError:
        raise NobodyListens from None
    except OSError as error:
        raise AnswerLost(error.strerror or str(error), request_id) from None


def say_json(value: object, request_id: str | None = None) -> None:
    """Print a value as JSON; characters that do not show, or cannot be written, are escaped."""
    say(_json(value), request_id)


def say_json_array(values: Iterable[object]) -> None:
    """Print values as a JSON array, one by one as they come."""
    printed = False
    for value in values:
        say(f"{',' if printed else '['}\n{indent(_json(value), '  ')}", end="")
        printed = True
    say("\n]" if printed else "[]")


def document(server: Server, endpoint: str, admin_pass: str | None = None) -> dict[str, Any]:
    """A server as `/v2` shows it, with the links of its own project."""
    from serverdomain.adapters.compute_json import render

    return render(server, endpoint=endpoint, project=server.project_id, admin_pass=admin_pass)


def written(value: object) -> str:
    """A value as JSON on one line, with its control characters written out."""
    return visible(json.dumps(value, ensure_ascii=False))


def width() -> int:
    """The columns that a line has room for: as many as you like off a terminal."""
    return get_terminal_size().columns if is_terminal(sys.stdout) else _NO_END


def say_lines(lines: Iterable[Line]) -> None:
    """Print lines, coloured on a terminal, where what is too long goes on below, further in."""
    if not is_terminal(sys.stdout):
        say("\n".join(line for line, _ in lines))
        return
    from rich.text import Text

    from serverdomain.adapters.cli.fitting import broken

    page, room = StringIO(), width()
    parts = ((part, style) for line, style in lines for part in broken(line, room))
    text = Text("\n").join(Text(part, style) for part, style in parts)
    console(page, True).print(text, soft_wrap=True)
    say(page.getvalue().removesuffix("\n"))


def say_sentence(text: str) -> None:
    """Print a sentence; one that is longer than a terminal's line is wrapped between words."""
    from textwrap import fill

    say(fill(text, width(), break_long_words=False, break_on_hyphens=False))


def say_coloured(text: str) -> None:
    """Print text with the colours that its ANSI sequences set, where they can be seen."""
    from rich.text import Text

    page = StringIO()
    console(page, is_terminal(sys.stdout)).print(Text.from_ansi(text), soft_wrap=True)
    say("\n".join(line.rstrip() for line in page.getvalue().splitlines()))


def shows_colours() -> bool:
    """Whether stdout is a terminal that is to show colours."""
    drawing = console(sys.stdout, is_terminal(sys.stdout))
    return drawing.color_system is not None and not drawing.no_color


def visible(text: str) -> str:
    """Text with its unprintable and control characters written out."""
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
    """A `rich` console for a terminal, or for a plain file."""
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
    """Whether a stream is a terminal."""
    return stream is not None and stream.isatty()
