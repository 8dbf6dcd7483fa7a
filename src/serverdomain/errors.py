"""The error tree.

::

    ServerdomainError
    ├── InvalidInput             the words alone are wrong: a field, what came, what is allowed
    │   └── InvalidBody          a request body or a document (adds the HTTP status and fault name)
    ├── Refused                  a rule said no; ``rule`` names which
    ├── Conflict                 another command came first, or the state is not the one decided on
    │   └── RequestIdTaken       another command was recorded under this request id
    ├── NotFound                 no such server (or metadata key) as things are now
    ├── Unproven                 a signature or a proof does not hold
    └── StoreError               a store or view cannot be used
        ├── StoreMissing         there is none
        ├── StoreForeign         the file holds something else, or another log's view
        ├── StoreNewer           written by a newer release of this library
        ├── StoreDamaged         the file is no longer a sound database
        ├── StoreLocked          locked by another process for too long
        ├── UnknownEvent         the log holds an event that this release does not know
        └── OutcomeUnknown       the commit failed in a way that does not tell whether it happened

Every message is one line that says what it was about, what came and what is allowed. None of them
ever holds a password.
"""

from __future__ import annotations


class ServerdomainError(Exception):
    """Whatever this library raises on purpose."""


class InvalidInput(ServerdomainError, ValueError):
    """The words alone are wrong, whatever the log holds.

    ``field`` names the member (``"metadata"``, ``"occurred_at"``, ``"rebuild.name"``).
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


class InvalidBody(InvalidInput):
    """A body that the Compute API would not take.

    ``status`` is the HTTP status that it answers (400, 404 or 415), ``fault`` the fault's name.
    """

    def __init__(
        self, field: str, message: str, *, status: int = 400, fault: str = "badRequest"
    ) -> None:
        super().__init__(field, message)
        self.status = status
        self.fault = fault


class Refused(ServerdomainError):
    """A rule said no, and nothing changed; the log may keep that it was asked.

    ``rule`` is one of ``"role"``, ``"lock"``, ``"state"``, ``"image"``, ``"quota"``, ``"time"``
    and, of a question, ``"head"``: it asks for a version or position beyond the last one.
    """

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


class Conflict(ServerdomainError):
    """Another command came first, or the state is not the one that was decided on."""


class RequestIdTaken(Conflict):
    """Another command was recorded under this request id: take a new one, or repeat that one."""


class NotFound(ServerdomainError):
    """There is no such server, or it has no such metadata key."""


class Unproven(ServerdomainError):
    """A signature or a proof does not hold: what it says is not to be believed."""


class StoreError(ServerdomainError):
    """A store or a view cannot be used; ``place`` is where it lies, if that is what is wrong."""

    place: object = None


class StoreMissing(StoreError):
    """There is no store at that place."""


class StoreForeign(StoreError):
    """The file holds something else; it was not touched."""


class StoreNewer(StoreError):
    """The file was written by a newer release of this library; it was not touched."""


class StoreDamaged(StoreError):
    """The file is no longer a sound database."""


class StoreLocked(StoreError):
    """Another process held the lock for longer than we wait."""


class UnknownEvent(StoreError):
    """The log holds an event that this release does not know.

    ``topic`` is its permanent name and version, ``position`` its place in the log.
    """

    def __init__(self, topic: str, position: int) -> None:
        self.topic = topic
        self.position = position
        super().__init__(
            f"position {position} of the log holds {topic!r}, an event of a newer release of "
            "serverdomain: upgrade to read it"
        )


class OutcomeUnknown(StoreError):
    """The commit failed in a way that does not tell whether the command happened.

    Send the same command again under ``request_id``: it finds out, and ends whole.
    """

    def __init__(self, request_id: str, why: str) -> None:
        self.request_id = request_id
        super().__init__(
            f"the outcome is unknown ({why}): repeat the same command with request id {request_id}"
        )
