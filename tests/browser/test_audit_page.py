"""The audit page in a real browser: with and without a script, by keyboard, in every width."""

from __future__ import annotations

from typing import Any

import pytest

from serverdomain import Actor, Context, RebuildServer, Servers
from serverdomain.adapters.audit_page import audit_app
from serverdomain.adapters.http import NoAuthentication
from serverdomain.testing import registered
from tests.adapters.audit_page.looking import ODD, WEB
from tests.adapters.http.client import IMAGE, OTHER_IMAGE
from tests.adapters.http.real import serving
from tests.browser.conftest import Watched

PLACES = {
    "fleet": "",
    "server": f"server?id={WEB}&version=4",
    "refused": f"server?id={WEB}",
    "hostile": f"server?id={ODD}",
    "compare": f"compare?id={WEB}",
    "request": "request?id=req-rebuild",
    "rebuilds": "reports",
    "images": "reports?show=images",
    "metadata": "reports?show=metadata",
    "ledger": "ledger?verify=yes",
    "mishap": "server?id=none",
}


def settled(page: Any, place: str) -> None:
    page.wait_for_function(
        "text => document.getElementById('place').textContent.includes(text)", arg=place
    )


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 390)])
def test_axe_finds_nothing(browser: Any, root: str, theme: str, width: int):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="make test-all")
    # axe is put in by the test, past the policy.
    screen = {"width": width, "height": 900}
    watched = Watched(browser, color_scheme=theme, viewport=screen, bypass_csp=True)
    for place in PLACES.values():
        watched.page.goto(root + place)
        found = axe.Axe().run(watched.page)
        assert found.violations_count == 0, f"{place}: {found.generate_report()}"
    watched.context.close()


def test_nothing_is_run_loaded_or_forbidden_that_is_not_the_pages_own(watched: Watched, root: str):
    for name, place in PLACES.items():
        if name != "mishap":  # Whose status the browser complains of.
            watched.page.goto(root + place)
    assert all(url.startswith(root) for url in watched.asked)


@pytest.mark.parametrize("width", [390, 1440, 2560])
def test_no_page_is_wider_than_its_screen(browser: Any, root: str, width: int):
    watched = Watched(browser, viewport={"width": width, "height": 900})
    wide = []
    for name, place in PLACES.items():
        watched.page.goto(root + place)
        if watched.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wide.append(name)
    watched.context.close()
    assert wide == []


def test_one_scrubs_with_the_slider_and_the_link_follows(watched: Watched, root: str):
    page = watched.page
    page.goto(root + PLACES["refused"])
    slider = page.get_by_role("slider", name="Moment")
    assert slider.get_attribute("aria-valuetext") == "event 8 of 8"
    slider.fill("4")
    settled(page, "event 4 of 8, ImageChanged")
    assert page.url.endswith("#version=4")
    assert page.locator("mark").inner_text().strip() == f'"id": "{OTHER_IMAGE}",'
    assert page.locator("tr[aria-current] th").inner_text() == "ImageChanged"
    page.get_by_role("link", name="refused").click()
    settled(page, "event 8 of 8")
    assert page.url.endswith("#position=8"), "a refusal has no version"


def test_one_scrubs_with_keys_alone(watched: Watched, root: str):
    page = watched.page
    page.goto(root + PLACES["refused"])
    for key, place in (
        ("Home", "event 1 of 8"),
        ("ArrowRight", "event 2 of 8"),
        ("End", "event 8 of 8"),
        ("ArrowLeft", "event 7 of 8"),
    ):
        page.keyboard.press(key)
        settled(page, place)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowLeft")
    settled(page, "event 6 of 8")


def test_a_link_leads_to_its_moment(watched: Watched, root: str):
    watched.page.goto(f"{root}server?id={WEB}#version=3")
    settled(watched.page, "event 3 of 8, RebuildRequested")
    watched.page.evaluate("location.hash = '#position=8'")
    settled(watched.page, "event 8 of 8")
    assert "refused by the rule of" in watched.page.locator("#moment").inner_text()


def test_a_click_into_the_timeline_leads_there(watched: Watched, root: str):
    watched.page.goto(root + PLACES["refused"])
    watched.page.locator(".life").click(position={"x": 2, "y": 80})
    settled(watched.page, "event 2 of 8")


def test_all_can_be_read_without_a_script(browser: Any, root: str):
    watched = Watched(browser, java_script_enabled=False)
    page = watched.page
    page.goto(root)
    page.get_by_label("Name has").fill("web")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="web").click()
    page.get_by_role("link", name="First event").click()
    assert "ServerRegistered" in page.locator("#moment").inner_text()
    page.get_by_role("link", name="Event after").click()
    assert "ServerBuilt" in page.locator("#moment").inner_text()
    page.locator("dd a").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == "What a request caused"
    watched.close()


def test_a_page_is_reached_by_the_keyboard_from_its_beginning(watched: Watched, root: str):
    page = watched.page
    page.goto(root)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_page_keeps_itself_up_to_date_while_a_rebuild_runs(watched: Watched):
    me = Context(Actor("fake", "openstack"), "req-rebuild")
    with Servers.open("memory:") as servers:
        servers.record(WEB, [registered(server_id=WEB, name="web", image_id=IMAGE)])
        app = audit_app(servers, authenticate=NoAuthentication())
        with serving(app) as (host, port):
            page, root = watched.page, f"http://{host}:{port}/"
            fleet = watched.context.new_page()
            fleet.goto(root)
            page.goto(f"{root}server?id={WEB}")
            page.get_by_text("live").wait_for()
            servers.rebuild(WEB, RebuildServer(image_id=OTHER_IMAGE), me)
            settled(page, "event 3 of 3")
            caused = watched.context.new_page()
            caused.goto(f"{root}request?id={me.request_id}")
            assert "1 command" in caused.locator(".facts").first.inner_text()
            fleet.locator(".status-REBUILD").wait_for()
            fleet.get_by_role("link", name="web").focus()
            caused.locator("summary").first.click()
            page.keyboard.press("Home")
            settled(page, "event 1 of 3")
            servers.complete_rebuild(WEB, Context(me.actor, caused_by=me.request_id))
            settled(page, "event 1 of 4")
            caused.get_by_text("2 commands").wait_for()
            fleet.locator(".status-ACTIVE").wait_for()
            assert fleet.evaluate("document.activeElement.textContent") == "web"
            assert caused.locator("details[open]").count() == 1, "what was opened stays so"
            app.end()


def test_what_happens_while_a_page_is_fetched_anew_is_shown_as_well(watched: Watched):
    me = Context(Actor("root", "openstack", ("admin",)))
    with Servers.open("memory:") as servers:
        servers.record(WEB, [registered(server_id=WEB, name="web", image_id=IMAGE)])
        app = audit_app(servers, authenticate=NoAuthentication())
        with serving(app) as (host, port):
            page, held = watched.page, []
            page.goto(f"http://{host}:{port}/server?id={WEB}")
            page.get_by_text("live").wait_for()
            page.evaluate(
                "() => { window.heads = []; new EventSource('news').addEventListener("
                "'head', event => heads.push(Number(event.data))); }"
            )
            page.wait_for_function("() => heads.length")

            # The answer to the first question waits until the page was told of more.
            def hold(route: Any) -> None:
                held.append(route)

            page.route("**/server?*", hold, times=1)
            with page.expect_request("**/server?*"):
                servers.stop(WEB, me)
            page.wait_for_function("head => heads.includes(head)", arg=servers.head())
            (route,) = held
            answer = route.fetch()
            servers.start(WEB, Context(me.actor))
            page.wait_for_function("head => heads.includes(head)", arg=servers.head())
            route.fulfill(response=answer)
            settled(page, "event 3 of 3")
            app.end()


def test_a_proof_is_downloaded(watched: Watched, root: str):
    watched.page.goto(root + PLACES["server"])
    with watched.page.expect_download() as download:
        watched.page.get_by_role("link", name="proof").click()
    assert download.value.suggested_filename == "position-4.proof"


def test_a_browser_signs_in_with_a_token(browser: Any, cloud: Servers):
    def by_token(request: Any) -> Actor | None:
        token = request.headers.get("x-auth-token")
        return Actor("fake", "openstack") if token == "the-token" else None

    app = audit_app(cloud, authenticate=by_token)
    with serving(app) as (host, port):
        watched = Watched(browser, http_credentials={"username": "me", "password": "the-token"})
        watched.page.goto(f"http://{host}:{port}/")
        assert "fake in openstack" in watched.page.locator(".who").inner_text()
        watched.page.get_by_text("live").wait_for()
        app.end()
        watched.context.close()
