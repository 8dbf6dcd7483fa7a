"""The first page, for people who open the endpoint in a browser: what this is, where things are."""

from __future__ import annotations

from starlette.responses import Response

from serverdomain.adapters.client_settings import shell_lines
from serverdomain.adapters.http.calls.route import Here
from serverdomain.adapters.http.routes.page import code, link, page, table, text


def welcome(here: Here) -> Response:
    """The page."""
    places = [
        ("/v2.1/", "The Compute API at microversion 2.1, with or without a project in the path."),
        ("/v2/", "The same as it was first documented, below a project: /v2/PROJECT/servers."),
        ("/docs", "Every route, what it takes and what it answers."),
        ("/openapi.json", "The same as an OpenAPI document, for programs."),
    ]
    if here.has_control:
        places.append(
            ("/control", "Faults on purpose, the clock, a fresh start, and what was asked.")
        )
    rows = [(link(f"{here.root}{path}", path), text(says)) for path, says in places]
    token = ' -H "X-Auth-Token: $OS_TOKEN"' if here.needs_token else ""
    tries = [
        *shell_lines(here.root, token=here.needs_token),
        f"curl {here.root}/v2.1/servers{token}",
    ]
    return page(
        "serverdomain: a Compute endpoint",
        f"""<h1>A Compute endpoint of serverdomain</h1>
<p>It answers OpenStack's Compute API from a log in which every change to a server is a fact that
stays. Clients such as {code("openstack")}, openstacksdk and libcloud can talk to it. To everything
but a browser, this address answers with the versions that it serves.</p>
<h2>Where things are</h2>
{table(("path", "what is there"), rows)}
<h2>Point a client at it</h2>
<pre>{text(chr(10).join(tries))}</pre>
<p class="soft">{_who(here)}</p>""",
    )


def _who(here: Here) -> str:
    if here.needs_token:
        return "It asks every caller for a token."
    return "It asks nobody for a token: the project in the path is the caller's."
