"""What a server is, now or as of a moment."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from serverdomain.adapters.cli.answers import document, say_json
from serverdomain.adapters.cli.options import (
    ENDPOINT,
    Endpoint,
    ServerId,
    StoreOptions,
    as_of_moment,
    moment_given,
    say_moment,
)
from serverdomain.adapters.cli.parameters import Commands, option

app = Commands()

Status = Literal["ACTIVE", "BUILD", "ERROR", "REBUILD", "SHUTOFF"]
STATUSES: tuple[str, ...] = get_args(Status)


def status_option(metavar: str, says: str) -> Any:
    """An option for a `Status`, in small letters too."""
    return option(metavar, says, case_sensitive=False)


@app.command()
def show(
    server: ServerId,
    store: StoreOptions,
    as_of: Annotated[
        str | None,
        as_of_moment(
            "version:N, position:N, TIME, recorded:TIME, occurred:TIME, or both of these times."
        ),
    ] = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Print a server as it is now, or as of a moment."""
    at = moment_given(as_of)
    with store.open() as servers:
        found = servers.get(servers.find(server), as_of=at)
    say_moment(as_of, at)
    say_json({"server": document(found, endpoint)})
