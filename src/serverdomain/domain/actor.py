"""Who asks: a user, in a project, with roles."""

from __future__ import annotations

from msgspec import Struct

from serverdomain.domain.limits import text
from serverdomain.errors import InvalidInput


class Actor(Struct, frozen=True):
    """Who asks for something.

    ``user_id`` and ``project_id`` are OpenStack's ids: any text of 1 to 255 characters. ``roles``
    are names. ``admin`` passes locks; without ``member`` or ``admin`` nobody may act.
    """

    user_id: str
    project_id: str
    roles: tuple[str, ...] = ("member",)

    def __post_init__(self) -> None:
        text("user_id", self.user_id, shortest=1, longest=255)
        text("project_id", self.project_id, shortest=1, longest=255)
        if not isinstance(self.roles, tuple):
            raise InvalidInput("roles", f"{self.roles!r} came, a tuple of names is allowed")
        for role in self.roles:
            text("roles", role, shortest=1, longest=255)

    @property
    def is_admin(self) -> bool:
        """Whether the rules treat this actor as an administrator."""
        return "admin" in self.roles

    @property
    def may_act(self) -> bool:
        """Whether this actor may do more than read."""
        return "member" in self.roles or "admin" in self.roles


SYSTEM = Actor("system", "system")
"""The embedding service itself, for commands that name nobody: a member, not an administrator."""
