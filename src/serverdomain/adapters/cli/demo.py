"""The documented rebuild, from its request to its history."""

from __future__ import annotations

import sys
import time
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated

from serverdomain.adapters.cli.answers import document, say, say_json
from serverdomain.adapters.cli.history_lines import told
from serverdomain.adapters.cli.parameters import Commands, option
from serverdomain.adapters.cli.progress_bar import bars
from serverdomain.adapters.cli.try_it import commands
from serverdomain.errors import InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from serverdomain.domain.server import Server
    from serverdomain.servers import Servers

app = Commands()

ENDPOINT = "http://openstack.example.com"
SERVER_ID = "075e40fe-9f03-4652-ba8e-5f8e2547899a"

REQUEST = """\
{
  "rebuild": {
    "imageRef": "70a599e0-31e7-49b7-b260-868f441e862b",
    "name": "foobar",
    "adminPass": "seekr3t",
    "accessIPv4": "1.2.3.4",
    "accessIPv6": "fe80::100",
    "metadata": {
      "meta var": "meta val"
    }
  }
}"""
"""The documented request."""

BEFORE = """\
{
  "server": {
    "id": "075e40fe-9f03-4652-ba8e-5f8e2547899a",
    "name": "unfoobar", "status": "ACTIVE", "metadata": {"stage": "before"},
    "tenant_id": "openstack", "user_id": "fake",
    "created": "2012-09-12T17:20:36Z", "updated": "2012-09-12T17:20:36Z",
    "image": {"id": "0b4c3a2d-6a1e-4f0e-9d3b-8c7f6e5d4c3b", "links": []},
    "flavor": {"id": "1", "links": []}, "links": [],
    "hostId": "1e3da81662354c25560b7e5ea6d8123031f67168b6992f20bb84df69",
    "addresses": {"private": [{"addr": "192.168.0.3", "version": 4}]},
    "accessIPv4": "1.2.3.4", "accessIPv6": "fe80::100"
  }
}"""
"""The documented server before it was rebuilt, from another image and under another name."""


@app.command()
def demo(
    store: Annotated[
        str | None,
        # No environment variable, so that nobody's own log gets a made-up server by accident.
        option(None, "The log to make.", show_default="in a new temporary folder"),
    ] = None,
) -> None:
    """Show a rebuild from its request to its history.

    Makes a log of its own, and says where it lies and what to try on it.
    """
    from serverdomain.servers import Servers

    path = _path(store)
    with Servers.open(path) as servers:
        _rebuild(servers)
        _remember(servers)
    say(f"\nThe log lies in {path}. Three commands to try on it:\n")
    say("\n".join(f"  {command}" for command in commands(path, SERVER_ID)))


def _rebuild(servers: Servers) -> None:
    from serverdomain.adapters.compute_json import read_rebuild, read_server
    from serverdomain.domain.actor import Actor
    from serverdomain.store.context import Context

    context = Context(Actor("fake", "openstack"))
    registered = servers.register(read_server(BEFORE), context)
    say(f"The documented server was registered, named {registered.server.name!r}.\n")

    say(f"POST /v2/openstack/servers/{SERVER_ID}/action\n{REQUEST}\n")
    accepted = servers.rebuild(SERVER_ID, read_rebuild(REQUEST), Context(context.actor))
    say("202 Accepted")
    say_json({"server": document(accepted.server, ENDPOINT, accepted.admin_pass)})

    say("\nThe hypervisor reports:")
    with bars(sys.stdout, off_terminal=True) as progress:
        task = progress.add_task("rebuild", total=100)
        for percent in (20, 40, 60, 80):
            servers.report_progress(SERVER_ID, percent)
            progress.update(task, completed=percent)
            if progress.console.is_terminal:
                time.sleep(0.2)  # Long enough to be seen.
        servers.complete_rebuild(SERVER_ID)
        progress.update(task, completed=100)


def _remember(servers: Servers) -> None:
    say("\nThe server as it is now:")
    _say_server(servers.get(SERVER_ID))

    entries = servers.history(SERVER_ID)
    say("\nIts history:")
    say("\n".join(told(entries)))

    from serverdomain.domain.moment import to_micros
    from serverdomain.domain.server import fold

    earlier = takewhile(lambda entry: entry.name != "RebuildRequested", entries)
    before = fold((entry.event, to_micros(entry.occurred_at)) for entry in earlier)
    assert before is not None
    say("\nThe server as it was before, from the same history:")
    _say_server(before)


def _say_server(server: Server) -> None:
    say_json({"server": document(server, ENDPOINT)})


def _path(store: str | None) -> Path:
    from pathlib import Path
    from tempfile import mkdtemp

    from serverdomain.store.opening import caches_of

    if store is None:
        return Path(mkdtemp(prefix="serverdomain-demo-"), "cloud.db")
    path = caches_of(store)
    if path is None:
        raise InvalidInput("--store", f"{store!r} came, a file is allowed, for later commands")
    return path
