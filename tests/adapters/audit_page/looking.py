"""A small cloud with a past, and somebody who looks at its audit page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx

from serverdomain import (
    Actor,
    Context,
    CreateServer,
    RebuildServer,
    Refused,
    Servers,
)
from serverdomain.adapters.audit_page import AuditApp, audit_app
from serverdomain.testing import ManualClock
from tests.adapters.http.client import ACTORS, IMAGE, OTHER_IMAGE, Client, by_name

HOSTILE = "<script>alert('1')</script>\"&\u202e<img src=x onerror=alert(2)>"
"""A name that nobody should run."""

WEB = "075e40fe-9f03-4652-ba8e-5f8e2547899a"
ODD = "00000000-0000-4000-8000-000000000002"
FOREIGN = "00000000-0000-4000-8000-000000000003"


def told(servers: Servers, clock: ManualClock) -> None:
    """Three servers: one that was rebuilt and refused, one with a hostile name, one of others."""
    member, stranger = ACTORS["member"], ACTORS["stranger"]

    def create(server_id: str, name: str, actor: Actor, **metadata: str) -> None:
        command = CreateServer(
            server_id=server_id, name=name, image_id=IMAGE, flavor_id="1", metadata=metadata
        )
        servers.create(command, Context(actor, f"req-create-{server_id[-1]}"))
        clock.now += timedelta(minutes=1)
        servers.report_built(server_id)
        clock.now += timedelta(days=30)

    create(WEB, "web", member, role="web", owner="ops")
    asked = Context(member, "req-rebuild")
    servers.rebuild(WEB, RebuildServer(image_id=OTHER_IMAGE, metadata={"role": "web"}), asked)
    clock.now += timedelta(minutes=4)
    servers.complete_rebuild(WEB, Context(Actor("hypervisor", "system"), caused_by="req-rebuild"))
    clock.now += timedelta(days=10)
    servers.lock(WEB, Context(ACTORS["admin"], "req-lock"))
    clock.now += timedelta(days=5)
    with suppress(Refused):
        servers.rebuild(WEB, RebuildServer(image_id=IMAGE), Context(member, "req-refused"))
    clock.now += timedelta(days=20)
    create(ODD, HOSTILE, member, **{"</pre><b>": "<i>\u0000"})
    create(FOREIGN, "foreign", stranger)


class Looking:
    """The page over a store, and a client that sees it as ``user``."""

    def __init__(self, servers: Servers, user: str = "member", **given: Any) -> None:
        self.app: AuditApp = audit_app(servers, authenticate=by_name, **given)
        self.ask = Client(self.app, user=user)

    def at(self, path: str, **asked: Any) -> httpx.Response:
        return self.ask.get(f"/{path}", **asked)

    def text(self, path: str, **asked: Any) -> str:
        """What a page says, without its markup."""
        answer = self.at(path, **asked)
        assert answer.status_code == 200, answer.text
        return plain(answer.text)

    def close(self) -> None:
        self.ask.close()


def plain(page: str) -> str:
    body = page.partition("<main")[2] or page
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def tags(page: str) -> Sequence[str]:
    return re.findall(r"<(\w+)", page)


def clock() -> ManualClock:
    return ManualClock(datetime(2024, 1, 1, tzinfo=UTC))
