"""A wrong type at any public door is refused by the name of its parameter, and nothing is written.

The doors are found by looking: what a package exports, and what these things give back. A door that
is new is tried as soon as it is there, or the test says what it lacks to try it.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from serverdomain import AsyncServers, InvalidInput, Servers
from serverdomain.domain.commands import StopServer
from serverdomain.testing import given, registered
from serverdomain.testing.compute_endpoint import ComputeEndpoint
from tests.house.doors import SERVER, Door, doors

DOORS = list(doors())


class Nonsense:
    """Of no type that anything takes."""


WRONG = [
    (door, parameter, wrong)
    for door in DOORS
    for parameter in door.parameters
    for wrong in (Nonsense(), None)
    if wrong is not None or not door.takes_none(parameter)
]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One of everything that has methods, by the name of its class."""
    with ExitStack() as stack:
        servers = stack.enter_context(Servers.open("memory:"))
        servers.record(SERVER, [registered()])
        heard: list[Any] = []
        reaction = stack.enter_context(servers.react("one", heard.append, start="beginning"))
        assert reaction.caught_up(10)
        async_servers = AsyncServers(servers)
        async_reaction = asyncio.run(async_servers.react("another", heard.append))
        endpoint = ComputeEndpoint(tmp_path_factory.mktemp("endpoint"))
        stack.callback(endpoint.close)
        yield {
            "Servers": servers,
            "AsyncServers": async_servers,
            "AsyncReaction": async_reaction,
            "Server": servers.get(SERVER),
            "Log": servers._log,
            "Timeline": servers.timeline,
            "ServerView": servers.view,
            "Ledger": servers.ledger,
            "Fleet": stack.enter_context(servers.fleet()),
            "Reaction": reaction,
            "Happened": heard[0],
            "Scenario": given(registered()),
            "Verdict": given(registered()).when(StopServer()),
            "ManualClock": endpoint.servers._clock,
            "Faults": endpoint.faults,
            "Clock": endpoint.clock,
            "Requests": endpoint.requests,
        }


def awaited(given: object) -> None:
    """What is awaited may say no as late as then."""

    async def wait(asked: Awaitable[object]) -> None:
        await asked

    if isinstance(given, Awaitable):
        asyncio.run(wait(given))


def ask(door: Door, there: dict[str, Any], wrongly: dict[str, Any]) -> object:
    """Go through a door, with what is not given and must be as it should be."""
    must = {
        name: there.get(name.title()) or door.right(name)
        for name, needed in door.parameters.items()
        if needed
    }
    of = door.thing
    (wrong,) = wrongly
    if isinstance(getattr(of, door.member, None), property):
        return setattr(there[of.__name__], door.member, wrongly[wrong])
    if door.member not in ("", "__init__"):
        of = getattr(there.get(of.__name__, of), door.member)
    if wrong == door.rest:
        return of(*must.values(), wrongly[wrong])
    return of(**{**must, **wrongly})


@pytest.mark.parametrize(
    ("door", "parameter", "wrong"),
    WRONG,
    ids=[f"{door.name}-{name}-{type(wrong).__name__}" for door, name, wrong in WRONG],
)
def test_a_wrong_type_is_refused_by_the_name_of_its_parameter(
    there: dict[str, Any], door: Door, parameter: str, wrong: object
) -> None:
    before = there["Servers"].view.status().head
    with pytest.raises(InvalidInput) as refused:
        awaited(ask(door, there, {parameter: wrong}))
    assert refused.value.field.split(".")[0] == parameter
    assert "came" in str(refused.value)
    assert "allowed" in str(refused.value)
    assert there["Servers"].view.status().head == before
