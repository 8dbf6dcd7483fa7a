"""Which servers there are: as a table, as CSV or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from serverdomain.adapters.cli.answers import complain, document, say_json, visible, written
from serverdomain.adapters.cli.history import require_limit
from serverdomain.adapters.cli.options import (
    ENDPOINT,
    AsJson,
    Endpoint,
    Long,
    Of,
    ViewOptions,
    as_of_moment,
    moment_given,
    say_moment,
)
from serverdomain.adapters.cli.parameters import Commands, flag, option
from serverdomain.adapters.cli.progress_bar import catch_up, progress_bar
from serverdomain.adapters.cli.questions import STATUSES, Status, status_option
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.domain.server import Server

app = Commands()

_COLUMNS: dict[str, Callable[[Server], Any]] = {
    "id": lambda server: server.id,
    "name": lambda server: server.name,
    "status": lambda server: server.status,
    "lock": lambda server: server.locked_by or "-",
    "progress": lambda server: server.progress,
    "image": lambda server: server.image_id,
    "flavor": lambda server: server.flavor_id,
    "project": lambda server: server.project_id,
    "user": lambda server: server.user_id,
    "host": lambda server: server.host_id,
    "metadata": lambda server: written(server.metadata),
    "created": lambda server: server.created_micros,
    "updated": lambda server: server.updated_micros,
    "version": lambda server: server.version,
}
_SHOWN = ("id", "name", "status", "lock", "image", "project", "updated")
_TIMES = ("created", "updated")


@dataclass(frozen=True, kw_only=True)
class ListOptions:
    """How a list is shown."""

    columns: Annotated[
        str | None,
        option(
            "A,B,…",
            f"Show these columns: {', '.join(_COLUMNS)}.",
            *("-o", "--columns"),
            show_default=",".join(_SHOWN),
        ),
    ] = None
    long: Long = False
    as_csv: Annotated[bool, flag("--csv", "Print CSV, for spreadsheets.")] = False
    as_json: AsJson = False
    endpoint: Endpoint = ENDPOINT

    def shown(self) -> Sequence[str]:
        """The columns to show. Raises `InvalidInput` for options that make no sense."""
        if self.as_json and (self.columns is not None or self.as_csv):
            raise InvalidInput("--json", "--columns or --csv came with it, one of them is allowed")
        if self.columns is None:
            return _SHOWN
        return [_column("--columns", one) for one in self.columns.split(",")]

    def say(self, found: Sequence[Server]) -> None:
        """Print a list."""
        if self.as_json:
            say_json({"servers": [document(server, self.endpoint) for server in found]})
        elif self.as_csv:
            _say_csv(self.shown(), found)
        else:
            _say_table(self.shown(), found, self.long)


@app.command("list")
def list_servers(
    *,
    store: ViewOptions,
    status: Annotated[
        Status | None, status_option("|".join(STATUSES), "Only servers in this status.")
    ] = None,
    name: Annotated[str | None, option("TEXT", "Only servers with this in their name.")] = None,
    image: Annotated[str | None, option("ID", "Only those of an image.")] = None,
    of: Of = None,
    as_of: Annotated[
        str | None, as_of_moment("Those that were there at position:N or TIME.")
    ] = None,
    limit: Annotated[int | None, option("N", "The most servers.")] = None,
    sort: Annotated[
        str | None,
        option("COLUMN[:desc]", "In the order of this column.", show_default="newest first"),
    ] = None,
    how: ListOptions,
) -> None:
    """List the servers that are there, newest first."""
    from serverdomain.domain.limits import canonical_uuid

    image_id = None if image is None else canonical_uuid("--image", image)
    require_limit(limit)
    how.shown()
    ordered = None if sort is None else _order(sort)
    asked = {"status": status, "name": name, "image_id": image_id, "project_id": of}
    found = _found(store, as_of, **asked, limit=limit if ordered is None else None)
    if ordered is not None:
        key, downwards = ordered
        found = sorted(found, key=key, reverse=downwards)[:limit]
    how.say(found)
    if not found:
        complain("no server was found")


def _found(store: ViewOptions, as_of: str | None, **asked: Any) -> list[Server]:
    from serverdomain.audit.as_of import require_fleet

    at = moment_given(as_of)
    if at is None:
        with store.open_view() as servers:
            catch_up(servers.view, "view")
            return servers.list(**asked)
    require_fleet(at, "--as-of")
    with (
        store.open() as servers,
        progress_bar("fleet") as progress,
        servers.fleet(as_of=at, progress=progress) as fleet,
    ):
        found = fleet.servers(**asked)
    say_moment(as_of, at)
    return found


def _column(option: str, given: str) -> str:
    name = given.strip().lower()
    if name not in _COLUMNS:
        raise InvalidInput(
            option, f"{visible(given)!r} came, {', '.join(_COLUMNS)} are the columns"
        )
    return name


def _order(sort: str) -> tuple[Callable[[Server], Any], bool]:
    name, colon, direction = sort.partition(":")
    if colon and direction not in ("asc", "desc"):
        raise InvalidInput("--sort", f"{visible(direction)!r} came, asc or desc is allowed")
    return _COLUMNS[_column("--sort", name)], direction == "desc"


def _row(shown: Sequence[str], server: Server) -> list[object]:
    from serverdomain.domain.moment import seconds

    values = ((name, _COLUMNS[name](server)) for name in shown)
    return [seconds(value) if name in _TIMES else value for name, value in values]


def _say_table(shown: Sequence[str], found: Sequence[Server], long: bool) -> None:
    from serverdomain.adapters.cli.tables import say_table

    say_table(shown, (_row(shown, server) for server in found), long=long)


def _say_csv(shown: Sequence[str], found: Sequence[Server]) -> None:
    import csv
    from io import StringIO

    from serverdomain.adapters.cli.answers import say

    page = StringIO()
    rows = csv.writer(page, lineterminator="\n")
    rows.writerow(shown)
    for server in found:
        rows.writerow([_cell(visible(str(value))) for value in _row(shown, server)])
    say(page.getvalue(), end="")


def _cell(text: str) -> str:
    # A spreadsheet would run it, and a server's name is anybody's to choose.
    return f"'{text}" if len(text) > 1 and text[0] in "=+-@" else text
