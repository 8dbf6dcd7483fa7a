"""Who asks."""

import pytest

from serverdomain.domain.actor import SYSTEM, Actor
from serverdomain.errors import InvalidInput


@pytest.mark.parametrize(
    ("roles", "may_act", "is_admin"),
    [
        ((), False, False),
        (("reader",), False, False),
        (("Admin", "Member"), False, False),
        (("member",), True, False),
        (("reader", "member"), True, False),
        (("admin",), True, True),
        (("member", "admin"), True, True),
    ],
)
def test_the_roles_say_who_may_act_and_who_passes_locks(
    roles: tuple[str, ...], may_act: bool, is_admin: bool
) -> None:
    actor = Actor("fake", "openstack", roles)
    assert (actor.may_act, actor.is_admin) == (may_act, is_admin)


def test_an_actor_is_a_member_unless_said_otherwise() -> None:
    assert Actor("fake", "openstack").roles == ("member",)


def test_the_embedding_service_is_a_member_and_no_administrator() -> None:
    assert (SYSTEM.user_id, SYSTEM.project_id) == ("system", "system")
    assert SYSTEM.may_act
    assert not SYSTEM.is_admin


@pytest.mark.parametrize("size", [1, 255])
def test_ids_and_roles_have_1_to_255_characters(size: int) -> None:
    name = "é" * size
    assert Actor(name, name, (name,)) == Actor(name, name, (name,))


@pytest.mark.parametrize("bad", ["", "x" * 256, "\ud800", None, 7, b"fake"])
def test_nothing_else_is_an_id_or_a_role(bad: object) -> None:
    with pytest.raises(InvalidInput, match=r"^user_id: ") as no:
        Actor(bad, "openstack")
    assert no.value.field == "user_id"
    with pytest.raises(InvalidInput, match=r"^project_id: "):
        Actor("fake", bad)
    with pytest.raises(InvalidInput, match=r"^roles: "):
        Actor("fake", "openstack", ("member", bad))


@pytest.mark.parametrize("bad", ["admin", ["admin"], {"admin"}, None])
def test_roles_come_as_a_tuple(bad: object) -> None:
    # The text "admin" would otherwise hold the roles "a", "d", "m", "i" and "n".
    with pytest.raises(InvalidInput, match=r"^roles: .* came, a tuple of names is allowed"):
        Actor("fake", "openstack", bad)


def test_an_actor_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        SYSTEM.roles = ("admin",)
