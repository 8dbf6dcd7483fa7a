"""Who may look, at what, and what a browser is forbidden to do with it."""

from __future__ import annotations

import base64
import re

import httpx
import pytest

from serverdomain import Servers
from serverdomain.adapters.audit_page import audit_app
from serverdomain.adapters.audit_page.places import PLACES
from tests.adapters.audit_page.looking import FOREIGN, HOSTILE, ODD, WEB, Looking, plain, tags
from tests.adapters.http.client import Client

EVERYWHERE = [
    "",
    "?name=%3Cb%3E&as_of=position:4",
    f"server?id={WEB}",
    f"server?id={ODD}",
    f"moment?id={ODD}&row=1",
    f"compare?id={ODD}",
    "request?id=req-create-2",
    "reports",
    "reports?show=images",
    "reports?show=metadata&by=%3Cscript%3E",
    "ledger",
]
"""A visit to each place, with what is hostile where it can be."""


def test_the_visits_of_these_tests_are_to_every_place_but_for_files():
    assert {re.split(r"\?", one)[0] for one in EVERYWHERE} == PLACES.keys() - {"proof"}


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_page_lets_a_browser_run_and_load_nothing_but_its_own(admin: Looking, path: str):
    answer = admin.at(path)
    assert answer.status_code == 200, plain(answer.text)
    policy = dict(
        one.strip().split(" ", 1) for one in answer.headers["content-security-policy"].split(";")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    text = answer.text
    assert not re.search(r"<[^>]*\s(style|on\w+)=", text), "nothing that the policy would forbid"
    assert "<style" not in text
    for address in re.findall(r'(?:src|href|action)="([^"]*)"', text):
        assert not re.match(r"[a-z]+:|//", address), "everything lies below the page"


@pytest.mark.parametrize("path", EVERYWHERE)
def test_a_hostile_name_is_text_everywhere(admin: Looking, path: str):
    text = admin.at(path).text
    assert "onerror" not in re.sub(r"&lt;.*?&gt;", "", text)
    assert text.count("<script") == (0 if path.startswith("moment") else 1)
    assert "img" not in tags(text)
    assert "\u202e" not in text, "what turns the direction of text is written out"


def test_a_hostile_name_is_shown_whole(admin: Looking):
    written = HOSTILE.replace("\u202e", "\\u202e")
    assert written in admin.text(f"server?id={ODD}")
    assert written in admin.text("")


def test_who_is_not_known_is_asked_for_a_token_and_told_nothing(look: Looking):
    answer = look.at("", user="nobody")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert "web" not in plain(answer.text)


def test_a_browser_gives_its_token_as_the_password(servers: Servers):
    looking = Looking(servers, user="")
    given = base64.b64encode(b"whoever:member").decode()
    assert "web" in looking.text("", headers={"Authorization": f"Basic {given}"})
    no_password = "Basic " + base64.b64encode(b"member").decode()
    for wrong in ("Basic !!!", b"Basic \xe9", no_password, "Bearer member"):
        assert looking.at("", headers={"Authorization": wrong}).status_code == 401
    looking.close()


def test_without_a_hook_only_this_machine_may_look(servers: Servers):
    app = audit_app(servers)
    for host, status in (("localhost:1", 200), ("evil.example", 403)):
        client = Client(app, base_url=f"http://{host}")
        assert client.get("/").status_code == status
        client.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_reading_is_allowed(look: Looking, method: str):
    answer = look.ask(method, "/")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_head_has_no_body(look: Looking):
    answer = look.ask("HEAD", "/")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_head_of_the_news_is_no_stream(look: Looking):
    answer = look.ask("HEAD", "/news")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    "path",
    [
        f"server?id={FOREIGN}",
        f"moment?id={FOREIGN}&row=1",
        f"compare?id={FOREIGN}",
        "request?id=req-create-3",
    ],
)
def test_what_is_of_another_project_is_not_there(look: Looking, admin: Looking, path: str):
    assert admin.at(path).status_code == 200
    answer = look.at(path)
    assert answer.status_code == 404
    assert "foreign" not in plain(answer.text)


def test_lists_and_reports_are_of_the_callers_project_whatever_is_asked(
    look: Looking, admin: Looking
):
    assert "foreign" in admin.text("?project=elsewhere")
    for asked in ("?project=elsewhere", "?as_of=now&project=elsewhere", "?as_of=position:99"):
        answer = look.at(asked)
        assert "foreign" not in plain(answer.text).replace("from foreign", "")
    assert "3 servers run" in admin.text("reports?show=images")
    assert "2 servers run" in look.text("reports?show=images&project=elsewhere")


def test_a_page_that_is_mounted_leads_below_its_mount(servers: Servers):
    async def other(scope, receive, send):
        await httpx_answer(send)

    app = audit_app(servers).beside(other, "/audit")
    client = Client(app)
    assert client.get("/audit?name=a%20b").headers["location"] == "/audit/?name=a%20b"
    assert client.get("/audit").headers["location"] == "/audit/"
    assert "Fleet" in client.get("/audit/").text
    assert client.get("/audit/static/audit.css").headers["content-type"].startswith("text/css")
    assert client.get("/auditor").text == client.get("/").text == "other"
    client.close()


async def httpx_answer(send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"other"})


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("nothing", 404, "there is no page nothing"),
        ("static/app.py", 404, "there is no such file"),
        ("server", 404, "id: nothing came"),
        ("server?id=%3Cb%3E", 404, "'<b>' is no id of a server"),
        (f"server?id={WEB}&version=99", 400, "version 99 came, the head of the server is 7"),
        (f"server?id={WEB}&row=x", 400, "row: 'x' came, a whole number is allowed"),
        ("?sort=server", 400, "sort: 'server' came"),
        ("?status=FINE", 400, "status: 'FINE' came"),
        ("?as_of=gestern", 400, "as of: 'gestern' came"),
        ("?as_of=position:999", 400, "position 999 came, the log's head is"),
        ("request?id=req-none", 404, "no command was recorded under the request id"),
        ("reports?show=money", 404, "show: 'money' came, rebuilds, images, metadata are allowed"),
        ("proof?position=1", 400, "the page was given no checkpoint"),
    ],
)
def test_what_cannot_be_shown_is_a_page_that_says_why(
    look: Looking, path: str, status: int, said: str
):
    # As it is, where httpx would resolve the path.
    answer = look.ask("GET", httpx.URL(f"http://localhost/{path}"))
    assert answer.status_code == status
    assert said in plain(answer.text)
    assert answer.headers["content-type"].startswith("text/html")
