"""An SVG of what a command leaves on a dark screen, with no font or file of anybody's."""

from __future__ import annotations

import io
import re

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

# Every colour is read on this ground: 4.5 to 1 or more.
DARK = TerminalTheme(
    (22, 25, 30),
    (216, 219, 224),
    [
        (22, 25, 30),
        (255, 123, 114),
        (126, 211, 133),
        (230, 192, 94),
        (121, 184, 255),
        (214, 156, 255),
        (94, 205, 216),
        (216, 219, 224),
    ],
    [
        (139, 148, 158),
        (255, 161, 152),
        (160, 230, 165),
        (245, 214, 130),
        (165, 208, 255),
        (230, 190, 255),
        (140, 225, 233),
        (255, 255, 255),
    ],
)

LIGHT = TerminalTheme(
    (246, 248, 250),
    (31, 35, 40),
    [
        (31, 35, 40),
        (190, 25, 38),
        (17, 99, 41),
        (125, 78, 0),
        (9, 95, 200),
        (118, 66, 210),
        (20, 105, 115),
        (80, 88, 98),
    ],
    [
        (80, 88, 98),
        (160, 14, 38),
        (22, 115, 48),
        (99, 60, 1),
        (9, 80, 175),
        (102, 52, 190),
        (15, 92, 102),
        (31, 35, 40),
    ],
)

_FORMAT = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
    <style>
    .{unique_id}-matrix {{
        font-family: monospace;
        font-size: {char_height}px;
        line-height: {line_height}px;
    }}
    .{unique_id}-title {{
        font-size: 18px;
        font-weight: bold;
        font-family: sans-serif;
    }}
    {styles}
    </style>
    <defs>
    {lines}
    </defs>
    {chrome}
    <g transform="translate({terminal_x}, {terminal_y})">
    {backgrounds}
    <g class="{unique_id}-matrix">
    {matrix}
    </g>
    </g>
</svg>
"""


def drawn(line: str, printed: str, columns: int, theme: TerminalTheme = DARK) -> str:
    """The picture of a command line and what it printed."""
    console = Console(
        file=io.StringIO(),
        record=True,
        width=columns,
        force_terminal=True,
        color_system="truecolor",
        markup=False,
        highlight=False,
        emoji=False,
        _environ={},
    )
    text = Text.assemble((f"$ {line}\n", "bold"), Text.from_ansi(printed))
    # What is dim would be half as bright, and not be read.
    text.spans = [span._replace(style=_undimmed(span.style)) for span in text.spans]
    for whole in text.split("\n"):
        # As a terminal breaks what is longer than its line: anywhere.
        for start in range(0, max(len(whole), 1), columns):
            console.print(whole[start : start + columns], no_wrap=True, crop=True)
    svg = console.export_svg(title="", theme=theme, code_format=_FORMAT, unique_id="t")
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def _undimmed(style: str | Style) -> str | Style:
    if isinstance(style, Style) and style.dim:
        return style + Style(dim=False, color="bright_black")
    return style
