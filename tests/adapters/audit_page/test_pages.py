"""What each page shows."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from serverdomain import Context, RegisterServer, Servers
from serverdomain.adapters.audit_page import charts
from serverdomain.adapters.audit_page.kept import Kept
from serverdomain.adapters.http.calls.answers import CallFault
from serverdomain.testing import registered
from tests.adapters.audit_page.looking import WEB, Looking, clock, plain, told
from tests.adapters.http.client import ACTORS, IMAGE, OTHER_IMAGE


def test_the_fleet_is_searched_filtered_sorted_and_paged(admin: Looking):
    assert "3 servers as of position" in admin.text("")
    assert "1 server as of position" in admin.text("?name=for")
    assert "No server is like that" in admin.text("?status=ERROR")
    assert "1 server as of" in admin.text(f"?image={OTHER_IMAGE}")
    page = admin.at("?sort=name:desc").text
    assert page.index(">web<") < page.index(">foreign<")
    assert 'aria-sort="descending"' in page
    assert 'href="./?sort=name"' in page, "the same column again sorts the other way"


def test_a_page_of_the_fleet_has_fifty_servers_and_leads_to_the_next(
    servers: Servers, admin: Looking
):
    for number in range(60):
        server_id = f"00000000-0000-4000-8000-1{number:011}"
        servers.record(server_id, [registered(server_id=server_id, name=f"many-{number:02}")])
    page = admin.at("?name=many&sort=name").text
    assert plain(page).count("many-") == 50
    assert 'href="./?name=many&amp;sort=name&amp;page=2"' in page
    last = admin.at("?name=many&sort=name&page=2").text
    assert "51 to 60, page 2 of 2" in plain(last)
    assert ">many-59<" in last
    assert ">many-09<" not in last
    assert admin.text("?name=many&sort=name&page=99") == admin.text("?name=many&sort=name&page=2")


def test_the_fleet_is_shown_as_of_any_moment(admin: Looking):
    then = admin.text("?as_of=2024-01-15")
    assert "1 server as of position 2" in then
    assert IMAGE[:8] in then
    assert "show them as they are now" in then
    page = admin.at("?as_of=2024-01-15").text
    assert f'href="server?id={WEB}&amp;until=2"' in page, "a link leads to what it was then"
    assert "event 2 of 8" in admin.text(f"server?id={WEB}&until=2")
    assert "event 1 of 8" in admin.text(f"server?id={WEB}&until=0")
    assert "event 8 of 8" in admin.text(f"server?id={WEB}&until=999")


def test_a_deleted_server_is_found_by_its_name_by_who_may_see_it(servers: Servers, look: Looking):
    servers.unlock(WEB, Context(ACTORS["admin"]))
    servers.delete(WEB, Context(ACTORS["member"]))
    assert "Deleted servers of this name web" in look.text("?name=web")
    stranger = Looking(servers, user="stranger")
    assert "Deleted" not in stranger.text("?name=web")
    assert stranger.at(f"server?id={WEB}").status_code == 404
    stranger.close()
    assert "web deleted" in look.text(f"server?id={WEB}")


def test_a_server_shows_the_moment_that_was_asked_for_with_what_changed_marked(look: Looking):
    page = look.at(f"server?id={WEB}&version=4").text
    said = plain(page)
    assert "ImageChanged occurred 2024-01-31" in said
    assert "by fake in openstack" in said
    assert f'/image/id "{IMAGE}" "{OTHER_IMAGE}"' in said
    assert f"<mark><bdi>      &#34;id&#34;: &#34;{OTHER_IMAGE}&#34;,</bdi></mark>" in page
    assert page.count("<mark>") == 1
    assert "event 4 of 8" in said


def test_without_a_moment_the_latest_is_shown_and_a_refusal_stands_in_its_place(look: Looking):
    said = look.text(f"server?id={WEB}")
    assert "event 8 of 8" in said
    assert "refused by the rule of" not in said.partition("Events")[2]
    page = look.at(f"server?id={WEB}").text
    assert "refused</span> rebuild" in page
    assert "lock" in said


@pytest.mark.parametrize(("asked", "row"), [("x=0", 1), ("x=100", 8), ("row=99", 8), ("row=0", 1)])
def test_a_moment_is_found_by_where_it_lies(look: Looking, asked: str, row: int):
    assert f'data-row="{row}"' in look.at(f"moment?id={WEB}&{asked}").text[:60]


def test_a_moment_alone_leaves_out_the_table_that_is_there(look: Looking):
    assert "Events" in look.text(f"moment?id={WEB}&row=2&from=51")
    assert "Events" not in look.text(f"moment?id={WEB}&row=2&from=1")


def test_what_happens_meanwhile_is_on_the_next_page_and_not_in_a_moment_of_this_one(
    servers: Servers, look: Looking
):
    head = servers.head()
    look.at(f"server?id={WEB}")
    servers.unlock(WEB, Context(ACTORS["admin"]))
    assert "event 3 of 8" in look.at(f"moment?id={WEB}&row=3&head={head}").text
    assert "of 9" in look.text(f"server?id={WEB}")


def test_two_moments_stand_side_by_side_with_what_changed_between_them(look: Looking):
    page = look.at(f"compare?id={WEB}&from=version:2&to=version:6").text
    said = plain(page)
    assert f'/image/id "{IMAGE}" "{OTHER_IMAGE}" 4' in said
    assert '/metadata/owner "ops" absent 5' in said
    marked = re.findall(r"<mark><bdi> *(.*?)</bdi>", page)
    assert sum("owner" in one for one in marked) == 1, "the key is gone on the other side"
    assert sum(IMAGE in one or OTHER_IMAGE in one for one in marked) == 2


def test_a_request_shows_what_it_caused(look: Looking):
    said = look.text("request?id=req-rebuild")
    assert "2 commands 4 events" in said
    assert "rebuild of web" in said
    assert "complete_rebuild of web" in said
    assert "caused by req-rebuild" in said


def test_a_refused_request_shows_why(look: Looking):
    assert "refused by the rule of lock" in look.text("request?id=req-refused")


def test_reports_are_charts_with_their_numbers(look: Looking):
    page = look.at("reports").text
    assert "1 rebuild: 1 completed" in plain(page)
    assert 'class="pygal-chart"' in page
    assert "2024-01 1" in plain(page)
    said = look.text("reports?show=metadata")
    assert "1 rebuild took metadata away from 1 server" in said
    assert "owner" in said
    assert OTHER_IMAGE in look.text("reports?show=images")


def test_what_is_counted_stands_beside_whole_numbers_each_once(look: Looking):
    for place in ("reports", "reports?show=images", "reports?show=metadata"):
        page = look.at(place).text
        charts = page.split('class="pygal-chart"')[1:]
        for chart in charts:
            beside = chart.partition('class="axis y')[2].partition("</g></g>")[0]
            numbers = re.findall(r"<text[^>]*>([^<]*)</text>", beside)
            assert numbers == ["0", "1"], place
        assert len(charts) == (2 if place == "reports" else 1)


def test_durations_are_told_apart_by_round_numbers():
    drawn = charts.histogram("Durations", [0.4, 3.9, 4.0, 17.0], "minutes")
    labels = re.findall(r"<text[^>]*>([^<]*)</text>", drawn.partition('class="axis x')[2])
    assert labels[:5] == ["3", "6", "9", "12", "15"]


def test_the_ledger_is_told_by_a_checkpoint_and_proves_an_event(servers: Servers, tmp_path: Path):
    key, note = tmp_path / "ledger.key", tmp_path / "log.checkpoint"
    servers.ledger.checkpoint(key, note)
    servers.unlock(WEB, Context(ACTORS["admin"]))
    look = Looking(servers, checkpoint=note, keys=[f"{key}.pub"])
    assert "1 came later" in look.text("ledger")
    assert "The log holds what was signed" in look.text("ledger?verify=yes")
    assert 'href="proof?position=4"' in look.at(f"server?id={WEB}&version=4").text
    proof = look.at("proof?position=4")
    assert "attachment" in proof.headers["content-disposition"]
    from serverdomain.audit.ledger import check_proof

    assert check_proof(proof.content, [f"{key}.pub"]).rank == 3
    assert look.at("proof?position=99").status_code == 404
    assert look.at(f"proof?position={servers.head()}").status_code == 409
    foreign = next(one for one in servers.timeline.search(request="req-create-3"))
    assert look.at(f"proof?position={foreign.position}").status_code == 404, "another project's"
    look.close()


def test_the_log_is_read_again_for_one_visitor_at_a_time(servers: Servers, tmp_path: Path):
    """Those who waited for their turn would take the places of all who look."""
    key, note = tmp_path / "ledger.key", tmp_path / "log.checkpoint"
    servers.ledger.checkpoint(key, note)
    kept = Kept(servers, None, note, (f"{key}.pub",))
    with kept._verifying, pytest.raises(CallFault) as refused:
        kept.verified(note)
    assert refused.value.status == 503
    assert kept.verified(note).problems == kept.verified(note).problems == ()


def test_a_checkpoint_of_another_log_is_not_what_was_signed(servers: Servers, tmp_path: Path):
    with Servers.open("memory:") as other:
        other.register(RegisterServer(**vars_of(servers.get(WEB))))
        other.ledger.checkpoint(tmp_path / "key", tmp_path / "note")
    look = Looking(servers, checkpoint=tmp_path / "note", keys=[tmp_path / "key.pub"])
    assert "The log is not what was signed" in look.text("ledger?verify=yes")
    look.close()


def vars_of(server):
    named = ("name", "project_id", "user_id", "image_id", "flavor_id")
    given = {name: getattr(server, name) for name in named}
    return given | {
        "server_id": server.id,
        "status": "ACTIVE",
        "created": server.created_micros,
        "updated": server.created_micros,
    }


@pytest.mark.skipif(os.geteuid() == 0 and not hasattr(os, "chmod"), reason="root writes anyway")
def test_a_store_that_is_only_read_is_shown_and_stays_as_it_is(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    now = clock()
    folder = tmp_path / "kept"
    folder.mkdir()
    with Servers.open(folder / "cloud.db", clock=now) as servers:
        told(servers, now)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with Servers.open(folder / "cloud.db", read_only=True) as servers:
        look = Looking(servers, user="admin")
        for path in (
            "",
            f"server?id={WEB}",
            f"compare?id={WEB}",
            "reports",
            "ledger",
            "?as_of=position:3",
        ):
            assert look.at(path).status_code == 200
        look.close()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
