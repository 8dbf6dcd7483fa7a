"""The settings that point clients at an endpoint, for a shell or a file."""

from __future__ import annotations

from typing import Annotated, Literal

from serverdomain.adapters.cli.answers import say
from serverdomain.adapters.cli.options import ENDPOINT, Endpoint
from serverdomain.adapters.cli.parameters import Commands, flag, option

app = Commands()

Auth = Annotated[Literal["none", "token-file"], option(None, "How callers are authenticated.")]


def _checked(project: str) -> str:
    from serverdomain.domain.limits import text

    return text("--project", project, shortest=1, longest=255)


Project = Annotated[
    str | None,
    option(
        "ID",
        "The project that the path names.",
        show_default="as the endpoint has it",
        callback=lambda given: None if given is None else _checked(given),
    ),
]


@app.command()
def env(
    auth: Auth = "none",
    as_clouds_yaml: Annotated[bool, flag("--clouds-yaml", "Print a clouds.yaml instead.")] = False,
    project: Project = None,
    endpoint: Endpoint = ENDPOINT,
) -> None:
    """Print the settings of an endpoint for OpenStack clients."""
    from serverdomain.adapters.client_settings import clouds_yaml, shell_lines

    token = auth == "token-file"
    if as_clouds_yaml:
        say(clouds_yaml(endpoint, token=token, project=project).removesuffix("\n"))
    else:
        say("\n".join(shell_lines(endpoint, token=token, project=project)))
