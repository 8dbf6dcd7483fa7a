"""What comes into a log from elsewhere: a group of commands, each in a file of its own."""

from __future__ import annotations

from serverdomain.adapters.cli import import_calls, import_log, import_nova
from serverdomain.adapters.cli.parameters import Commands

app = Commands(name="import", help="A history that is kept elsewhere, taken into the log.")
app.add_typer(import_log.app)
app.add_typer(import_nova.app)
app.add_typer(import_calls.app)
