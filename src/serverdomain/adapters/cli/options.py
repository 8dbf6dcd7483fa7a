"""The options that commands share: where the log is, who asks, when, and on what condition.

An option of these also has an environment variable, ``SERVERDOMAIN_`` and its name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from serverdomain.adapters.cli import completion
from serverdomain.adapters.cli.answers import complain, document, say_json
from serverdomain.adapters.cli.parameters import argument, flag, option
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.audit.as_of import AsOf
    from serverdomain.domain.commands import Command
    from serverdomain.servers import Accepted, Servers
    from serverdomain.store.context import Context


def shared(name: str, metavar: str | None, says: str, **more: Any) -> Any:
    """An option that may also be given as an environment variable."""
    variable = f"SERVERDOMAIN_{name.upper().replace('-', '_')}"
    return option(metavar, says, f"--{name}", envvar=variable, **more)


def checked_endpoint(given: str) -> str:
    """The root of an endpoint. Raises `typer.BadParameter` if it cannot be one."""
    try:
        parts = urlsplit(given)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or not given.isprintable() or " " in given:
        raise typer.BadParameter(f"{given!a} came, a root such as http://127.0.0.1:8774 is allowed")
    return given


EVENT: dict[str, Any] = {"autocompletion": completion.events}
"""What an option needs that names an event."""

PROVEN: dict[str, Any] = {"autocompletion": completion.proven}
"""What an argument needs that says what is proven."""

SERVER: dict[str, Any] = {"autocompletion": completion.servers}
"""What an argument needs that names a server: the shell completes it."""

server_argument: Any = argument(
    "SERVER", "The server's id, the beginning of it, or its name.", **SERVER
)

ServerId = Annotated[str, server_argument]

By = Annotated[str | None, option("USER", "Only what this user asked for.", "--by", "--actor")]

Of = Annotated[str | None, option("PROJECT", "Only servers of this project.", "--of")]

Long = Annotated[bool, flag("--long", "Shorten nothing, not even ids, on a narrow terminal.")]

AsJson = Annotated[bool, flag("--json", "Print JSON, for scripts.")]

Endpoint = Annotated[
    str, shared("endpoint", "URL", "The root of links.", callback=checked_endpoint)
]

ENDPOINT = "http://127.0.0.1:8774"
"""The `Endpoint` if none is given."""


_PARTS = ("", "-wal", "-shm", "-journal")

ReadOnly = Annotated[bool, shared("read-only", None, "Change no byte of the log, nor beside it.")]


@dataclass(frozen=True, kw_only=True)
class StoreOptions:
    """Where the log is."""

    url: Annotated[str, shared("store", "PATH|URL", "The log: cloud.db, or sqlite:///cloud.db.")]
    read_only: ReadOnly = False

    def open(self, *, view: str | None = None) -> Servers:
        """Open the store for questions: not a byte of the log changes.

        A view that only finds a server by its name is the one that the variable names.
        """
        from serverdomain.servers import Servers
        from serverdomain.store.opening import open_to_read

        view = view or os.environ.get("SERVERDOMAIN_VIEW") or None
        return Servers(open_to_read(self.url, beside=not self.read_only), view=view)

    def open_to_write(self, *, create: bool = False) -> Servers:
        """Open the store for commands; if there is none, make it if ``create`` says so."""
        from serverdomain.servers import Servers

        view = os.environ.get("SERVERDOMAIN_VIEW") or None
        return Servers.open(self.url, create=create, read_only=self.read_only, view=view)

    def require_apart(self, file: str, field: str) -> None:
        """Raise `InvalidInput` for a file of the store itself, also one that is not there yet."""
        from serverdomain.store.opening import file_of

        log = file_of(self.url)
        if log is not None and os.path.realpath(file) in {f"{log}{part}" for part in _PARTS}:
            raise InvalidInput(field, f"{file!a} is a file of the store, another is allowed")


@dataclass(frozen=True, kw_only=True)
class ViewOptions(StoreOptions):
    """Where the log is, and where its view is."""

    view: Annotated[
        str | None,
        shared("view", "FILE", "The view's file.", show_default="beside the log, as cloud.view.db"),
    ] = None

    def open_view(self) -> Servers:
        """Open the store with this view."""
        return self.open(view=self.view)


@dataclass(frozen=True, kw_only=True)
class ChangeOptions(StoreOptions):
    """Who asks for a change, under which request id, when, and on what condition."""

    user: Annotated[
        str | None, shared("user", "ID", "Who asks.", show_default="the login name")
    ] = None
    project: Annotated[str, shared("project", "ID", "The project of who asks.")] = "openstack"
    role: Annotated[
        list[str], shared("role", "NAME", "A role of who asks; repeatable. admin passes locks.")
    ] = field(default_factory=lambda: ["member"])
    request_id: Annotated[
        str | None, shared("request-id", "ID", "The id under which the command happens once.")
    ] = None
    correlation_id: Annotated[
        str | None, shared("correlation-id", "ID", "An id that groups many commands.")
    ] = None
    caused_by: Annotated[
        str | None, shared("caused-by", "ID", "The request id of the command that caused this one.")
    ] = None
    at: Annotated[
        str | None, shared("at", "TIME", "When it happened, in RFC 3339 with a zone.")
    ] = None
    expected_version: Annotated[
        int | None, shared("expected-version", "N", "Act only on this version of the server.")
    ] = None

    def ask(
        self, server: str | None, command: Command, *, create: bool = False, whole: bool = False
    ) -> tuple[Accepted, Context]:
        """Ask a command of a server: its outcome, and the context in which it was asked.

        The server is named as for `Servers.find`. If there is no store, it is made if ``create``
        says so. Raises what `Servers.command` does.
        """
        from serverdomain.domain import moment
        from serverdomain.domain.actor import Actor
        from serverdomain.store.context import Context, new_request_id

        user = _login_name() if self.user is None else self.user
        actor = Actor(user, self.project, tuple(self.role))
        request_id = new_request_id() if self.request_id is None else self.request_id
        context = Context(actor, request_id, self.correlation_id, self.caused_by)
        at = None if self.at is None else moment.to_datetime(moment.parse(self.at, "--at"))
        with self.open_to_write(create=create) as servers:
            if server is not None:
                server = servers.find(server, request_id=self.request_id, whole=whole)
            accepted = servers.command(
                server, command, context, expected_version=self.expected_version, occurred_at=at
            )
        return accepted, context


@dataclass(frozen=True, kw_only=True)
class ShownChangeOptions(ChangeOptions):
    """Who asks for a change, and the root of links in the server that is printed for it."""

    endpoint: Endpoint = ENDPOINT

    def change(self, server: str | None, command: Command, *, create: bool = False) -> None:
        """Ask a command of a server, as `ask` does, and print the server as it then is."""
        accepted, context = self.ask(server, command, create=create)
        shown = document(accepted.server, self.endpoint, accepted.admin_pass)
        say_json({"server": shown}, context.request_id)


def as_of_moment(says: str) -> Any:
    """The option ``--as-of``."""
    return option("MOMENT", says, show_default="now")


def moment_given(as_of: str | None) -> AsOf | None:
    """The moment of ``--as-of``, if one is given other than now. Raises `InvalidInput`."""
    from serverdomain.audit.as_of import AsOf

    return None if as_of is None or as_of == "now" else AsOf.read(as_of, "--as-of")


def say_moment(as_of: str | None, at: AsOf | None) -> None:
    """Say on stderr which moment was read into the words of ``--as-of``, if they left it open."""
    from serverdomain.domain.written_time import is_exact

    if as_of is None or at is None or at.version is not None or at.position is not None:
        return
    if not all(map(is_exact, as_of.split(","))):
        complain(f"as of {at}")


def _login_name() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError, ImportError):
        raise InvalidInput("--user", "there is no login name, name a user") from None
