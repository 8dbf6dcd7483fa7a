"""The views open in Datasette as they are, with the metadata and the links of docs/datasette."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serverdomain import Servers
from serverdomain.projections import server_rows, timeline_rows
from tests.adapters.audit_page.looking import HOSTILE, WEB, clock, told
from tests.house.imports import ROOT

FOLDER = ROOT / "docs/datasette"
METADATA = json.loads((FOLDER / "metadata.json").read_text("utf-8"))
TABLES = {
    "cloud.view": ("server", server_rows.COLUMNS),
    "cloud.timeline": ("timeline", timeline_rows.COLUMNS),
}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder, now = tmp_path_factory.mktemp("cloud"), clock()
    with Servers.open(folder / "cloud.db", clock=now) as servers:
        told(servers, now)
        servers.view.catch_up()
        servers.timeline.catch_up()
    return [folder / "cloud.view.db", folder / "cloud.timeline.db"]


@pytest.fixture
def get(views: list[Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    app = pytest.importorskip("datasette.app", reason="no Datasette: make test-all")
    opened = app.Datasette(
        [str(view) for view in views], metadata=METADATA, plugins_dir=str(FOLDER / "plugins")
    )

    def asked(path: str) -> Any:
        async def ask() -> Any:
            await opened.invoke_startup()
            return await opened.client.get(path)

        return asyncio.run(ask())

    yield asked
    for database in opened.databases.values():
        database.close()


def test_every_column_of_the_views_is_described_and_no_other():
    for database, (table, columns) in TABLES.items():
        described = METADATA["databases"][database]["tables"][table]["columns"]
        assert list(described) == list(columns)
        assert all(described.values())


def test_the_views_open_with_their_names_and_descriptions(get: Any):
    for database, (table, _) in TABLES.items():
        answer = get(f"/{database.replace('.', '~2E')}/{table}")
        assert answer.status_code == 200
        shown = METADATA["databases"][database]["tables"][table]
        assert shown["title"] in answer.text
        assert shown["columns"]["user_id"].replace("'", "&#39;") in answer.text


def test_an_id_leads_to_what_is_about_it(get: Any):
    servers = get("/cloud~2Eview/server").text
    (link,) = set(re.findall(rf'<a href="([^"]*)">{WEB}</a>', servers))
    events = get(link.replace("&amp;", "&")).text
    assert "8 rows" in events
    request = re.findall(r'<a href="([^"]*)">req-rebuild</a>', events)
    assert "RebuildRequested" in get(request[0]).text


def test_the_questions_that_are_ready_answer(get: Any):
    for name, found in (("refused", "req-refused"), ("image_changes", "req-rebuild")):
        assert found in get(f"/cloud~2Etimeline/{name}").text
    caused = get("/cloud~2Etimeline/caused_by_request.json?request=req-rebuild").json()
    assert len(caused["rows"]) == 4


def test_a_hostile_name_is_text_there_too(get: Any):
    page = get("/cloud~2Eview/server").text
    assert HOSTILE[:15] not in page
    assert "&lt;script&gt;alert(" in page
