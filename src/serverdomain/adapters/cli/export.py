"""The log in a form that others read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, Literal

from serverdomain.adapters.cli.answers import say, say_bytes, say_json
from serverdomain.adapters.cli.options import AsJson, StoreOptions
from serverdomain.adapters.cli.parameters import Commands, argument, option
from serverdomain.adapters.cli.progress_bar import progress_bar
from serverdomain.errors import InvalidInput

app = Commands()


Form = Literal["log", "cloudevents", "cadf", "ocsf", "parquet"]


@app.command()
def export(
    file: Annotated[str, argument("FILE|-", "The file, or - for stdout; of Parquet, a folder.")],
    store: StoreOptions,
    format: Annotated[Form, option(None, "The form.")] = "log",
    after: Annotated[
        int | None,
        option("POSITION", "Only what lies behind it.", show_default="where FILE ends", min=0),
    ] = None,
    servers: Annotated[
        str | None, option("MOMENT", "With Parquet: the servers as of then, too, or now.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the log out, in lines of JSON that lose nothing or in another form.

    A file that is there is gone on with behind its last whole line.
    """
    store.require_apart(file, "FILE")
    if format == "parquet":
        told = _parquet(store, file, after, servers)
    elif servers is not None:
        raise InvalidInput("--servers", "it came without --format parquet")
    elif file == "-":
        if as_json:
            raise InvalidInput("--json", "it came with -, where the lines are; a FILE is allowed")
        _lines(store, file, format, after)
        return
    else:
        told = _lines(store, file, format, after)
    if as_json:
        say_json({"export": file, "format": format, **told})
    elif format == "parquet":
        say(f"{file} has {told['events']} events of servers, up to position {told['position']}")
    else:
        say(f"{file} has {told['lines']} new lines, up to position {told['position']}")


def _lines(store: StoreOptions, file: str, form: str, after: int | None) -> dict[str, Any]:
    from serverdomain.adapters.exchange import exporting, forms
    from serverdomain.store.opening import open_to_read

    written = forms.named(form)
    with progress_bar("export") as progress, closing(open_to_read(store.url)) as log:
        if file == "-":
            return exporting.export(log, written, say_bytes, after or 0, progress)._asdict()
        made = exporting.export_to_file(log, written, Path(file), after, progress)
    return made._asdict()


def _parquet(
    store: StoreOptions, folder: str, after: int | None, servers: str | None
) -> dict[str, Any]:
    from serverdomain.audit.as_of import AsOf

    if folder == "-" or after is not None:
        wrong = "FILE" if folder == "-" else "--after"
        raise InvalidInput(wrong, "it came with --format parquet, which is a whole new folder")
    if servers not in (None, "now"):
        AsOf.read(servers, "--servers")
    from serverdomain.analysis import write

    with progress_bar("export") as progress:
        return write(store.url, folder, servers=servers, progress=progress)._asdict()
