"""The error tree.

::

    ServerdomainError
    ├── InvalidInput
    │   └── InvalidBody
    ├── Refused
    ├── Conflict
    │   └── RequestIdTaken
    ├── NotFound
    ├── Unproven
    ├── ExtraMissing
    └── StoreError
        ├── StoreMissing
        ├── StoreForeign
        ├── StoreNewer
        ├── StoreDamaged
        ├── StoreLocked
        ├── StoreBehind
        ├── StoreReadOnly
        ├── UnknownEvent
        └── OutcomeUnknown

Each class says what it means; docs/embedding.md says what to do about it. Every message is one line
that says what it is about, what came and what is allowed. None ever holds a password.
"""

from __future__ import annotations

from typing import Any


class ServerdomainError(Exception):
    """Anything that this library raises on purpose. It goes whole from process to process."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Python would make it anew of its message, and a pool of processes breaks where it cannot.
        plain = super().__reduce__()
        assert isinstance(plain, tuple)
        return (_as_raised, (type(self), plain[1]), *plain[2:])


class InvalidInput(ServerdomainError, ValueError):
    """The input alone is wrong, whatever the log holds.

    ``field`` names the member (``"metadata"``, ``"occurred_at"``, ``"rebuild.name"``).
    """

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


class InvalidBody(InvalidInput):
    """A body that the Compute API would not take.

    ``status`` is the HTTP status of its answer (400, 404 or 415), ``fault`` the fault's name.
    """

    def __init__(
        self, field: str, message: str, *, status: int = 400, fault: str = "badRequest"
    ) -> None:
        super().__init__(field, message)
        self.status = status
        self.fault = fault


class Refused(ServerdomainError):
    """A rule said no, and nothing changed. The log may keep what was refused.

    ``rule`` is ``"role"``, ``"lock"``, ``"state"``, ``"image"``, ``"quota"`` or ``"time"``, or, for
    a question, ``"head"``: it asks for a version or position beyond the last one, or ``"name"``: it
    names more than one server. ``version`` is the server's that a command was decided on: where
    many write, another may be the last by now.
    """

    version: int | None = None

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        super().__init__(message)


class Conflict(ServerdomainError):
    """Another command came first, or the state is not the one that was decided on."""


class RequestIdTaken(Conflict):
    """Another command was recorded under this request id."""


class NotFound(ServerdomainError):
    """There is no such server, or it has no such metadata key, as things are now."""


class Unproven(ServerdomainError):
    """A signature or a proof does not hold: do not believe what it says."""


class ExtraMissing(ServerdomainError, ModuleNotFoundError):
    """Something needs a package that is not installed. The message says how to install it.

    ``name`` is the package, ``extra`` the extra of this library that brings it.
    """

    def __init__(self, what: str, name: str | None, extra: str) -> None:
        self.extra = extra
        super().__init__(
            f"{what} needs {name}, which is not installed; {_pip_install(extra)} brings it",
            name=name,
        )


class StoreError(ServerdomainError):
    """A store or a view cannot be used. ``place`` is where it lies, if that is what is wrong."""

    place: object = None


class StoreMissing(StoreError):
    """There is no store at that place, or it was removed while it was open."""


class StoreForeign(StoreError):
    """The file holds something else, or another log's view. It was not touched."""


class StoreNewer(StoreError):
    """A newer release of this library wrote the file. It was not touched."""


class StoreDamaged(StoreError):
    """The file is no longer a sound database."""


class StoreLocked(StoreError):
    """Another process held the lock for longer than we wait."""


class StoreBehind(StoreError):
    """What was waited for did not come in time: here the log is not that far, or lost it."""


class StoreReadOnly(StoreError):
    """The store cannot be written, or was opened to be read alone. Nothing happened."""


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

    The same command, sent again under ``request_id``, finds out, and happens if it had not.
    """

    def __init__(self, request_id: str, why: str) -> None:
        self.request_id = request_id
        super().__init__(
            f"the outcome is unknown ({why}): repeat the same command with request id {request_id}"
        )


def _as_raised(kind: type[ServerdomainError], message: tuple[Any, ...]) -> ServerdomainError:
    return kind.__new__(kind, *message)


def _pip_install(extra: str) -> str:
    """The command that adds an extra to this installation, from where that came from."""
    import json
    import sys
    from importlib.metadata import PackageNotFoundError, distribution
    from importlib.util import find_spec
    from pathlib import Path
    from shlex import quote
    from shutil import which
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    pip = "pip install"
    # Beside an environment that is not activated, "pip" would be another's.
    ours = Path(sys.executable).parent
    if Path(which("pip") or "").parent != ours and find_spec("pip") is not None:
        pip = f"{quote(sys.executable)} -m {pip}"
    try:
        origin = json.loads(distribution("serverdomain").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    url, wanted = origin.get("url", ""), f"serverdomain[{extra}]"
    if url.startswith("file:"):
        place = f"{url2pathname(urlsplit(url).path)}[{extra}]"
        editable = origin.get("dir_info", {}).get("editable", False)
        return f"{pip} {'-e ' if editable else ''}{quote(place)}"
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}"
    if url:
        return f"{pip} {quote(f'{wanted} @ {url}')}"
    return f"{pip} {quote(wanted)} (from the index that it came from)"
