"""The documented rebuild, from its request to its history."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

from serverdomain.adapters.cli.answers import document, say, say_json, written
from serverdomain.adapters.cli.history_lines import told, told_changes
from serverdomain.adapters.cli.parameters import Commands, flag, option
from serverdomain.adapters.cli.progress_bar import bars
from serverdomain.adapters.cli.try_it import commands
from serverdomain.errors import Conflict, InvalidInput

if TYPE_CHECKING:
    from pathlib import Path

    from serverdomain.domain.server import Server
    from serverdomain.servers import Accepted, Servers

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

_COLUMNS = 80


@app.command()
def demo(
    store: Annotated[
        str | None,
        # No environment variable, so that nobody's own log gets a made-up server by accident.
        option(None, "The log to make.", show_default="in a new temporary folder"),
    ] = None,
    full: Annotated[
        bool, flag("--full", "Print whole documents and the whole history: some 200 lines.")
    ] = False,
) -> None:
    """Show a rebuild from its request to its history, on one screen.

    Makes a log of its own, and says where it lies and what to try on it.
    """
    from serverdomain.servers import Servers

    path = _new_log(store)
    with Servers.open(path) as servers:
        accepted = _asked(servers)
        if full:
            say_json({"server": document(accepted.server, ENDPOINT, accepted.admin_pass)})
        else:
            _say_accepted(accepted)
        _work(servers)
        if full:
            _remember_everything(servers)
        else:
            _remember(servers)
    say(f"\nThe log lies in {path}. To try things on it:")
    say("\n".join(f"  {command}" for command in commands(path, SERVER_ID)))


def _asked(servers: Servers) -> Accepted:
    from serverdomain.adapters.compute_json import read_rebuild, read_server
    from serverdomain.domain.actor import Actor
    from serverdomain.store.context import Context

    actor = Actor("fake", "openstack")
    servers.register(read_server(BEFORE), Context(actor))
    say(f"POST /v2/openstack/servers/{SERVER_ID}/action\n{REQUEST}")
    accepted = servers.rebuild(SERVER_ID, read_rebuild(REQUEST), Context(actor))
    say("\n202 Accepted")
    return accepted


def _say_accepted(accepted: Accepted) -> None:
    server = document(accepted.server, ENDPOINT, accepted.admin_pass)
    some = {name: server[name] for name in ("status", "progress", "adminPass")}
    say(f'{{"server": {written(some).removesuffix("}")}, ...}}}}\n')


def _work(servers: Servers) -> None:
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
    say("\nWhat changed, and who changed it:")
    for entry in servers.history(SERVER_ID):
        if entry.name in ("ServerRegistered", "RebuildProgressed"):
            continue
        say(f"  {entry.name}  by {entry.user_id} in {entry.project_id}")
        for line in told_changes(one for one in entry.changes if one.path != "/progress"):
            say(line if len(line) <= _COLUMNS else line.replace(" -> ", "\n            -> "))
    before = _before(servers)
    say("\nThe server before, which the log still holds:")
    say(f"    {before.name}, {before.status}, {written(dict(before.metadata))}")
    say(f"    image {before.image_id}")


def _remember_everything(servers: Servers) -> None:
    say("\nThe server as it is now:")
    _say_server(servers.get(SERVER_ID))
    say("\nIts history:")
    say("\n".join(told(servers.history(SERVER_ID))))
    say("\nThe server as it was before, from the same history:")
    _say_server(_before(servers))


def _before(servers: Servers) -> Server:
    from serverdomain.audit.as_of import AsOf

    return servers.get(SERVER_ID, as_of=AsOf(version=1))


def _say_server(server: Server) -> None:
    say_json({"server": document(server, ENDPOINT)})


def _new_log(store: str | None) -> Path:
    from pathlib import Path
    from tempfile import mkdtemp

    from serverdomain.store.opening import caches_of

    if store is None:
        return Path(mkdtemp(prefix="serverdomain-demo-"), "cloud.db")
    path = caches_of(store)
    if path is None:
        raise InvalidInput("--store", f"{store!r} came, a file is allowed, for later commands")
    if path.exists():
        raise Conflict(
            f"--store: {path} is there already, and the demo writes only to a log that it makes: "
            "name another file, or none; or remove that one if an earlier demo made it"
        )
    return path
