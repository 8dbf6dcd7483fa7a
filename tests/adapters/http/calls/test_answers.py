"""The answer to an error: its status, its name, and what it tells whoever asked to do."""

from __future__ import annotations

import json

import pytest

from serverdomain import InvalidBody, NotFound, Refused
from serverdomain.adapters.http.calls.answers import NAMES, CallFault, envelope, fault
from serverdomain.errors import OutcomeUnknown, ServerdomainError, StoreLocked

LOCKED = StoreLocked("/var/lib/cloud.db is locked")
UNKNOWN = OutcomeUnknown("req-1", "I/O error")
NOTHING, PERHAPS = (
    f"The store cannot be used, {what}: "
    for what in ("nothing happened", "whether it happened is unknown")
)


def told(error: Exception, *, key_sent: bool | None = None) -> tuple[int, str, str]:
    """Its status, its name and its message."""
    answer = fault(error) if key_sent is None else fault(error, key_sent=key_sent)
    ((name, said),) = json.loads(answer.body).items()
    assert said["code"] == answer.status_code
    return answer.status_code, name, said["message"]


@pytest.mark.parametrize(
    ("error", "status", "name", "message"),
    [
        (CallFault(501, "not here"), 501, "notImplemented", "not here"),
        (InvalidBody("a", "no"), 400, "badRequest", "a: no"),
        (InvalidBody("a", "no", status=418, fault="teapot"), 418, "teapot", "a: no"),
        (NotFound("a"), 404, "itemNotFound", str(NotFound("a"))),
        (Refused("lock", "it is locked"), 409, "conflictingRequest", "it is locked"),
        (ServerdomainError("what"), 500, "computeFault", "what"),
        (ZeroDivisionError("s3cret"), 500, "computeFault", "Unexpected API Error."),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else "",
)
def test_an_error_has_its_status_its_name_and_its_message(
    error: Exception, status: int, name: str, message: str
) -> None:
    assert told(error) == (status, name, message)


@pytest.mark.parametrize(
    ("error", "key_sent", "message"),
    [
        (LOCKED, None, f"{NOTHING}repeat the call, best under an Idempotency-Key."),
        (LOCKED, True, f"{NOTHING}repeat the call under its Idempotency-Key."),
        (UNKNOWN, True, f"{PERHAPS}repeat the call under its Idempotency-Key."),
        (
            UNKNOWN,
            False,
            f"{PERHAPS}look for req-1 in os-instance-actions before you repeat the call. "
            "Under an Idempotency-Key you could repeat it at once.",
        ),
    ],
    ids=["locked", "locked, with a key", "unknown, with a key", "unknown"],
)
def test_trouble_with_the_store_tells_what_happened_and_what_to_do(
    error: Exception, key_sent: bool | None, message: str
) -> None:
    assert told(error, key_sent=key_sent) == (503, "serviceUnavailable", message)


def test_the_headers_of_a_fault_are_written_with_hyphens() -> None:
    assert fault(CallFault(503, "later", retry_after="1")).headers["retry-after"] == "1"


def test_a_status_without_a_name_of_its_own_is_a_compute_fault() -> None:
    assert 422 not in NAMES
    assert b'"computeFault":{"code":422' in envelope(422, "no").body
