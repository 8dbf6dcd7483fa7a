"""The log in a form that others read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Literal

from serverdomain.adapters.cli.answers import say, say_bytes, say_json
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument, option
from serverdomain.adapters.cli.progress_bar import progress_bar
from serverdomain.errors import InvalidInput

app = Commands()


Form = Literal["log"]


@app.command()
def export(
    file: Annotated[str, argument("FILE|-", "The file, or - for stdout.")],
    store: StoreOptions,
    format: Annotated[Form, option(None, "The form.")] = "log",
    after: Annotated[
        int | None,
        option("POSITION", "Only what lies behind it.", show_default="where FILE ends", min=0),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the log out, in lines of JSON that lose nothing or in another form.

    A file that is there is gone on with behind its last whole line.
    """
    from serverdomain.adapters.exchange import exporting, forms
    from serverdomain.store.opening import open_to_read

    if file == "-" and as_json:
        raise InvalidInput("--json", "it came with -, where the lines are; a FILE is allowed")
    form = forms.named(format)
    with progress_bar("export") as progress, closing(open_to_read(store.url)) as log:
        if file == "-":
            exporting.export(log, form, say_bytes, after or 0, progress)
            return
        made = exporting.export_to_file(log, form, Path(file), after, progress)
    if as_json:
        say_json({"export": file, "format": format, **made._asdict()})
    else:
        say(f"{file} has {made.lines} new lines, up to position {made.position}")
