"""The options that commands share, each said once: where the log is, who asks, when, and how.

Each can be given after its command or as an environment variable, ``SERVERDOMAIN_`` and its name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints
from urllib.parse import urlsplit

import typer

from serverdomain.adapters.cli.answers import document, say_json
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from serverdomain.audit.as_of import AsOf
    from serverdomain.servers import Accepted, Servers


def shared(name: str, metavar: str, says: str, **more: Any) -> Any:
    """An option that may also be an environment variable."""
    variable = f"SERVERDOMAIN_{name.upper().replace('-', '_')}"
    return typer.Option(f"--{name}", envvar=variable, metavar=metavar, help=says, **more)


def checked_endpoint(given: str) -> str:
    """An endpoint's root, if it can be one."""
    try:
        parts = urlsplit(given)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or not given.isprintable() or " " in given:
        raise typer.BadParameter(f"{given!a} came, a root such as http://127.0.0.1:8774 is allowed")
    return given


ServerId = Annotated[str, typer.Argument(metavar="SERVER", help="The server's id.")]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

Endpoint = Annotated[
    str,
    shared("endpoint", "URL", "The root that links begin with.", callback=checked_endpoint),
]

AsOfMoment = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="MOMENT",
        help="As it was at version:N, position:N, recorded:TIME, occurred:TIME or both of these.",
        show_default="now",
    ),
]

ENDPOINT = "http://127.0.0.1:8774"
"""The `Endpoint` where none is given."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the log is."""

    store: Annotated[
        str, shared("store", "URL", "The log: sqlite:///relative.db or sqlite:////absolute.db.")
    ]

    def open(self, *, create: bool = False, view: str | None = None) -> Servers:
        """Open the store; one that is not there is made if ``create`` says so."""
        from serverdomain.servers import Servers

        return Servers.open(self.store, create=create, view=view)


@dataclass(frozen=True, kw_only=True)
class ViewPlace(Place):
    """Where the log is, and where its view."""

    view: Annotated[
        str | None,
        shared("view", "FILE", "The view's file.", show_default="beside the log, as cloud.view.db"),
    ] = None

    def open_view(self) -> Servers:
        """Open the store, for questions to its view."""
        return self.open(view=self.view)


@dataclass(frozen=True, kw_only=True)
class Asking(Place):
    """Who asks for a change, under which request, when, and on what condition."""

    user: Annotated[
        str | None, shared("user", "ID", "Who asks.", show_default="the login name")
    ] = None
    project: Annotated[str, shared("project", "ID", "The project of who asks.")] = "openstack"
    role: Annotated[
        list[str], shared("role", "NAME", "A role of who asks, repeatable; admin passes locks.")
    ] = field(default_factory=lambda: ["member"])
    request_id: Annotated[
        str | None, shared("request-id", "ID", "Repeated under one id, a command happens once.")
    ] = None
    correlation_id: Annotated[
        str | None, shared("correlation-id", "ID", "An id that groups many commands.")
    ] = None
    caused_by: Annotated[
        str | None, shared("caused-by", "ID", "The request id of what made this happen.")
    ] = None
    at: Annotated[
        str | None,
        shared("at", "TIME", "When it happened, RFC 3339 with a zone."),
    ] = None
    expected_version: Annotated[
        int | None, shared("expected-version", "N", "Only if the server is still at this version.")
    ] = None

    def how(self) -> dict[str, Any]:
        """What every command of `Servers` takes besides. Raises `InvalidInput`."""
        from serverdomain.domain import moment
        from serverdomain.domain.actor import Actor
        from serverdomain.store.context import Context, new_request_id

        user = _login_name() if self.user is None else self.user
        actor = Actor(user, self.project, tuple(self.role))
        request_id = new_request_id() if self.request_id is None else self.request_id
        at = None if self.at is None else moment.to_datetime(moment.parse(self.at, "--at"))
        return {
            "context": Context(actor, request_id, self.correlation_id, self.caused_by),
            "expected_version": self.expected_version,
            "occurred_at": at,
        }

    def act(
        self, endpoint: str | None, act: Callable[..., Accepted], *, create: bool = False
    ) -> None:
        """Do what ``act`` does with `Servers` and `how`, and print the server as it then is.

        Without an ``endpoint`` nothing is printed.
        """
        how = self.how()
        with self.open(create=create) as servers:
            accepted = act(servers, **how)
        if endpoint is not None:
            shown = document(accepted.server, endpoint, accepted.admin_pass)
            say_json({"server": shown}, how["context"].request_id)


def moment_given(as_of: str | None) -> AsOf | None:
    """The moment that ``--as-of`` names, if any. Raises `InvalidInput`."""
    from serverdomain.audit.as_of import AsOf

    return None if as_of is None else AsOf.read(as_of, "--as-of")


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are classes of options here are given as those options."""
    groups: dict[str, Any] = {}
    expanded: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if not is_dataclass(parameter.annotation):
            expanded.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            continue
        groups[parameter.name] = parameter.annotation
        hints = get_type_hints(parameter.annotation, include_extras=True)
        for option in fields(parameter.annotation):
            default = option.default
            if option.default_factory is not MISSING:
                default = option.default_factory()
            expanded.append(
                inspect.Parameter(
                    option.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=inspect.Parameter.empty if default is MISSING else default,
                    annotation=hints[option.name],
                )
            )

    @wraps(command)
    def take(**given: Any) -> None:
        for name, group in groups.items():
            members = {option.name: given.pop(option.name) for option in fields(group)}
            given[name] = group(**members)
        command(**given)

    take.__dict__["__signature__"] = inspect.Signature(expanded)
    return take


def _login_name() -> str:
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError, ImportError):
        raise InvalidInput("--user", "there is no login name, name a user") from None
