"""A rule by which something goes wrong on purpose: for whom, how often, and what.

A rule that could never match, or does nothing, is refused when it is read: so a test that passes
has met the fault that it set.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from serverdomain.adapters.compute_json.body import Strict, check, parse
from serverdomain.adapters.compute_json.refusal import kind
from serverdomain.adapters.http.calls.route import UNKNOWN_ACTION
from serverdomain.adapters.http.routes.table import NAMES, ROUTES
from serverdomain.domain.limits import MOST_METADATA, canonical_uuid
from serverdomain.errors import InvalidBody

ANYBODY = "*"

_OF_A_SERVER = frozenset(
    {route.name for route in ROUTES if "{server_id}" in route.path} | {UNKNOWN_ACTION}
)
_CREATE = "servers.create"
_BYTES = 255
_HALFWAY = 50


class FaultRule(Strict):
    """What ``/control/faults`` is sent.

    Whose: ``server`` (an id, or ``*``), ``name`` (a glob) and ``metadata`` (items that are among
    the server's), all of them; without one, anybody's. How often: ``times``. What: in the machine
    ``rebuild``, ``at`` a percentage; or in HTTP, on a ``route``, a ``status`` with ``retry_after``
    seconds, a ``delay`` in seconds, or a ``drop`` of the connection.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str | None = None
    name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    metadata: Annotated[dict[str, str], Field(min_length=1, max_length=MOST_METADATA)] | None = None
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    rebuild: Literal["scheduling", "hypervisor", "hang"] | None = None
    at: Annotated[int, Field(ge=0, le=100)] | None = None
    route: str | None = None
    status: Annotated[int, Field(ge=400, le=599)] | None = None
    retry_after: Annotated[int, Field(ge=0, le=86_400)] | None = None
    delay: Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)] | None = None
    drop: Literal["before", "after"] | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _said(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("leave out what is not meant")
        return value

    @field_validator("server")
    @classmethod
    def _one_server(cls, value: str) -> str:
        return value if value == ANYBODY else canonical_uuid("server", value)

    @field_validator("metadata")
    @classmethod
    def _items(cls, value: dict[str, str]) -> dict[str, str]:
        for text in (*value, *value.values()):
            if len(text.encode()) > _BYTES:
                raise ValueError(
                    "keys and values of at most 255 bytes are allowed, as servers have"
                )
        return value

    @field_validator("status")
    @classmethod
    def _known_status(cls, value: int) -> int:
        HTTPStatus(value)
        return value

    @property
    def percent(self) -> int:
        """When the rebuild fails: ``at``, or else at once if no host is found, or halfway."""
        if self.at is not None:
            return self.at
        return 0 if self.rebuild == "scheduling" else _HALFWAY

    def as_json(self) -> dict[str, Any]:
        """The rule as it was sent."""
        return self.model_dump(exclude_unset=True)


def read_rule(body: bytes, content_type: str | None) -> FaultRule:
    """Read a rule. Raises `InvalidBody`."""
    rule = check(FaultRule, parse(body, content_type), "")
    if rule.rebuild is None and rule.route is None:
        raise InvalidBody("body", "nothing says where, rebuild or route is required")
    if rule.rebuild is not None:
        _only(rule, "rebuild", ("route", "status", "retry_after", "delay", "drop"))
        return rule
    _only(rule, "route", ("at",))
    if rule.route not in NAMES:
        known = ", ".join(NAMES)
        raise InvalidBody("route", f"there is no {rule.route!r}, {known} are allowed")
    if rule.status is None and rule.delay is None and rule.drop is None:
        raise InvalidBody("body", "nothing says what, status, delay or drop is required")
    if rule.status is not None and rule.drop is not None:
        raise InvalidBody("drop", "with a status it could never happen, one of them is allowed")
    if rule.retry_after is not None and rule.status is None:
        raise InvalidBody("retry_after", "it came without a status, with one it is allowed")
    _could_match(rule)
    return rule


def _could_match(rule: FaultRule) -> None:
    if rule.route in _OF_A_SERVER:
        return
    allowed = ("name", "metadata") if rule.route == _CREATE else ()
    for field in ("server", "name", "metadata"):
        given = getattr(rule, field)
        if given is not None and given != ANYBODY and field not in allowed:
            raise InvalidBody(field, f"{rule.route} is no call about one server: it never matches")


def _only(rule: FaultRule, beside: str, fields: tuple[str, ...]) -> None:
    for field in fields:
        if getattr(rule, field) is not None:
            came = kind(getattr(rule, field))
            raise InvalidBody(field, f"{came} came with {beside}, a rule of its own is allowed")
