"""What somebody could make grow by looking stays within its bound."""

from __future__ import annotations

import asyncio
from threading import Event

import pytest

from serverdomain import Actor, Context, Servers
from serverdomain.adapters.audit_page import audit_app, gate, live, requested, stories, story
from serverdomain.adapters.audit_page.gate import Gate
from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.audit_page.live import Live
from serverdomain.adapters.audit_page.stories import Stories
from serverdomain.errors import ServerdomainError
from tests.adapters.audit_page.looking import WEB, Looking, plain


def test_a_story_that_weighs_too_much_is_not_kept(servers: Servers, monkeypatch):
    told = Stories(servers)
    assert told.find(WEB, None) is told.find(WEB, None)
    monkeypatch.setattr(stories, "MOST_BYTES", 1024)
    told = Stories(servers)
    assert told.find(WEB, None) is not told.find(WEB, None)


def test_of_a_story_that_is_too_long_the_latest_events_are_shown(look: Looking, monkeypatch):
    monkeypatch.setattr(story, "MOST_EVENTS", 3)
    said = look.text(f"server?id={WEB}")
    assert "3 events, after 5 earlier ones that are not shown" in said
    assert "event 3 of 3" in said
    assert "RebuildCompleted" in said
    assert "ImageChanged" not in said


def test_of_a_story_that_is_too_long_no_moments_are_compared(look: Looking, monkeypatch):
    monkeypatch.setattr(story, "MOST_EVENTS", 3)
    answer = look.at(f"compare?id={WEB}")
    assert answer.status_code == 400
    assert f"serverdomain diff {WEB} compares any two moments of it" in plain(answer.text)


def test_of_a_request_that_caused_too_much_the_latest_is_shown(look: Looking, monkeypatch):
    monkeypatch.setattr(requested, "MOST", 2)
    said = look.text("request?id=req-rebuild")
    assert "2 events , the latest" in said or "2 events, the latest" in said
    assert "RebuildCompleted" in said


def test_no_more_pages_are_made_at_a_time_than_so_many(servers: Servers, monkeypatch):
    monkeypatch.setattr(gate, "MOST", 2)
    at_work, most, go = [], [], Event()

    def slow(kept, visit):
        at_work.append(1)
        most.append(len(at_work))
        if len(most) == 2:
            go.set()
        assert go.wait(30)
        at_work.pop()
        raise ServerdomainError("seen")

    made = Gate(lambda request: Actor("a", "b"), Kept(servers), Live(servers), {"": slow})
    asyncio.run(_ask_many(made, 6))
    assert len(most) == 6
    assert max(most) == 2


async def _ask_many(app, number: int) -> None:
    await asyncio.gather(*(_ask(app) for _ in range(number)))


async def _ask(app, path: str = "/") -> list[dict]:
    sent = []

    async def receive():
        await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    scope |= {"server": ("localhost", 1), "scheme": "http"}
    await app(scope, receive, send)
    return sent


def test_no_more_pages_are_kept_up_to_date_than_so_many(look: Looking, monkeypatch):
    monkeypatch.setattr(live, "MOST", 0)
    answer = look.at("news")
    assert answer.status_code == 503
    assert "0 pages are kept up to date already" in plain(answer.text)


def test_of_many_who_come_at_once_no_more_are_kept_up_to_date_than_so_many(
    servers: Servers, monkeypatch
):
    monkeypatch.setattr(live, "MOST", 2)
    monkeypatch.setattr(live, "MOST_SECONDS", 0)
    made = audit_app(servers, authenticate=lambda request: Actor("a", "b"))

    async def ask_many() -> list[int]:
        answers = await asyncio.gather(*(_ask(made, "/news") for _ in range(5)))
        return [sent[0]["status"] for sent in answers]

    assert sorted(asyncio.run(ask_many())) == [200, 200, 503, 503, 503]
    assert sorted(asyncio.run(ask_many())) == [200, 200, 503, 503, 503], "they have gone"


def test_a_stream_of_news_ends_after_its_time(servers: Servers, look: Looking, monkeypatch):
    monkeypatch.setattr(live, "MOST_SECONDS", 0.1)
    monkeypatch.setattr(live, "LOOK", 0.01)
    answer = look.at("news")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text == f"retry: 1000\n\nevent: head\ndata: {servers.head()}\n\n"


def test_news_are_told_once_for_each_growth_and_end_when_the_app_does(
    servers: Servers, monkeypatch
):
    monkeypatch.setattr(live, "LOOK", 0.01)
    news = Live(servers)

    async def listen() -> list[str]:
        told = []
        async for one in (await news.stream(None)).body_iterator:
            told.append(one)
            if len(told) == 2:
                servers.stop(WEB, Context(Actor("root", "openstack", ("admin",))))
            if len(told) == 3:
                news.end()
        return told

    head = servers.head()
    told = asyncio.run(listen())
    assert told[1:] == [f"event: head\ndata: {at}\n\n" for at in (head, head + 1)]


@pytest.mark.parametrize("user", ["nobody"])
def test_news_are_for_who_may_look(look: Looking, user: str):
    assert look.at("news", user=user).status_code == 401
