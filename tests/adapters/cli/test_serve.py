"""The endpoint as a process: what it prints, whom it refuses, and how it ends."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from serverdomain import Servers
from serverdomain.errors import ExtraMissing
from tests.adapters.cli.conftest import Command
from tests.adapters.cli.terminal import NEW_IMAGE, PASSWORD, SERVER_ID, environment

SECONDS = 60
STORE = ("--store", "sqlite:///cloud.db")
ACTION = f"/v2.1/servers/{SERVER_ID}/action"


class Serving:
    """A process that serves, and what it said when it was ready."""

    def __init__(self, process: subprocess.Popen[str], said: str) -> None:
        self.process = process
        self.said = said
        self.exports = dict(re.findall(r"^export (\w+)=(\S+)$", said, re.MULTILINE))
        self.root = self.exports["OS_ENDPOINT"].removesuffix("/v2.1")

    @property
    def address(self) -> tuple[str, int]:
        url = httpx.URL(self.root)
        assert url.port is not None
        return url.host, url.port

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Its exit code after a signal, and all that it wrote to stderr."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """The same of one that ends already, which a second signal could still kill."""
        _, logged = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, logged


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        [sys.executable, "-m", "serverdomain", "serve", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        cwd=folder,
        text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("export OS_IDENTITY_API_VERSION"):
                break
        else:
            raise AssertionError(process.communicate()[1])
        yield Serving(process, said)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow
def test_it_says_where_it_is_and_ends_cleanly_with_either_signal(tmp_path: Path) -> None:
    for number, control in ((signal.SIGTERM, "--clock=manual"), (signal.SIGINT, "--no-control")):
        with serving(tmp_path, "--demo", control) as endpoint:
            assert next(iter(endpoint.exports)) == "OS_AUTH_TYPE"
            servers = httpx.get(f"{endpoint.root}/v2.1/servers/detail").json()["servers"]
            statuses = {one["name"]: one["status"] for one in servers}
            assert statuses == {
                "web-1": "ACTIVE",
                "web-2": "ACTIVE",
                "web-3": "REBUILD",
                "web-4": "BUILD",
                "db-1": "ACTIVE",
                "spare-1": "SHUTOFF",
                "broken-1": "ERROR",
            }
            moved = httpx.post(f"{endpoint.root}/control/clock", json={"advance": 6})
            assert moved.status_code == (404 if control == "--no-control" else 200)
            code, logged = endpoint.end(number)
        assert code == 0, logged
        assert {json.loads(line)["event"] for line in logged.splitlines()} == {"answered"}


@pytest.mark.slow
def test_it_says_which_port_is_free_where_clients_go_to_another_place_too(tmp_path: Path) -> None:
    with serving(tmp_path, "--endpoint", "http://cloud.test/compute/") as endpoint:
        found = re.search(r"is at (http://127\.0\.0\.1:\d+), ", endpoint.said)
        assert endpoint.root == "http://cloud.test/compute"
        assert found is not None
        link = httpx.get(found[1]).json()["versions"][0]["links"][0]["href"]
        assert link == "http://cloud.test/compute/v2/"


@pytest.mark.slow
@pytest.mark.parametrize("auth", ["none", "token-file"])
def test_its_lines_point_the_openstack_command_at_it(tmp_path: Path, auth: str) -> None:
    path = tmp_path / "tokens.json"
    path.touch(mode=0o600)
    path.write_text(
        json.dumps({"t": {"user": "u", "project": "openstack", "roles": ["reader"]}}), "utf-8"
    )
    tokens = [] if auth == "none" else ["--token-file", str(path)]
    with serving(tmp_path, "--demo", "--auth", auth, *tokens) as endpoint:
        exports = "\n".join(line for line in endpoint.said.splitlines() if "export" in line)
        listed = subprocess.run(
            ["sh", "-c", f"{exports}\nopenstack server list --name web-1 -f value -c Name"],
            env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
            | ({"OS_TOKEN": "t"} if tokens else {}),
            capture_output=True,
            text=True,
            check=False,
        )
    assert listed.stdout == "web-1\n", listed.stderr


@pytest.mark.slow
def test_a_request_in_flight_is_answered_and_kept_and_the_rebuild_goes_on_after_a_restart(
    registered: Command, folder: Path
) -> None:
    body = json.dumps({"rebuild": {"imageRef": NEW_IMAGE, "adminPass": PASSWORD}}).encode()
    head = f"POST {ACTION} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n"
    with (
        serving(folder, *STORE, "--rebuild-seconds", "3600") as endpoint,
        socket.create_connection(endpoint.address, timeout=SECONDS) as connection,
    ):
        connection.sendall(head.encode() + body[:10])
        # Something else is answered, so the half has come.
        assert httpx.get(f"{endpoint.root}/v2.1").status_code == 200
        endpoint.process.send_signal(signal.SIGTERM)
        until_refused(endpoint.address)
        connection.sendall(body[10:])
        answer = b""
        while part := connection.recv(65536):
            answer += part
        code, logged = endpoint.ended()

    assert answer.startswith(b"HTTP/1.1 202 ")
    assert b'"status":"REBUILD"' in answer
    assert code == 0
    assert PASSWORD not in logged
    with serving(folder, *STORE, "--rebuild-seconds", "0"):
        waited = registered("wait", SERVER_ID, "--status", "ACTIVE", "--timeout", str(SECONDS))
        assert waited.server["progress"] == 100
    with Servers.open(f"sqlite:///{folder / 'cloud.db'}") as servers:
        names = [entry.name for entry in servers.history(SERVER_ID)]
    assert names.count("RebuildCompleted") == 1


@pytest.mark.slow
def test_a_rebuild_goes_on_after_a_kill(registered: Command, folder: Path) -> None:
    with serving(folder, *STORE, "--rebuild-seconds", "3600") as endpoint:
        asked = httpx.post(f"{endpoint.root}{ACTION}", json={"rebuild": {"imageRef": NEW_IMAGE}})
        assert asked.status_code == 202
        endpoint.end(signal.SIGKILL)
    with serving(folder, *STORE, "--rebuild-seconds", "0"):
        waited = registered("wait", SERVER_ID, "--status", "ACTIVE", "--timeout", str(SECONDS))
        assert waited.code == 0


@pytest.mark.slow
def test_tokens_are_read_anew_on_sighup(tmp_path: Path) -> None:
    def write(*tokens: str) -> None:
        entries = {one: {"user": "u", "project": "p", "roles": ["member"]} for one in tokens}
        path.write_text(json.dumps(entries), "utf-8")

    path = tmp_path / "tokens.json"
    path.touch(mode=0o600)
    write("old-token")
    with serving(tmp_path, "--auth", "token-file", "--token-file", str(path)) as endpoint:

        def status(token: str) -> int:
            url, headers = f"{endpoint.root}/v2.1/servers", {"X-Auth-Token": token}
            return httpx.get(url, headers=headers).status_code

        assert "OS_TOKEN" in endpoint.said
        assert (status("old-token"), status("new-token")) == (200, 401)
        write("new-token")
        endpoint.process.send_signal(signal.SIGHUP)
        while status("new-token") != 200:
            pass
        assert status("old-token") == 401
        path.write_text("{]", "utf-8")
        endpoint.process.send_signal(signal.SIGHUP)
        assert endpoint.process.stderr is not None
        while "go on" not in (line := endpoint.process.stderr.readline()):
            assert line
        assert status("new-token") == 200
        code, logged = endpoint.end(signal.SIGTERM)
    assert code == 0
    assert "-token" not in (line + logged).replace("token-file", "")


def test_who_never_reads_its_lines_stops_neither_calls_nor_its_end(tmp_path: Path) -> None:
    with serving(tmp_path) as endpoint, httpx.Client() as client:
        # More than a pipe holds.
        for _ in range(400):
            assert client.get(f"{endpoint.root}/v2.1/flavors").status_code == 200
        assert endpoint.process.poll() is None
        endpoint.process.send_signal(signal.SIGTERM)
        assert endpoint.process.wait(SECONDS) == 0


def test_everybody_is_believed_on_this_machine_alone(command: Command) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.com"):
        refused = command("serve", "--host", host)
        assert refused.code == 2
        assert refused.complaint.startswith(f"--host: '{host}' came with --auth none")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--auth", "token-file"], "--token-file: nothing came"),
        (["--token-file", "tokens.json"], "--token-file: it came without --auth token-file"),
        (["--auth", "token-file", "--token-file", "x", "--admin"], "--admin: it came with"),
        (["--auth", "token-file", "--token-file", "gone.json"], "token-file: gone.json cannot"),
        (["--clock", "manual", "--no-control"], "--clock: manual came with --no-control"),
        (["--rebuild-seconds", "-1"], "--rebuild-seconds: -1 came, 0 to 86400 seconds"),
        (["--rebuild-seconds", "nan"], "--rebuild-seconds: nan came, 0 to 86400 seconds"),
        (["--image", "web"], "--image: 'web' came, a UUID is allowed"),
        (["--endpoint", "nonsense"], "invalid value for '--endpoint'"),
        (["--port", "65536"], "invalid value for '--port'"),
        (["--project", ""], "--project"),
        (["--store", "mysql://x"], "store: 'mysql://x' came"),
    ],
)
def test_words_that_cannot_be_meant_are_named_and_nothing_is_made(
    command: Command, folder: Path, arguments: list[str], complaint: str
) -> None:
    refused = command("serve", "--port", "0", *arguments)
    assert (refused.code, refused.out) == (2, "")
    assert refused.complaint.startswith(complaint)
    assert not Path("cloud.db").exists()


def test_a_port_that_is_taken_is_named(command: Command, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = command("serve", "--port", str(port))
    assert refused.code == 3
    assert refused.complaint == (f"the system says no: 127.0.0.1, port {port}: {os.strerror(98)}")
    assert not Path("cloud.db").exists()


def test_a_store_that_the_hypervisor_cannot_begin_with_is_one_line(
    registered: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERDOMAIN_LOCK_TIMEOUT", "0.1")
    with closing(sqlite3.connect("cloud.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = registered("serve", "--port", "0", *STORE)
    assert (refused.code, refused.out) == (3, "")
    assert "is locked by another process" in refused.complaint


def test_what_the_server_below_says_is_a_line_of_json_too(
    registered: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def says_and_ends(*_: object, **__: object) -> None:
        logging.getLogger("uvicorn.error").error("Cancel %s tasks", 2)

    monkeypatch.setattr("serverdomain.adapters.http.serving.server.serve", says_and_ends)
    ran = registered("serve", "--port", "0", *STORE)
    assert json.loads(ran.err)["event"] == "Cancel 2 tasks"


def test_without_its_extra_one_line_names_it(tmp_path: Path) -> None:
    asked = (
        "import sys; sys.modules['starlette'] = None\n"
        "sys.argv = ['serverdomain', 'serve']\n"
        "from serverdomain.adapters.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment(),
    )
    assert ran.returncode == 3
    missing_extra = ExtraMissing("the command", "starlette", "http")
    assert ran.stderr == f"serverdomain: {missing_extra}\n"


@pytest.mark.parametrize("token", [False, True])
def test_env_prints_lines_that_a_shell_takes(command: Command, token: bool) -> None:
    ran = command("env", *(["--auth", "token-file"] if token else []))
    assert len(ran.out.splitlines()) == 3
    shown = subprocess.run(
        ["sh", "-c", f'{ran.out}\necho "$OS_AUTH_TYPE $OS_ENDPOINT $OS_TOKEN"'],
        env={"OS_TOKEN": "t"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    kind = "admin_token" if token else "none"
    assert shown == f"{kind} http://127.0.0.1:8774/v2.1 t\n"


@pytest.mark.parametrize("project", ["p", "a b/c"])
def test_env_makes_you_a_member_of_a_project(command: Command, project: str) -> None:
    yaml = pytest.importorskip("yaml")
    api = f"http://127.0.0.1:8774/v2.1/{quote(project, safe='')}"
    assert f"export OS_ENDPOINT={api}\n" in command("env", "--project", project).out
    told = yaml.safe_load(command("env", "--project", project, "--clouds-yaml").out)
    assert told["clouds"]["serverdomain"]["auth"]["endpoint"] == api
    ran = command("env", "--project", "")
    assert (ran.code, ran.out) == (2, "")


@pytest.mark.slow
def test_a_served_fleet_is_visible_to_whom_env_makes_you(command: Command, folder: Path) -> None:
    assert command("generate", "--servers", "40", "--store", "sqlite:///fleet.db").code == 0
    with Servers.open(f"sqlite:///{folder / 'fleet.db'}") as servers:
        projects = servers.view.projects()
    most, other = list(projects)[:2]
    with serving(folder, "--store", "sqlite:///fleet.db") as endpoint:
        api = dict(line.split()[1].split("=") for line in env_lines(endpoint.said))["OS_ENDPOINT"]
        for path, project in ((api, most), (f"{api}/{other}", other)):
            listed = httpx.get(f"{path}/servers/detail").json()["servers"]
            assert len(listed) == projects[project] > 0
            assert {server["tenant_id"] for server in listed} == {project}
        _, logged = endpoint.end(signal.SIGTERM)
    assert f"callers are of {most}; {len(projects) - 1} other projects have servers" in logged
    with serving(folder, "--store", "sqlite:///fleet.db", "--project", "mine") as endpoint:
        assert httpx.get(f"{endpoint.root}/v2.1/servers").json() == {"servers": []}
        _, logged = endpoint.end(signal.SIGTERM)
    assert "--project" not in logged


def env_lines(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("export ")]


def test_env_prints_a_clouds_yaml_too(command: Command) -> None:
    yaml = pytest.importorskip("yaml")
    ran = command("env", "--clouds-yaml", "--endpoint", "http://192.0.2.1:80/")
    assert yaml.safe_load(ran.out) == {
        "clouds": {
            "serverdomain": {
                "auth_type": "none",
                "auth": {"endpoint": "http://192.0.2.1:80/v2.1"},
                "identity_api_version": "3",
            }
        }
    }


def until_refused(address: tuple[str, int]) -> None:
    while True:
        try:
            socket.create_connection(address, timeout=SECONDS).close()
        except ConnectionRefusedError:
            return
        except ConnectionResetError:
            pass  # It waited to be accepted as the endpoint stopped listening.


def test_the_audit_page_is_served_beside_the_endpoint_and_ends_with_it(folder: Path) -> None:
    with serving(folder, "--demo", "--audit") as served:
        assert f"The audit page is at {served.root}/audit/." in served.said
        fleet = re.sub("<.*?>", "", httpx.get(f"{served.root}/audit/").text)
        assert "7 servers as of position" in fleet
        assert len(httpx.get(f"{served.root}/v2.1/servers").json()["servers"]) == 7
        with socket.create_connection(served.address, timeout=SECONDS) as open_page:
            open_page.sendall(b"GET /audit/news HTTP/1.1\r\nHost: localhost\r\n\r\n")
            heard = b""
            while b"event: head" not in heard:
                heard += open_page.recv(4096)
            # A page that listens does not keep the server from ending.
            code, logged = served.end(signal.SIGTERM)
        assert code == 0
        assert "timeout graceful shutdown" not in logged


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--checkpoint", "x"), "--checkpoint: it came without --audit"),
        (("--audit", "--key", "x"), "--key: it came without --checkpoint"),
        (("--audit", "--checkpoint", "none"), "--checkpoint: 'none' cannot be read"),
    ],
)
def test_what_the_audit_page_cannot_be_served_with_is_said_in_one_line(
    command: Command, given: tuple[str, ...], said: str
) -> None:
    ran = command("serve", "--port", "0", *given)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"serverdomain: {said}")
