"""Trouble: the store's is 503 and says what to do, the unforeseen 500 and says nothing."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from serverdomain import Servers
from serverdomain.adapters.http import compute_app
from serverdomain.adapters.http.calls.answers import OF_RULE
from serverdomain.errors import (
    OutcomeUnknown,
    ServerdomainError,
    StoreDamaged,
    StoreError,
    StoreLocked,
    UnknownEvent,
)
from serverdomain.servers import system_clock
from serverdomain.store.log import Log
from tests.adapters.http.client import IMAGE, SERVER, Client, by_name, fault_of

REBUILD = {"rebuild": {"imageRef": IMAGE, "adminPass": "s3cret"}}
KEY = {"Idempotency-Key": "k"}


class BrokenLog(Log):
    """A log in which every command fails in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def accept_many(self, requests: object) -> Any:
        raise self._error


class Broken(Servers):
    """Servers of which every question and command fails in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self._log = BrokenLog(error)
        self._clock = system_clock

    def __getattribute__(self, name: str) -> Any:
        if name == "read_only":
            return False
        if name.startswith("_"):
            return object.__getattribute__(self, name)

        def fail(*_: Any, **__: Any) -> None:
            raise self._error

        return fail


def asked(error: Exception, **headers: str) -> Any:
    ask = Client(compute_app(Broken(error), authenticate=by_name, hypervisor=None), user="member")
    try:
        return ask.act(REBUILD, headers=headers), ask.get(f"/v2.1/servers/{SERVER}")
    finally:
        ask.close()


@pytest.mark.parametrize(
    "error",
    [
        StoreLocked("/var/lib/cloud.db is locked"),
        StoreError("/var/lib/cloud.db cannot grow: the disk is full"),
        StoreDamaged("/var/lib/cloud.db is damaged"),
        UnknownEvent("ServerPainted:1", 7),
        OutcomeUnknown("req-1", "I/O error"),
    ],
)
def test_trouble_with_the_store_is_503_which_says_to_repeat_under_the_key(
    error: StoreError,
) -> None:
    without, under_a_key = asked(error), asked(error, **KEY)

    assert "repeat the call under its Idempotency-Key" in under_a_key[0].text
    for answer in (*without, *under_a_key):
        assert fault_of(answer) == (503, "serviceUnavailable")
        assert "Idempotency-Key" in answer.text
        assert "/var/lib" not in answer.text, "where the store lies is the operator's to know"


def test_an_unknown_outcome_without_a_key_names_the_request_to_look_for() -> None:
    answer, _ = asked(OutcomeUnknown("req-1", "I/O error"))

    assert "look for req-1 in os-instance-actions" in answer.text


def test_the_unforeseen_is_500_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "serverdomain"):
        answer, _ = asked(ZeroDivisionError("s3cret"))

    assert fault_of(answer) == (500, "computeFault")
    assert answer.json()["computeFault"]["message"] == "Unexpected API Error."
    (line, *_) = [one for one in caplog.records if one.message == "unexpected"]
    assert line.error == "ZeroDivisionError"
    assert line.request_id == answer.headers["x-compute-request-id"]
    assert line.route == "servers.rebuild"
    assert any("routes/commands.py" in place for place in line.at)
    assert "s3cret" not in repr([vars(one) for one in caplog.records])


def test_every_rule_has_its_status() -> None:
    assert set(OF_RULE) == {"role", "lock", "state", "image", "quota", "time"}


def test_an_error_of_ours_that_nobody_mapped_is_500() -> None:
    answer, _ = asked(ServerdomainError("what"))

    assert fault_of(answer) == (500, "computeFault")


def test_a_hook_that_fails_is_500() -> None:
    def hook(request: Any) -> None:
        raise KeyError(request.headers["x-auth-token"])

    ask = Client(compute_app(Broken(KeyError()), authenticate=hook, hypervisor=None), user="s3cret")
    answer = ask.get("/v2.1/servers")
    ask.close()

    assert fault_of(answer) == (500, "computeFault")
    assert "s3cret" not in answer.text
