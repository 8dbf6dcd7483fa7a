"""Wrong types are refused by name at a door, whatever stands between the door and its function."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serverdomain import Actor, InvalidInput
from serverdomain.domain.typed import typed


@typed
@contextmanager
def greeted(actor: Actor) -> Iterator[str]:
    yield f"hello {actor.user_id}"


def test_a_door_behind_a_decorator_knows_the_types_of_the_function_behind_it() -> None:
    with greeted(Actor("fake", "openstack")) as words:
        assert words == "hello fake"
    with pytest.raises(InvalidInput, match="actor: a str came, an Actor is allowed"):
        greeted("fake")  # type: ignore[arg-type]
