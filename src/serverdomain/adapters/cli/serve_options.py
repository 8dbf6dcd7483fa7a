"""What an endpoint is served with: an address, a simulated cloud, and callers that it lets in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict

from serverdomain.adapters.cli.answers import complain
from serverdomain.adapters.cli.env import Auth
from serverdomain.adapters.cli.options import ReadOnly, shared
from serverdomain.adapters.cli.parameters import flag, option
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from socket import socket

    from serverdomain.adapters.http import NoAuthentication, TokenFile
    from serverdomain.adapters.http.control.simulation import Simulation
    from serverdomain.servers import Servers
    from serverdomain.simulation.manual_clock import ManualClock


class Existing(TypedDict):
    """The images and flavors that were given, by id; ``None`` where none was."""

    images: dict[str, str] | None
    flavors: dict[str, str] | None


USUAL_PROJECT = "openstack"
"""The project of callers, unless it has no servers and others have."""

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@dataclass(frozen=True, kw_only=True)
class AddressOptions:
    """Where to listen."""

    host: Annotated[str, option("HOST", "The host to listen on.")] = "127.0.0.1"
    port: Annotated[int, option("PORT", "The port; 0 picks a free one.", min=0, max=65535)] = 8774

    def listen(self) -> socket:
        """A socket that listens. Raises `OSError`."""
        from serverdomain.adapters.http.serving.server import listen

        try:
            return listen(self.host, self.port)
        except OSError as error:
            why = str(error.strerror).partition(" (")[0]
            raise OSError(f"{self.host}, port {self.port}: {why}") from None

    def root(self, listener: socket) -> str:
        """The root under which a client on this machine reaches a listening socket."""
        name, port = _EVERYWHERE.get(self.host, self.host), listener.getsockname()[1]
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


@dataclass(frozen=True, kw_only=True)
class CloudOptions:
    """The simulated cloud behind the endpoint."""

    rebuild_seconds: Annotated[
        float, option("SECONDS", "How long a rebuild or a create takes.")
    ] = 6
    image: Annotated[
        list[str] | None, option("ID[=NAME]", "An image that exists; repeatable. Else all do.")
    ] = None
    flavor: Annotated[
        list[str] | None,
        option("ID[=NAME]", "A flavor that exists; repeatable. Else 1 to 5 do."),
    ] = None
    demo: Annotated[bool, flag("--demo", "Fill an empty log with servers.")] = False
    clock: Annotated[
        Literal["system", "manual"],
        option(None, "Whether time passes, or stands still until it is moved."),
    ] = "system"
    no_control: Annotated[bool, flag("--no-control", "Serve nothing at /control.")] = False
    read_only: ReadOnly = False

    @property
    def is_alone(self) -> bool:
        """Whether nothing is served at /control."""
        return self.no_control or self.read_only

    def require_sense(self) -> None:
        """Raise `InvalidInput` for options that make no sense, alone or together."""
        from serverdomain.simulation.rebuild_course import checked_seconds

        if self.read_only and (self.demo or self.clock == "manual"):
            what = "--demo" if self.demo else "--clock"
            raise InvalidInput(what, "it came with --read-only, which changes no log and no clock")
        if self.clock == "manual" and self.no_control:
            raise InvalidInput(
                "--clock",
                "manual came with --no-control, but /control moves it; leave one of them out",
            )
        checked_seconds("--rebuild-seconds", self.rebuild_seconds)
        self.images()
        self.flavors()

    def images(self) -> dict[str, str]:
        """The names of the images that exist, by id; empty if all do. Raises `InvalidInput`."""
        from serverdomain.domain.limits import canonical_uuid

        return {canonical_uuid("--image", image_id): name for image_id, name in _named(self.image)}

    def flavors(self) -> dict[str, str]:
        """The names of the flavors that were given, by id. Raises `InvalidInput`."""
        from serverdomain.domain.limits import text

        return {
            text("--flavor", flavor_id, shortest=1, longest=255): name
            for flavor_id, name in _named(self.flavor)
        }

    def exists(self) -> Existing:
        """What of images and flavors exists, for `compute_app`."""
        return {"images": self.images() or None, "flavors": self.flavors() or None}

    def open(self, store: str) -> tuple[Servers, ManualClock | None]:
        """The servers in a store, and their clock if it is moved by hand."""
        from serverdomain.servers import Servers
        from serverdomain.simulation.manual_clock import ManualClock

        if self.clock == "system":
            return Servers.open(store, read_only=self.read_only), None
        manual = ManualClock()
        servers = Servers.open(store, clock=manual)
        # The clock goes on where the log ended.
        manual.now = max(manual.now, servers.latest() or manual.now)
        return servers, manual

    def simulation(self, servers: Servers, clock: ManualClock | None) -> Simulation:
        """The simulated cloud of the servers, not started yet."""
        from serverdomain.adapters.http.control.simulation import Simulation

        return Simulation(servers, rebuild_seconds=self.rebuild_seconds, clock=clock)

    def fill(self, servers: Servers, project: str) -> None:
        """Make the demo's servers if they are wanted and the log is empty."""
        from serverdomain.simulation.demo_fleet import make

        if not self.demo:
            return
        if servers.latest() is None:
            make(servers, project, list(self.images()))
        else:
            complain("--demo: the log is not empty, and is left as it is")


def _named(given: list[str] | None) -> list[tuple[str, str]]:
    """Ids and names, as ``ID[=NAME]`` says them."""
    parts = [one.partition("=") for one in given or ()]
    return [(one, name if equals else one) for one, equals, name in parts]


@dataclass(frozen=True, kw_only=True)
class CallerOptions:
    """Who may call the endpoint."""

    auth: Auth = "none"
    token_file: Annotated[str | None, option("FILE", "Tokens and their users, as JSON.")] = None
    project: Annotated[
        str | None,
        shared("project", "ID", "The project of callers.", show_default="openstack, or one seen"),
    ] = None
    admin: Annotated[bool, flag("--admin", "With --auth none, make callers administrators.")] = (
        False
    )

    def authentication(self, host: str) -> NoAuthentication | TokenFile:
        """How callers on a host are authenticated. Raises `InvalidInput`."""
        from serverdomain.adapters.http import NoAuthentication, TokenFile
        from serverdomain.adapters.http.calls.authentication import is_this_machine
        from serverdomain.domain.limits import text

        if self.auth == "token-file":
            if self.token_file is None:
                raise InvalidInput("--token-file", "nothing came, --auth token-file requires it")
            if self.admin:
                raise InvalidInput(
                    "--admin", "it came with --auth token-file, where a role says it"
                )
            return TokenFile(self.token_file)
        if self.token_file is not None:
            raise InvalidInput("--token-file", "it came without --auth token-file, which reads it")
        if not is_this_machine(f"[{host}]" if ":" in host else host):
            raise InvalidInput(
                "--host",
                f"{host!r} came with --auth none, which believes everybody: localhost, 127.0.0.0/8 "
                "or ::1 is allowed, elsewhere --auth token-file",
            )
        project = text("--project", self.home, shortest=1, longest=255)
        return NoAuthentication(project, admin=self.admin)

    @property
    def home(self) -> str:
        """The project of callers on a path without one, if no server has another."""
        return USUAL_PROJECT if self.project is None else self.project

    def seeing(
        self, who: NoAuthentication | TokenFile, servers: Servers
    ) -> NoAuthentication | TokenFile:
        """The same callers, but where they would see none of the servers, those who see most.

        Says of which other projects there are servers, unless the project was chosen.
        """
        from serverdomain.adapters.http import NoAuthentication

        if self.project is not None or self.auth == "token-file" or servers.latest() is None:
            return who
        projects = list(servers.view.projects())
        home = self.home if self.home in projects or not projects else projects[0]
        others = [one for one in projects if one != home]
        if others:
            some = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
            complain(
                f"--project: nothing came, callers are of {home}; {len(others)} other projects "
                f"have servers, too: {some} ('serverdomain env --project ID' makes you one's)"
            )
        return NoAuthentication(home, admin=self.admin)
