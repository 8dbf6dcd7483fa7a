"""A running cloud asked for its instance actions, through openstacksdk, answer by answer."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import IO, Any

import msgspec

from serverdomain.errors import ExtraMissing, StoreError

_WITHOUT_KEYSTONE = ("none", "admin_token")


def answers(url: str) -> IO[bytes]:
    """The actions of all servers, a line each, as the cloud answers them.

    ``url`` is that of the identity service, or of the Compute API where there is none; who asks is
    said by the environment (``OS_USERNAME``, ``OS_AUTH_TYPE``, …). Raises `StoreError`.
    """
    return io.BufferedReader(_Lines(_asked(url)))


class _Lines(io.RawIOBase):
    """What a generator gives, as a file."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self._rest = lines, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or next(self._lines, b"")
        given, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def _asked(url: str) -> Iterator[bytes]:
    try:
        import openstack
    except ModuleNotFoundError as missing:
        raise ExtraMissing("asking a cloud", missing.name, "clients") from None
    has_none = os.environ.get("OS_AUTH_TYPE") in _WITHOUT_KEYSTONE
    try:
        with openstack.connect(auth={"endpoint" if has_none else "auth_url": url}) as cloud:
            for server in cloud.compute.servers(details=False):
                under = f"/servers/{server.id}/os-instance-actions"
                for action in _answer(cloud, under)["instanceActions"]:
                    shown = _answer(cloud, f"{under}/{action['request_id']}")
                    yield msgspec.json.encode(shown) + b"\n"
    except Exception as error:  # Those of keystoneauth and of requests have no common name.
        raise StoreError(f"the cloud at {url} does not answer: {error}") from None


def _answer(cloud: Any, path: str) -> Any:
    from openstack.exceptions import raise_from_response

    answer = cloud.compute.get(path)
    raise_from_response(answer)
    return answer.json()
